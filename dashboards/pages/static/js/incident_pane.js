// The reading pane of an incident, in the order in which a dispatcher works: what happened, whom to call, where to go,
// what to do, the clock of the rescue, the evidence, the story.

import { carLocation } from "./car_status.js";
import { el, symbol } from "./element.js";
import { IncidentActions, isRescue } from "./incident_actions.js";
import { Pane, assignment, liftUrl, organisations, phone } from "./pane.js";
import { severityRank } from "./severity.js";
import { fullStamp, stamp, timeNode, zoneSentence } from "./time.js";
import { alertStatus, hasTranslation, liftName, summary, translate, translateFirst } from "./translations.js";

const STAGES = ["suspected", "confirmed", "notified", "acknowledged", "dispatched", "on-site", "released", "closed"];
const RESCUE_ONLY = ["dispatched", "on-site", "released"];
const DUE_MIN = { acknowledged: 3, "on-site": 30 }; // Answered and arrived, from the beginning.
const STEPS_MOST = 6, MAP_ZOOM = 16;

export class IncidentPane extends Pane {
  constructor(box, changed, outdated) {
    super(box, new IncidentActions(changed, outdated), ["head", "guide", "steps", "clock", "alerts"]);
  }

  draw() {
    this.worst = worstAlert(this.item.alerts);
    this.showHead();
    this.showGuide();
    this.showSteps();
    this.showClock();
    this.showAlerts();
    this.showStory(this.item.story, (entry) => this.entryText(entry));
  }

  showHead() {
    const { item: incident, lift, zone, worst } = this, closed = incident.state === "closed";
    const meta = [
      el("b", {}, translate(`severity.${incident.severity}`)), el("span", {}, translate(`incident.${incident.kind}`)), el("span", {}, translate(`stage.${incident.stage}`)),
      el("span", {}, `${translate("alert.onset")} ${stamp(incident.opened, zone)}`), closed ? null : timeNode(incident.opened, { zone, as: "for" }),
      incident.owner ? el("b", {}, translate("alert.assigned", { name: incident.owner })) : null,
      closed && incident.reason ? el("span", {}, `${translate("act.reason")}: ${translate(`reason.${incident.reason}`)}`) : null,
      incident.thresholds_changed ? el("b", {}, translate("alert.thresholds", { at: fullStamp(incident.thresholds_changed, zone) })) : null,
    ].filter(Boolean);
    const others = incident.lifts.slice(1);
    this.parts.head.replaceChildren(
      el("h2", { class: "sentence" }, symbol(incident.severity), el("span", {}, incidentSentence(incident, lift, worst))),
      el("p", { class: "meta" }, ...meta),
      ...(others.length ? [el("p", { class: "meta" }, translate("incident.others", { n: others.length }), ...others.map((each) => el("a", { href: `/lifts/${encodeURIComponent(each.lift_id)}` }, each.holds_people ? `${each.lift_id} · ${translate("incident.holds")}` : each.lift_id)))] : []));
  }

  showGuide() {
    const { item: incident, lift: { facts, latest } } = this, place = latest && carLocation(latest), people = organisations(facts);
    if (facts?.emergency_phone) people.push(el("li", {}, `${translate("incident.car-line")}: `, phone(facts.emergency_phone)));
    const where = [
      facts?.address ? el("p", {}, el("b", {}, facts.address)) : null,
      typeof facts?.lat === "number" && typeof facts.lon === "number" ? el("p", {}, el("a", { href: `/map#${MAP_ZOOM}/${facts.lat}/${facts.lon}` }, translate("incident.map"))) : null,
      place ? el("p", {}, `${translate("incident.car")}: ${place}`) : null,
      el("p", {}, el("a", { href: liftUrl(incident.lift_id, incident.opened) }, translate("alert.open")), ` · ${translate("fact.lift_id")} ${incident.lift_id}`),
    ].filter(Boolean);
    this.parts.guide.className = "p-guide duo";
    this.parts.guide.replaceChildren(
      el("div", {}, el("h3", {}, translate("incident.call")), people.length ? el("ul", { class: "people" }, ...people) : el("p", { class: "faint" }, translate("alert.nobody"))),
      el("div", {}, el("h3", {}, translate("incident.go")), ...where));
  }

  showSteps() {
    const { item: incident, worst } = this, steps = Array.from({ length: STEPS_MOST }, (_, i) => `steps.${incident.kind}.${i + 1}`).filter(hasTranslation);
    const own = worst && hasTranslation(`do.${worst.rule}`) ? [el("p", {}, translate(`do.${worst.rule}`))] : [];
    this.parts.steps.replaceChildren(el("h3", {}, translate("alert.do")), ...own, el("ol", { class: "steps" }, ...steps.map((key) => el("li", {}, translate(key)))));
  }

  /** Show the stages with their times; a rescue's are timed from its beginning. */
  showClock() {
    const { item: incident, zone } = this, rescue = isRescue(incident);
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
    const { item: { alerts }, worst, lift, zone } = this;
    this.parts.alerts.replaceChildren(el("h3", {}, translate("incident.alerts", { n: alerts.length })), alerts.length
      ? el("ul", { class: "alerts-of" }, ...alerts.map((alert) => el("li", {}, symbol(alert.severity), el("a", { href: `/alerts/${encodeURIComponent(alert.id)}` }, summary(alert)), el("small", {}, [...alertStatus(alert), fullStamp(alert.onset, zone)].join(" · ")))))
      : el("p", { class: "faint" }, translate("incident.no-alerts")),
    el("p", { class: "faint" }, zoneSentence(zone)));
    if (worst) this.evidence.show(worst, lift);
    else this.evidence.clear();
  }

  /** Return an entry of the story as text. */
  entryText({ kind, about, to }) {
    const alert = this.item.alerts.find(({ id }) => id === about);
    if (kind === "assigned") return assignment(to);
    if (kind === "notified" && to) return translate("story.notified.to", { name: to });
    const text = hasTranslation(`stage.${kind}`) ? translate(`stage.${kind}`) : translateFirst(`story.incident.${kind}`, kind);
    const more = alert ? summary(alert) : kind === "closed" && about ? translate(`reason.${about}`) : kind === "called" && about ? translate(`incident.${about}`) : "";
    return more ? `${text}: ${more}` : text;
  }
}

/** Return the alert that an incident is about: an open one before a closed one, then the most severe. */
function worstAlert(alerts) {
  const order = (a, b) => (a.state === "closed") - (b.state === "closed") || severityRank(a.severity) - severityRank(b.severity) || a.onset.localeCompare(b.onset);
  return [...alerts].sort(order)[0] ?? null;
}

/** Return what an incident is about as a sentence; `alert` is the one that it is about, where it is known. */
export function incidentSentence(incident, lift, alert = null) {
  const said = alert ? summary(alert) : translate(`incident.${incident.kind}`);
  return incident.building ? translate("incident.building", { building: incident.building, n: incident.lifts.length, summary: said }) : translate("fleet.alert.one", { lift: liftName(lift), summary: said });
}
