// The reading pane of an incident, in the order in which a dispatcher works: what happened, whom to call, where to go,
// what to do, the clock of the rescue, the evidence, the story.

import { get } from "./api.js";
import { AlertEvidence } from "./alert_evidence.js";
import { carLocation } from "./car_status.js";
import { el, placeholder, symbol } from "./element.js";
import { IncidentActions } from "./incident_actions.js";
import { severityRank } from "./severity.js";
import { fullStamp, stamp, timeNode, zoneSentence } from "./time.js";
import { alertStatus, hasTranslation, liftName, summary, translate, translateFirst } from "./translations.js";

const STAGES = ["suspected", "confirmed", "notified", "acknowledged", "dispatched", "on-site", "released", "closed"];
const RESCUE_ONLY = ["dispatched", "on-site", "released"];
const DUE_MIN = { acknowledged: 3, "on-site": 30 }; // Answered and arrived, from the beginning.
const STEPS_MOST = 6;

export class IncidentPane {
  constructor(box, changed, outdated) {
    Object.assign(this, { box, id: null, evidence: new AlertEvidence(), actions: new IncidentActions(changed, outdated) });
    this.parts = Object.fromEntries(["head", "guide", "steps", "clock", "alerts", "story"].map((name) => [name, el("section", { class: `p-${name}` })]));
  }

  /** Show an incident with its alerts and its story; input in the form of the same incident is kept. */
  show(incident, lift, back) {
    if (incident.id !== this.id) {
      this.actions.clear();
      this.evidence.clear();
      const { head, guide, steps, clock, alerts, story } = this.parts;
      this.box.replaceChildren(el("button", { type: "button", class: "quiet back", click: back }, `‹ ${translate("inbox.back")}`), head, this.actions.bar, this.actions.form, this.actions.answer, guide, steps, clock, alerts, this.evidence.figures, this.evidence.streams, story);
    }
    Object.assign(this, { id: incident.id, incident, lift, zone: lift.facts?.timezone ?? null, worst: worstAlert(incident) });
    this.actions.show(incident, this.zone);
    this.showHead();
    this.showGuide();
    this.showClock();
    this.showAlerts();
    this.showStory();
  }

  empty(title, more = "") {
    this.id = null;
    this.evidence.clear();
    this.box.replaceChildren(placeholder(title, more));
  }

  showHead() {
    const { incident, lift, zone } = this, closed = incident.state === "closed";
    const meta = [
      el("b", {}, translate(`severity.${incident.severity}`)), el("span", {}, translate(`incident.${incident.kind}`)), el("span", {}, translate(`stage.${incident.stage}`)),
      el("span", {}, `${translate("alert.onset")} ${stamp(incident.opened, zone)}`), closed ? null : timeNode(incident.opened, { zone, as: "for" }),
      incident.owner ? el("b", {}, translate("alert.assigned", { name: incident.owner })) : null,
      closed && incident.reason ? el("span", {}, `${translate("act.reason")}: ${translate(`reason.${incident.reason}`)}`) : null,
      incident.thresholds_changed ? el("b", {}, translate("alert.thresholds", { at: fullStamp(incident.thresholds_changed, zone) })) : null,
    ].filter(Boolean);
    const others = incident.lifts.slice(1);
    this.parts.head.replaceChildren(
      el("h2", { class: "sentence" }, symbol(incident.severity), el("span", {}, incidentSentence(incident, lift, this.worst))),
      el("p", { class: "meta" }, ...meta),
      ...(others.length ? [el("p", { class: "meta" }, translate("incident.others", { n: others.length }), ...others.map((each) => el("a", { href: `/lifts/${encodeURIComponent(each.lift_id)}` }, each.holds_people ? `${each.lift_id} · ${translate("incident.holds")}` : each.lift_id)))] : []));
  }

  showGuide() {
    const { incident, lift } = this, { facts } = lift, place = lift.latest && carLocation(lift.latest);
    const people = [];
    for (const name of ["maintenance_firm", "owner"]) if (facts?.[name]) people.push(el("li", {}, `${translate(`fact.${name}`)}: ${facts[name]}`));
    if (facts?.emergency_phone) people.push(el("li", {}, `${translate("incident.car-line")}: `, phone(facts.emergency_phone)));
    const where = [
      facts?.address ? el("p", {}, el("b", {}, facts.address)) : null,
      place ? el("p", {}, `${translate("incident.car")}: ${place}`) : null,
      el("p", {}, el("a", { href: liftUrl(incident) }, translate("alert.open")), ` · ${translate("fact.lift_id")} ${incident.lift_id}`),
    ].filter(Boolean);
    this.parts.guide.className = "p-guide duo";
    this.parts.guide.replaceChildren(
      el("div", {}, el("h3", {}, translate("incident.call")), people.length ? el("ul", { class: "people" }, ...people) : el("p", { class: "faint" }, translate("alert.nobody"))),
      el("div", {}, el("h3", {}, translate("incident.go")), ...where));
    const steps = Array.from({ length: STEPS_MOST }, (_, i) => `steps.${incident.kind}.${i + 1}`).filter(hasTranslation);
    const own = this.worst && hasTranslation(`do.${this.worst.rule}`) ? [el("p", {}, translate(`do.${this.worst.rule}`))] : [];
    this.parts.steps.replaceChildren(el("h3", {}, translate("alert.do")), ...own, el("ol", { class: "steps" }, ...steps.map((key) => el("li", {}, translate(key)))));
  }

