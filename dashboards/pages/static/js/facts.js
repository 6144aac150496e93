// What stands below the charts: open alerts, trips, the lift's own facts, history.

import { el, symbol } from "./element.js";
import { SILENT_FACTS, UNITS, fixed } from "./units.js";
import { shortStamp, span, stamp, timeNode } from "./time.js";
import { knows, ruleName, say, standing, summary } from "./words.js";

/** Return an alert as a line that leads to it. */
function alertLine(alert, { zone, when }) {
  return el("li", {}, el("a", { href: `/alerts/${encodeURIComponent(alert.id)}` }, symbol(alert.severity),
    el("span", {}, el("span", { class: "veiled" }, `${say(`severity.${alert.severity}`)}: `), summary(alert)),
    when === "for" ? timeNode(alert.onset, { zone, as: "for" }) : el("time", { datetime: alert.onset, title: stamp(alert.onset, zone) }, shortStamp(alert.onset, zone)),
    el("small", {}, standing(alert).join(" · "))));
}

export function showAlerts(box, alerts, { facts }) {
  if (alerts.length === 0) return box.replaceChildren(el("p", { class: "faint" }, say("lift.noopen")));
  return box.replaceChildren(el("ul", { class: "alerts" }, ...alerts.map((alert) => alertLine(alert, { zone: facts?.timezone, when: "for" }))));
}

export function showHistory(box, alerts, { facts }) {
  if (alerts.length === 0) return box.replaceChildren(el("p", { class: "faint" }, say("lift.nohistory")));
  return box.replaceChildren(el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": say("lift.history") }, el("ul", { class: "alerts" }, ...alerts.map((alert) => alertLine(alert, { zone: facts?.timezone })))));
}

export function showTrips(box, trips, { facts }, within_s) {
  if (trips.length === 0) return box.replaceChildren(el("p", { class: "faint" }, say("lift.notrips", { duration: span(within_s) })));
  const heads = [["when"], ["floors"], ["took", "number"], ["distance", "number wide"], ["peak", "number"]];
  const rows = trips.map((trip) => el("tr", {},
    el("td", {}, el("time", { datetime: trip.start, title: stamp(trip.start, facts?.timezone) }, shortStamp(trip.start, facts?.timezone))),
    el("td", {}, `${trip.from_floor ?? "–"} → ${trip.to_floor ?? "–"}`),
    el("td", { class: "number" }, span((Date.parse(trip.stop) - Date.parse(trip.start)) / 1000)),
    el("td", { class: "number wide" }, trip.distance_m === null ? "–" : `${fixed(Math.abs(trip.distance_m))} m`),
    el("td", { class: "number" }, trip.peak_speed_mps === null ? "–" : `${fixed(trip.peak_speed_mps)} m/s`)));
  return box.replaceChildren(el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": say("lift.trips") },
    el("table", {}, el("thead", {}, el("tr", {}, ...heads.map(([name, kind]) => el("th", { scope: "col", class: kind }, say(`trip.${name}`))))), el("tbody", {}, ...rows))));
}

export function showFacts(box, lift) {
  const { facts, messages, not_judged } = lift, pairs = [];
  for (const [name, value] of Object.entries(facts ?? {})) if (value !== null && !SILENT_FACTS.includes(name)) pairs.push([say(`fact.${name}`), factText(name, value)]);
  if (messages) pairs.push([say("fact.messages"), say("fact.messages.value", messages)]);
  const parts = [el("dl", { class: "facts" }, ...pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))))];
  if (!facts) parts.unshift(el("p", { class: "problem" }, say("lift.nofacts")));
  if (not_judged.length) {
    const why = (missing) => missing.length ? say("lift.needs", { facts: missing.map(need).join(say("shell.comma")) }) : say("lift.setaside");
    const needs = ({ rule, missing }) => `${ruleName(rule)}: ${why(missing)}`;
    parts.push(el("div", { class: "notjudged" }, el("h3", {}, say("lift.notjudged")), el("ul", {}, ...not_judged.map((each) => el("li", {}, needs(each))))));
  }
  box.replaceChildren(...parts);
}

function need(fact) {
  const key = [`need.${fact}`, `fact.${fact}`].find(knows);
  return key ? say(key) : fact;
}

function factText(name, value) {
  if (name === "floors") return value.length ? `${value.length} (${value[0].label} … ${value.at(-1).label})` : say("shell.none");
  if (name === "emergency_phone") return el("a", { href: `tel:${value.replaceAll(" ", "")}` }, value);
  if (typeof value === "boolean") return say(value ? "fact.yes" : "fact.no");
  const unit = UNITS.find(([ending]) => name.endsWith(ending))?.[1];
  return unit ? `${value} ${unit}` : knows(`fact.${value}`) ? say(`fact.${value}`) : String(value);
}
