// The reading pane of an incident, in the order in which a dispatcher works: what happened, whom to call, where to go,
// what to do, the clock of the rescue, the evidence, the story.

import { get } from "./api.js";
import { carLocation } from "./car_status.js";
import { el, symbol } from "./element.js";
import { showDuty } from "./duty/on_duty.js";
import { IncidentActions, JOINS, isRescue } from "./incident_actions.js";
import { liftList } from "./incident/lift_list.js";
import { otherIncidents } from "./incident/other_incidents.js";
import { liftInfo } from "./lift_names.js";
import { Pane, assignment, liftUrl, organisations, phone } from "./pane.js";
import { clockRows, closingReport, rescueParts } from "./rescue.js";
import { severityRank } from "./severity.js";
import { fullStamp, stamp, timeNode, zoneSentence } from "./time.js";
import { alertStatus, hasTranslation, incidentSummary, liftName, nameInLanguage, summary, translate, translateFirst } from "./translations.js";
import { unreachedReason } from "./unreached.js";

const STEPS_MOST = 6, MAP_ZOOM = 16, TICK_MS = 1000;
const RESCUE_STAGES = ["dispatched", "on-site", "released"];
const KINDS_OF_CALLS = ["opened", "called"], NUMBER = /^[0-9+()#* -]{3,40}$/;
const KINDS_ABOUT = ["opened", "called", "reported"]; // Entries that name the reported kind.

export class IncidentPane extends Pane {
  constructor(box, changed, outdated) {
    super(box, new IncidentActions(changed, outdated), ["head", "closing", "guide", "lifts", "called", "steps", "clock", "rescue", "reports", "alerts", "others"]);
    setInterval(() => this.id && this.item.state === "open" && isRescue(this.item) && this.showClock(), TICK_MS);
  }

  draw() {
    this.worst = worstAlert(this.item.alerts);
    this.showHead();
    this.showGuide();
    this.showLifts();
    this.showCalled();
    this.showSteps();
    this.showClock();
    this.parts.closing.replaceChildren(...closingReport(this.item, this.zone));
    this.showRescue();
    this.showReports();
    this.showAlerts();
    this.parts.others.replaceChildren(...otherIncidents(this.item, JOINS.map((action) => this.actions.buttons[action])));
    this.showTold();
  }

  /** Show the story; the names of lifts in it may come later. */
  showTold() {
    this.showStory(this.item.story.map((entry) => (isPublic(entry) ? { ...entry, by: translate("incident.public-page") } : entry)), (entry) => this.entryText(entry));
  }

  showHead() {
    const { item: incident, lift, zone, worst } = this, closed = incident.state === "closed";
    const meta = [
      el("b", {}, translate(`severity.${incident.severity}`)), el("span", {}, translate(`incident.${incident.kind}`)), el("span", {}, translate(`stage.${incident.stage}`)),
      el("span", {}, `${translate("alert.onset")} ${stamp(incident.opened, zone)}`), closed ? null : timeNode(incident.opened, { zone, as: "for" }),
      incident.unconfirmed ? el("b", { title: translate("incident.unconfirmed.more") }, translate("incident.unconfirmed")) : null,
      incident.owner ? el("b", {}, translate("alert.assigned", { name: nameInLanguage(incident.owner) })) : null,
      closed && incident.reason ? el("span", {}, `${translate("act.reason")}${translate("shell.colon")}${translate(`reason.${incident.reason}`)}`) : null,
      incident.thresholds_changed ? el("b", {}, translate("alert.thresholds", { at: fullStamp(incident.thresholds_changed, zone) })) : null,
    ].filter(Boolean);
    this.parts.head.replaceChildren(
      el("h2", { class: "sentence" }, symbol(incident.severity), el("span", {}, incidentSentence(incident, lift, worst))),
      el("p", { class: "meta" }, ...meta));
  }

  showGuide() {
    const { item: incident, lift: { facts, latest } } = this, place = latest && incident.state !== "closed" && carLocation(latest, "place"), people = organisations(facts);
    people.push(...callers(incident).map((number) => el("li", {}, `${translate("incident.caller")}${translate("shell.colon")}`, phone(number))));
    if (facts?.emergency_phone) people.push(el("li", {}, `${translate("incident.car-line")}${translate("shell.colon")}`, phone(facts.emergency_phone)));
    const where = [
      facts?.address ? el("p", {}, el("b", {}, nameInLanguage(facts.address))) : null,
      typeof facts?.lat === "number" && typeof facts.lon === "number" ? el("p", {}, el("a", { href: `/map#${MAP_ZOOM}/${facts.lat}/${facts.lon}` }, translate("incident.map"))) : null,
      place ? el("p", {}, `${translate("incident.car")}${translate("shell.colon")}${place}`) : null,
      el("p", {}, el("a", { href: liftUrl(incident.lift_id, incident.opened) }, translate("alert.open")), ` · ${translate("fact.lift_id")} ${incident.lift_id}`),
    ].filter(Boolean);
    const duty = el("div", { class: "duty" });
    this.parts.guide.className = "p-guide duo";
    this.parts.guide.replaceChildren(
      el("div", {}, el("h3", {}, translate("incident.call")), duty, people.length ? el("ul", { class: "people" }, ...people) : el("p", { class: "faint" }, translate("alert.nobody"))),
      el("div", {}, el("h3", {}, translate("incident.go")), ...where));
    showDuty(duty, incident);
  }

  /** Show the lifts of an incident of several; their names may come later. */
  showLifts() {
    const { item: incident, zone, actions, id } = this, enter = actions.buttons.stage ? (stage, lift_id) => actions.enterStage(stage, lift_id) : null;
    this.parts.lifts.replaceChildren(...liftList(incident, zone, enter, () => id === this.id && this.showLifts()));
  }

  /** Show who was notified by which way, and what came of it, the newest first; what was shown stays until then. */
  async showCalled() {
    const { item: { id }, parts: { called }, zone } = this;
    if (called.dataset.of !== id) called.replaceChildren();
    called.dataset.of = id;
    const { items } = await get(`/api/v1/incidents/${id}/notifications`).catch(() => ({ items: null }));
    if (!items || id !== this.id) return;
    called.replaceChildren(...(items.length ? [el("h3", {}, translate("incident.called")), el("ul", { class: "called" }, ...items.reverse().map((each) => el("li", { class: each.result },
      el("time", { datetime: each.at, title: stamp(each.at, zone) }, fullStamp(each.at, zone)), " ",
      el("b", {}, nameInLanguage(each.person ?? "–")), ` · ${translate(`way.${each.kind}`)} ${each.address} · `,
      el("span", {}, each.result === "delivered" ? translate("called.delivered") : translate("called.failed", { reason: unreachedReason(each) })))))] : []));
  }

  showSteps() {
    const { item: incident, worst } = this, steps = Array.from({ length: STEPS_MOST }, (_, i) => `steps.${incident.kind}.${i + 1}`).filter(hasTranslation);
    const own = worst && hasTranslation(`do.${worst.rule}`) ? [el("p", {}, translate(`do.${worst.rule}`))] : [];
    this.parts.steps.replaceChildren(el("h3", {}, translate("alert.do")), ...own, el("ol", { class: "steps" }, ...steps.map((key) => el("li", {}, translate(key)))));
  }

  /** Show the stages with their times; the timers of a rescue count down. */
  showClock() {
    const { item: incident, zone } = this;
    this.parts.clock.replaceChildren(el("h3", {}, translate(isRescue(incident) ? "incident.clock" : "incident.stages")), el("ol", { class: "clock" }, ...clockRows(incident, zone)));
  }

  showRescue() {
    this.parts.rescue.replaceChildren(...rescueParts(this.item, this.lift, this.zone, (action, number) => this.actions.answerCallOut(action, number)));
  }

  /** Show what strangers reported on the public page, with the answers that they read. */
  showReports() {
    const { item: { id, reports }, zone } = this;
    this.parts.reports.replaceChildren(...(reports.length ? [el("h3", {}, translate("incident.reports", { n: reports.length })), el("ul", { class: "reports" }, ...reports.map(({ number, kind, at, note, photo, answer }) => {
      const source = `/api/v1/incidents/${encodeURIComponent(id)}/reports/${number}/photo`, name = translate("incident.photo", { number });
      return el("li", {}, el("b", {}, translate("incident.report", { number, kind: translate(`incident.${kind}`) })), " ", el("time", { datetime: at, title: stamp(at, zone) }, fullStamp(at, zone)),
        note ? el("q", {}, note) : null, photo ? el("a", { href: source, target: "_blank" }, el("img", { src: source, alt: name, loading: "lazy" })) : null,
        el("small", {}, answer ? translate("incident.answered", { answer }) : translate("incident.unanswered")));
    }))] : []));
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
    if (["overdue", "level"].includes(kind)) return translate(kind === "level" ? "story.incident.level" : `rescue.overdue.${about}`, { level: kind === "level" ? translate(`rescue.level.${about}`) : "" });
    if (["called-out", "accepted", "declined", "no-answer"].includes(kind)) return `${translate(`story.incident.${kind}`)}${translate("shell.colon")}${nameInLanguage(to)}`;
    if (kind === "arrived") {
      const place = translate(about ? `rescue.proven.${about}` : "story.incident.arrived");
      return to && this.item.lifts.length > 1 ? `${place}${translate("shell.colon")}${liftName(liftInfo(to, () => this.showTold()))}` : place;
    }
    if (kind === "photographed") return translate("story.incident.photographed", { number: about });
    if (RESCUE_STAGES.includes(kind) && about) return `${translate(`stage.${kind}`)}${translate("shell.colon")}${liftName(liftInfo(about, () => this.showTold()))}`;
    if (kind === "retracted") return [translate("story.incident.retracted", { stage: translate(`stage.${about}`) }), to && this.item.lifts.length > 1 ? liftName(liftInfo(to, () => this.showTold())) : null].filter(Boolean).join(translate("shell.colon"));
    if (kind === "assigned") return assignment(to);
    if (kind === "unreached") return translate(`missed.${about}`);
    if (kind === "notified" && to) return translate("story.notified.to", { name: nameInLanguage(to) });
    const text = hasTranslation(`stage.${kind}`) ? translate(`stage.${kind}`) : translateFirst(`story.incident.${kind}`, kind);
    const more = alert ? summary(alert) : kind === "closed" && about ? translate(`reason.${about}`) : KINDS_ABOUT.includes(kind) && hasTranslation(`incident.${about}`) ? translate(`incident.${about}`) : "";
    return more ? `${text}${translate("shell.colon")}${more}` : text;
  }
}

/** Return the numbers to call back that telephone calls left, the newest first. */
const callers = ({ story }) => [...new Set(story.filter(({ kind, by, note }) => by && KINDS_OF_CALLS.includes(kind) && NUMBER.test(note ?? "")).map(({ note }) => note).reverse())];

/** Return whether an entry was made by somebody at the public page, of whom nothing is known. */
const isPublic = ({ kind, by, about }) => ["reported", "photographed"].includes(kind) || (kind === "opened" && !by && hasTranslation(`incident.${about}`));

/** Return the alert that an incident is about: an open one before a closed one, then the most severe. */
function worstAlert(alerts) {
  const order = (a, b) => (a.state === "closed") - (b.state === "closed") || severityRank(a.severity) - severityRank(b.severity) || a.onset.localeCompare(b.onset);
  return [...alerts].sort(order)[0] ?? null;
}

/** Return what an incident is about as a sentence, of a rescue in floor words; `alert` is the one that it is about. */
export function incidentSentence(incident, lift, alert = null) {
  if (isRescue(incident) && !incident.building) {
    const place = carLocation(lift.latest ?? lift, "place"), name = liftName(lift);
    if (!incident.may_hold_people) return translate("incident.sentence.was", { lift: name });
    return place ? translate("incident.sentence.place", { lift: name, place }) : translate("incident.sentence.inside", { lift: name });
  }
  const said = alert ? summary(alert) : incidentSummary(incident);
  return incident.building ? translate("incident.building", { building: nameInLanguage(incident.building), n: incident.lifts.length, summary: said }) : translate("fleet.alert.one", { lift: liftName(lift), summary: said });
}
