// The reading pane of an alert: summary, whom to call, what to do, evidence with limits, readings around the onset, history.

import { Problem, get } from "./api.js";
import { Chart } from "./charts.js";
import { AlertActions } from "./alert_actions.js";
import { el, placeholder, symbol } from "./element.js";
import { bands, sampled } from "./series.js";
import { fullStamp, stamp, timeNode, zoneName, zoneSentence, zonedClock } from "./time.js";
import { figure, paired } from "./units.js";
import { liftName, hasTranslation, ruleName, translate, translateFirst, summary } from "./translations.js";

const BEFORE_S = 30, AFTER_S = 60;
const POINTS = 300;
const SMALL = ["speed", "position", "door", "presence"];

export class AlertPane {
  constructor(box, changed, outdated) {
    Object.assign(this, { box, id: null, charts: [], actions: new AlertActions(changed, outdated) });
    this.parts = Object.fromEntries(["head", "guide", "evidence", "streams", "story"].map((name) => [name, el("section", { class: `p-${name}` })]));
  }

  /** Show an alert with its history and its lift; input in the form of the same alert is kept. */
  show(alert, lift, back) {
    const another = alert.id !== this.id;
    Object.assign(this, { id: alert.id, alert, lift });
    if (another) {
      this.actions.clear();
      const { head, guide, evidence, streams, story } = this.parts;
      this.box.replaceChildren(el("button", { type: "button", class: "quiet back", click: back }, `‹ ${translate("inbox.back")}`), head, this.actions.bar, this.actions.form, this.actions.answer, guide, evidence, streams, story);
    }
    this.actions.show(alert, this.zone());
    this.head();
    this.guide();
    this.evidence();
    this.story();
    if (another) this.streams();
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

  evidence() {
    const rows = paired(this.alert.evidence).map(({ name, stem, unit, value, limit }) => el("div", {},
      el("dt", {}, evidenceName(name, stem)),
      el("dd", {}, `${figure(name, value)} ${unit}`.trim(), limit === null ? null : el("small", {}, `${translate("shell.comma")}${translate("alert.limit", { limit: figure(name, limit) })}`))));
    const codes = Object.entries(this.alert.codes).map(([name, code]) => `${name} ${code}`).join(", ");
    this.parts.evidence.replaceChildren(el("h3", {}, translate("alert.evidence")),
      rows.length ? el("dl", { class: "evidence" }, ...rows) : el("p", { class: "faint" }, translate("alert.noevidence")),
      ...(codes ? [el("p", { class: "faint" }, `${translate("alert.codes")}: ${codes}`)] : []));
  }

  /** Draw small charts of the readings around the onset. */
  async streams() {
    const { alert, lift, id } = this, onset = Date.parse(alert.onset) / 1000, span = { from: onset - BEFORE_S, to: onset + AFTER_S };
    const box = el("div", { class: "small-charts" });
    this.parts.streams.replaceChildren(el("h3", {}, translate("alert.streams")), box);
    const end = Date.parse(alert.cleared ?? alert.closed ?? "9999-01-01") / 1000;
    const shared = { key: `alert-${id}`, zone: zoneName(this.zone()), floors: lift.facts?.floors, rated: lift.facts?.rated_speed_mps ?? null, small: true, span: () => span, alerts: () => [{ severity: alert.severity, name: ruleName(alert.rule), from: onset, to: end }] };
    const heard_to = Date.parse(lift.latest?.last_seen) / 1000 || 0;
    for (const chart of this.charts) chart.end();
    this.charts = SMALL.map((kind) => new Chart(box, kind, shared));
    const [speed, position, ...banded] = this.charts, fill = (charts, read) => read.catch((problem) => {
      for (const chart of charts) chart.fail(problem);
      if (!(problem instanceof Problem)) reportError(problem);
    });
    await Promise.all([
      fill([speed], sampled(alert.lift_id, "speed", span, POINTS).then((read) => speed.sampled(read))),
      fill([position], sampled(alert.lift_id, "displacement", span, POINTS).then((read) => position.sampled(read))),
      fill(banded, bands(alert.lift_id, span, heard_to).then((read) => banded.forEach((chart) => chart.events(read[chart.kind])))),
    ]);
    // The minute after a new alert is not over yet: draw again when it is.
    const left_s = onset + AFTER_S + 2 - Date.now() / 1000;
    if (left_s > 0) setTimeout(() => this.id === id && this.streams(), 1000 * Math.min(left_s, AFTER_S));
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

/** Return the name of a quantity of the evidence. */
function evidenceName(name, stem) {
  if (hasTranslation(`evidence.${name}`)) return translate(`evidence.${name}`);
  return name.includes("limit") ? translate("evidence.limit") : stem.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());
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
