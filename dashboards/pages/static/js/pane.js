// The reading pane: the sentence, the evidence with its limits, the streams around it, what to do, the story so far.

import { Problem, get } from "./api.js";
import { Chart } from "./charts.js";
import { Deeds } from "./deeds.js";
import { el, plate, symbol } from "./element.js";
import { bands, sampled } from "./series.js";
import { clock, fullStamp, stamp, timeNode } from "./time.js";
import { figure, paired } from "./units.js";
import { callLift, knows, ruleName, say, sayFirst, summary } from "./words.js";

const BEFORE_S = 30, AFTER_S = 60;
const POINTS = 300;
const SMALL = ["speed", "position", "door", "presence"];

export class Pane {
  constructor(box, changed) {
    Object.assign(this, { box, id: null, charts: [], deeds: new Deeds(changed) });
    this.parts = Object.fromEntries(["head", "evidence", "streams", "guide", "story"].map((name) => [name, el("section", { class: `p-${name}` })]));
  }

  /** Show an alert with its story and its lift; what someone is typing for the same alert stays. */
  show(alert, lift, back) {
    const another = alert.id !== this.id;
    Object.assign(this, { id: alert.id, alert, lift });
    if (another) {
      this.deeds.clear();
      const { head, evidence, streams, guide, story } = this.parts;
      this.box.replaceChildren(el("button", { type: "button", class: "quiet back", click: back }, `‹ ${say("inbox.back")}`), head, this.deeds.bar, this.deeds.form, this.deeds.answer, evidence, streams, guide, story);
    }
    this.deeds.show(alert);
    this.head();
    this.evidence();
    this.guide();
    this.story();
    if (another) this.streams();
  }

  empty(title, more = "") {
    this.id = null;
    this.box.replaceChildren(plate(title, more));
  }

  zone() {
    return this.lift?.facts?.timezone ?? null;
  }

  head() {
    const { alert, lift } = this, zone = this.zone();
    const meta = [
      el("b", {}, say(`severity.${alert.severity}`)), el("span", {}, ruleName(alert.rule)), el("span", {}, say(`alert.${alert.state}`)),
      el("span", {}, `${say("alert.onset")} ${stamp(alert.onset, zone)}`),
      alert.state === "firing" ? timeNode(alert.onset, { zone, as: "for" }) : null,
      alert.count > 1 ? el("span", {}, say("alert.count", { n: alert.count })) : null,
      alert.acknowledged ? el("span", {}, say("alert.acknowledged")) : null,
      alert.assigned_to ? el("b", {}, say("alert.assigned", { name: alert.assigned_to })) : null,
      held(alert, zone) ? el("span", {}, held(alert, zone)) : null,
    ].filter(Boolean);
    this.parts.head.replaceChildren(
      el("h2", { class: "sentence" }, symbol(alert.severity), el("span", {}, say("fleet.alert.one", { lift: callLift(lift), summary: summary(alert) }))),
      el("p", { class: "meta" }, ...meta),
      el("p", { class: "meta" }, el("a", { href: liftAddress(alert) }, say("alert.open")), lift.facts?.address ? el("span", {}, lift.facts.address) : null, el("span", {}, alert.lift_id)));
  }

  evidence() {
    const rows = paired(this.alert.evidence).map(({ name, stem, unit, value, limit }) => el("div", {},
      el("dt", {}, evidenceName(name, stem)),
      el("dd", {}, `${figure(name, value)} ${unit}`.trim(), limit === null ? null : el("small", {}, `${say("shell.comma")}${say("alert.limit", { limit: figure(name, limit) })}`))));
    const codes = Object.entries(this.alert.codes).map(([name, code]) => `${name} ${code}`).join(", ");
    this.parts.evidence.replaceChildren(el("h3", {}, say("alert.evidence")),
      rows.length ? el("dl", { class: "evidence" }, ...rows) : el("p", { class: "faint" }, say("alert.noevidence")),
      ...(codes ? [el("p", { class: "faint" }, `${say("alert.codes")}: ${codes}`)] : []));
  }