  /** Show the stages with their times; a rescue's are timed from its beginning. */
  showClock() {
    const { incident, zone } = this, rescue = ["entrapment", "alarm-call"].includes(incident.kind);
    const rows = STAGES.filter((stage) => stage in incident.stages || (rescue && incident.state === "open" && RESCUE_ONLY.includes(stage)) || stage === "acknowledged");
    this.parts.clock.replaceChildren(el("h3", {}, translate(rescue ? "incident.clock" : "incident.stages")), el("ol", { class: "clock" }, ...rows.map((stage) => {
      const at = incident.stages[stage], due = rescue && DUE_MIN[stage] ? Date.parse(incident.opened) + 60_000 * DUE_MIN[stage] : null;
      const late = due !== null && (at ? Date.parse(at) : Date.now()) > due;
      return el("li", { class: at ? "reached" : late ? "late" : "ahead" },
        el("span", {}, translate(`stage.${stage}`)),
        at ? el("time", { datetime: at, title: stamp(at, zone) }, fullStamp(at, zone)) : el("span", { class: "faint" }, translate("incident.not-yet")),
        due === null ? null : el("small", {}, translate(late ? "incident.late" : "incident.due", { n: DUE_MIN[stage] })));
    })));
  }

  showAlerts() {
    const { incident, worst, lift, zone } = this, alerts = incident.alerts ?? [];
    this.parts.alerts.replaceChildren(el("h3", {}, translate("incident.alerts", { n: alerts.length })), alerts.length
      ? el("ul", { class: "alerts-of" }, ...alerts.map((alert) => el("li", {}, symbol(alert.severity), el("a", { href: `/alerts/${encodeURIComponent(alert.id)}` }, summary(alert)), el("small", {}, [...alertStatus(alert), fullStamp(alert.onset, zone)].join(" · ")))))
      : el("p", { class: "faint" }, translate("incident.no-alerts")),
    el("p", { class: "faint" }, zoneSentence(zone)));
    if (worst) this.evidence.show(worst, lift);
    else this.evidence.clear();
  }

  showStory() {
    const { zone } = this, story = this.incident.story ?? [];
    this.parts.story.replaceChildren(el("h3", {}, translate("alert.story")), el("ol", { class: "story" }, ...[...story].reverse().map((entry) => el("li", {},
      el("time", { datetime: entry.at, title: stamp(entry.at, zone) }, fullStamp(entry.at, zone)),
      el("div", {}, el("span", {}, translate("story.by", { what: this.entryText(entry), who: entry.by ?? translate("alert.monitor") })), entry.note ? el("q", {}, entry.note) : null)))));
  }

  /** Return an entry of the story as text. */
  entryText({ kind, about, to }) {
    const alert = (this.incident.alerts ?? []).find(({ id }) => id === about);
    if (kind === "assigned") return to ? translate("story.assigned.to", { name: to }) : translate("story.assigned.nobody");
    if (kind === "notified" && to) return translate("story.notified.to", { name: to });
    const text = hasTranslation(`stage.${kind}`) ? translate(`stage.${kind}`) : translateFirst(`story.incident.${kind}`, kind);
    const more = alert ? summary(alert) : kind === "closed" && about ? translate(`reason.${about}`) : kind === "called" && about ? translate(`incident.${about}`) : "";
    return more ? `${text}: ${more}` : text;
  }
}

const phone = (number) => el("a", { class: "phone", href: `tel:${number.replace(/[^+\d]/g, "")}` }, number);

/** Return the alert that an incident is about: an open one before a closed one, then the most severe. */
function worstAlert({ alerts = [] }) {
  const order = (a, b) => (a.state === "closed") - (b.state === "closed") || severityRank(a.severity) - severityRank(b.severity) || a.onset.localeCompare(b.onset);
  return [...alerts].sort(order)[0] ?? null;
}

/** Return what an incident is about as a sentence; `alert` is the one that it is about, where it is known. */
export function incidentSentence(incident, lift, alert = null) {
  const said = alert ? summary(alert) : translate(`incident.${incident.kind}`);
  return incident.building ? translate("incident.building", { building: incident.building, n: incident.lifts.length, summary: said }) : translate("fleet.alert.one", { lift: liftName(lift), summary: said });
}

const liftUrl = ({ lift_id, opened }) => {
  const from = Date.parse(opened), span = new URLSearchParams({ from: new Date(from - 300_000).toISOString(), to: new Date(from + 600_000).toISOString() });
  return `/lifts/${encodeURIComponent(lift_id)}?${span}`;
};

/** Load an incident with its alerts and story, and its lift. */
export async function readIncident(id) {
  const incident = await get(`/api/v1/incidents/${encodeURIComponent(id)}`);
  const lift = await get(`/api/v1/lifts/${encodeURIComponent(incident.lift_id)}`).catch(() => ({ lift_id: incident.lift_id, name: null, facts: null, latest: null }));
  return [incident, lift];
}
