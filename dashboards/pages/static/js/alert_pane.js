// The reading pane of an alert: summary, whom to call, what to do, evidence with limits, readings around the onset, history.

import { get } from "./api.js";
import { AlertActions } from "./alert_actions.js";
import { AlertEvidence } from "./alert_evidence.js";
import { el, placeholder, symbol } from "./element.js";
import { fullStamp, stamp, timeNode, zoneSentence, zonedClock } from "./time.js";
import { liftName, ruleName, translate, translateFirst, summary } from "./translations.js";

export class AlertPane {
  constructor(box, changed, outdated) {
    Object.assign(this, { box, id: null, evidence: new AlertEvidence(), actions: new AlertActions(changed, outdated) });
    this.parts = Object.fromEntries(["head", "guide", "story"].map((name) => [name, el("section", { class: `p-${name}` })]));
  }

  /** Show an alert with its history and its lift; input in the form of the same alert is kept. */
  show(alert, lift, back) {
    const another = alert.id !== this.id;
    Object.assign(this, { id: alert.id, alert, lift });
    if (another) {
      this.actions.clear();
      const { head, guide, story } = this.parts;
      this.box.replaceChildren(el("button", { type: "button", class: "quiet back", click: back }, `‹ ${translate("inbox.back")}`), head, this.actions.bar, this.actions.form, this.actions.answer, guide, this.evidence.figures, this.evidence.streams, story);
    }
    this.actions.show(alert, this.zone());
    this.head();
    this.guide();
    this.evidence.show(alert, lift);
    this.story();
  }

  empty(title, more = "") {
    this.id = null;
    this.box.replaceChildren(placeholder(title, more));
  }

  zone() {
    return this.lift?.facts?.timezone ?? null;
  }

  head() {
    const { alert, lift } = this, zone = this.zone();
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
      el("p", { class: "meta" }, el("a", { href: liftUrl(alert) }, translate("alert.open")), lift.facts?.address ? el("span", {}, lift.facts.address) : null, el("span", {}, alert.lift_id), el("span", {}, zoneSentence(zone))));
  }

  guide() {
    const { facts } = this.lift, people = [];
    if (facts?.emergency_phone) people.push(el("li", {}, `${translate("fact.emergency_phone")}: `, el("a", { class: "phone", href: `tel:${facts.emergency_phone.replaceAll(" ", "")}` }, facts.emergency_phone)));
    for (const name of ["maintenance_firm", "owner"]) if (facts?.[name]) people.push(el("li", {}, `${translate(`fact.${name}`)}: ${facts[name]}`));
    this.parts.guide.className = "duo";
    this.parts.guide.replaceChildren(
      el("div", {}, el("h3", {}, translate("alert.call")), people.length ? el("ul", {}, ...people) : el("p", { class: "faint" }, translate("alert.nobody"))),
      el("div", {}, el("h3", {}, translate("alert.do")), el("p", {}, translateFirst(`do.${this.alert.rule}`, `do.${this.alert.severity}`))));
  }

  story() {
    const zone = this.zone(), past = this.alert.transitions ?? [];
    this.parts.story.replaceChildren(el("h3", {}, translate("alert.story")), el("ol", { class: "story" }, ...[...past].reverse().map((each) => el("li", {},
      el("time", { datetime: each.at, title: stamp(each.at, zone) }, fullStamp(each.at, zone)),
      el("div", {}, el("span", {}, translate("story.by", { what: transitionText(each), who: each.by ?? translate("alert.monitor") })), each.note ? el("q", {}, each.note) : null)))));
  }
}

const liftUrl = (alert) => {
  const onset = Date.parse(alert.onset), span = new URLSearchParams({ from: new Date(onset - 300_000).toISOString(), to: new Date(onset + 600_000).toISOString() });
  return `/lifts/${encodeURIComponent(alert.lift_id)}?${span}`;
};

/** Return why an alert is not delivered, "" where it is; without a zone, the text has no time of day. */
export function holdReason(alert, zone) {
  if (alert.shelved_until) return zone === undefined ? translate("alert.shelved.now") : translate("alert.shelved", { at: zonedClock(alert.shelved_until, zone) });
  return alert.inhibited_by ? translate("alert.inhibited", { cause: ruleName(alert.inhibited_by) }) : "";
}

/** Return a transition as text, including the person of an assignment. */
function transitionText({ kind, to }) {
  if (kind !== "assigned") return translateFirst(`story.${kind}`, kind);
  return to ? translate("story.assigned.to", { name: to }) : translate("story.assigned.nobody");
}

/** Load an alert with its history, and its lift. */
export async function readAlert(id) {
  const alert = await get(`/api/v1/alerts/${encodeURIComponent(id)}`);
  const lift = await get(`/api/v1/lifts/${encodeURIComponent(alert.lift_id)}`).catch(() => ({ lift_id: alert.lift_id, name: null, facts: null, latest: null }));
  return [alert, lift];
}