  /** Draw the streams around the onset, small. */
  async streams() {
    const { alert, lift, id } = this, onset = Date.parse(alert.onset) / 1000, span = { from: onset - BEFORE_S, to: onset + AFTER_S };
    const box = el("div", { class: "small-charts" });
    this.parts.streams.replaceChildren(el("h3", {}, say("alert.streams")), box);
    const end = Date.parse(alert.cleared ?? alert.closed ?? "9999-01-01") / 1000;
    const shared = { key: `alert-${id}`, zone: this.zone(), floors: lift.facts?.floors, rated: lift.facts?.rated_speed_mps ?? null, small: true, span: () => span, alerts: () => [{ severity: alert.severity, name: ruleName(alert.rule), from: onset, to: end }] };
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
    // The minute after a fresh alert is still to come: draw once more when it has passed.
    const left_s = onset + AFTER_S + 2 - Date.now() / 1000;
    if (left_s > 0) setTimeout(() => this.id === id && this.streams(), 1000 * Math.min(left_s, AFTER_S));
  }

  guide() {
    const { facts } = this.lift, people = [];
    if (facts?.emergency_phone) people.push(el("li", {}, `${say("fact.emergency_phone")}: `, el("a", { class: "phone", href: `tel:${facts.emergency_phone.replaceAll(" ", "")}` }, facts.emergency_phone)));
    for (const name of ["maintenance_firm", "owner"]) if (facts?.[name]) people.push(el("li", {}, `${say(`fact.${name}`)}: ${facts[name]}`));
    this.parts.guide.className = "duo";
    this.parts.guide.replaceChildren(
      el("div", {}, el("h3", {}, say("alert.do")), el("p", {}, sayFirst(`do.${this.alert.rule}`, `do.${this.alert.severity}`))),
      el("div", {}, el("h3", {}, say("alert.call")), people.length ? el("ul", {}, ...people) : el("p", { class: "faint" }, say("alert.nobody"))));
  }

  story() {
    const zone = this.zone(), past = this.alert.transitions ?? [];
    this.parts.story.replaceChildren(el("h3", {}, say("alert.story")), el("ol", { class: "story" }, ...[...past].reverse().map((each) => el("li", {},
      el("time", { datetime: each.at, title: stamp(each.at, zone) }, fullStamp(each.at, zone)),
      el("div", {}, el("span", {}, say("story.by", { what: told(each), who: each.by ?? say("alert.monitor") })), each.note ? el("q", {}, each.note) : null)))));
  }
}

const liftAddress = (alert) => {
  const onset = Date.parse(alert.onset), span = new URLSearchParams({ from: new Date(onset - 300_000).toISOString(), to: new Date(onset + 600_000).toISOString() });
  return `/lifts/${encodeURIComponent(alert.lift_id)}?${span}`;
};

/** Return why an alert is delivered to nobody, or nothing; without a zone, no time of day. */
export function held(alert, zone) {
  if (alert.shelved_until) return zone === undefined ? say("alert.shelved.now") : say("alert.shelved", { at: clock(alert.shelved_until, zone) });
  return alert.inhibited_by ? say("alert.inhibited", { cause: ruleName(alert.inhibited_by) }) : "";
}

/** Return what people call a quantity; a limit without its quantity is a limit. */
function evidenceName(name, stem) {
  if (knows(`evidence.${name}`)) return say(`evidence.${name}`);
  return name.includes("limit") ? say("evidence.limit") : stem.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());
}

/** Return what happened, and to whom an alert was assigned. */
function told({ kind, to }) {
  if (kind !== "assigned") return sayFirst(`story.${kind}`, kind);
  return to ? say("story.assigned.to", { name: to }) : say("story.assigned.nobody");
}

/** Read an alert with its story, and its lift. */
export async function readAlert(id) {
  const alert = await get(`/api/v1/alerts/${encodeURIComponent(id)}`);
  const lift = await get(`/api/v1/lifts/${encodeURIComponent(alert.lift_id)}`).catch(() => ({ lift_id: alert.lift_id, name: null, facts: null, latest: null }));
  return [alert, lift];
}
