// The reading pane of an alert: summary, whom to call, what to do, evidence with limits, readings around the onset, history.

import { AlertActions } from "./alert_actions.js";
import { el, symbol } from "./element.js";
import { Pane, assignment, liftUrl, organisations, phone } from "./pane.js";
import { fullStamp, stamp, timeNode, zoneSentence, zonedClock } from "./time.js";
import { liftName, nameInLanguage, ruleName, translate, translateFirst, summary } from "./translations.js";

export class AlertPane extends Pane {
  constructor(box, changed, outdated) {
    super(box, new AlertActions(changed, outdated), ["head", "guide"]);
  }

  draw() {
    this.showHead();
    this.showGuide();
    this.evidence.show(this.item, this.lift);
    this.showStory(this.item.transitions ?? [], transitionText);
  }

  showHead() {
    const { item: alert, lift, zone } = this;
    const meta = [
      el("b", {}, translate(`severity.${alert.severity}`)), el("span", {}, ruleName(alert.rule)), el("span", {}, translate(`alert.${alert.state}`)),
      el("span", {}, `${translate("alert.onset")} ${stamp(alert.onset, zone)}`),
      alert.state === "firing" ? timeNode(alert.onset, { zone, as: "for" }) : null,
      alert.count > 1 ? el("span", {}, translate("alert.count", { n: alert.count })) : null,
      alert.acknowledged ? el("span", {}, translate("alert.acknowledged")) : null,
      alert.assigned_to ? el("b", {}, translate("alert.assigned", { name: alert.assigned_to })) : null,
      holdReason(alert, zone) ? el("span", {}, holdReason(alert, zone)) : null,
      alert.thresholds_changed ? el("b", {}, translate("alert.thresholds", { at: fullStamp(alert.thresholds_changed, zone) })) : null,
    ].filter(Boolean);
    this.parts.head.replaceChildren(
      el("h2", { class: "sentence" }, symbol(alert.severity), el("span", {}, translate("fleet.alert.one", { lift: liftName(lift), summary: summary(alert) }))),
      el("p", { class: "meta" }, ...meta),
      el("p", { class: "meta" }, el("a", { href: liftUrl(alert.lift_id, alert.onset) }, translate("alert.open")), lift.facts?.address ? el("span", {}, nameInLanguage(lift.facts.address)) : null, el("span", {}, alert.lift_id), el("span", {}, zoneSentence(zone))));
  }

  showGuide() {
    const { item: alert, lift: { facts } } = this, people = organisations(facts);
    if (facts?.emergency_phone) people.unshift(el("li", {}, `${translate("fact.emergency_phone")}${translate("shell.colon")}`, phone(facts.emergency_phone)));
    this.parts.guide.className = "p-guide duo";
    this.parts.guide.replaceChildren(
      el("div", {}, el("h3", {}, translate("alert.call")), people.length ? el("ul", {}, ...people) : el("p", { class: "faint" }, translate("alert.nobody"))),
      el("div", {}, el("h3", {}, translate("alert.do")), el("p", {}, translateFirst(`do.${alert.rule}`, `do.${alert.severity}`))));
  }
}

/** Return why an alert is not delivered, "" where it is; without a zone, the text has no time of day. */
export function holdReason(alert, zone) {
  if (alert.shelved_until) return zone === undefined ? translate("alert.shelved.now") : translate("alert.shelved", { at: zonedClock(alert.shelved_until, zone) });
  return alert.inhibited_by ? translate("alert.inhibited", { cause: ruleName(alert.inhibited_by) }) : "";
}

/** Return a transition as text, including the person of an assignment. */
const transitionText = ({ kind, to }) => (kind === "assigned" ? assignment(to) : translateFirst(`story.${kind}`, kind));
