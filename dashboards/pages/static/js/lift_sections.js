// The sections below the charts: open alerts, trips, facts of the lift, history.

import { el, symbol } from "./element.js";
import { boundaryTable, isMeasured, loadText, quantityTable, verdictSentence } from "./ride_quality.js";
import { SILENT_FACTS, UNITS, fixed } from "./units.js";
import { shortStamp, span, stamp, timeNode } from "./time.js";
import { districtName, hasTranslation, nameInLanguage, ruleName, translate, alertStatus, summary } from "./translations.js";

/** Return an alert as a line that links to the alert. */
function alertLine(alert, { zone, when }) {
  return el("li", {}, el("a", { href: `/alerts/${encodeURIComponent(alert.id)}` }, symbol(alert.severity),
    el("span", {}, el("span", { class: "veiled" }, `${translate(`severity.${alert.severity}`)}: `), summary(alert)),
    when === "for" ? timeNode(alert.onset, { zone, as: "for" }) : el("time", { datetime: alert.onset, title: stamp(alert.onset, zone) }, shortStamp(alert.onset, zone)),
    el("small", {}, alertStatus(alert).join(" · "))));
}

export function showAlerts(box, alerts, { facts }) {
  if (alerts.length === 0) return box.replaceChildren(el("p", { class: "faint" }, translate("lift.noopen")));
  return box.replaceChildren(el("ul", { class: "alerts" }, ...alerts.map((alert) => alertLine(alert, { zone: facts?.timezone, when: "for" }))));
}

export function showHistory(box, alerts, { facts }) {
  if (alerts.length === 0) return box.replaceChildren(el("p", { class: "faint" }, translate("lift.nohistory")));
  return box.replaceChildren(el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": translate("lift.history") }, el("ul", { class: "alerts" }, ...alerts.map((alert) => alertLine(alert, { zone: facts?.timezone })))));
}

export function showTrips(box, trips, { facts }, within_s) {
  if (trips.length === 0) return box.replaceChildren(el("p", { class: "faint" }, translate("lift.notrips", { duration: span(within_s) })));
  const heads = [["when"], ["floors"], ["took", "number"], ["distance", "number wide"], ["peak", "number"], ["load", "wide"]];
  const rows = trips.map((trip) => el("tr", {},
    el("td", {}, el("time", { datetime: trip.start, title: stamp(trip.start, facts?.timezone) }, shortStamp(trip.start, facts?.timezone))),
    el("td", {}, `${trip.from_floor ?? "–"} → ${trip.to_floor ?? "–"}`),
    el("td", { class: "number" }, span((Date.parse(trip.stop) - Date.parse(trip.start)) / 1000)),
    el("td", { class: "number wide" }, trip.distance_m === null ? "–" : `${fixed(Math.abs(trip.distance_m))} m`),
    el("td", { class: "number" }, trip.peak_speed_mps === null ? "–" : `${fixed(trip.peak_speed_mps)} m/s`),
    el("td", { class: "wide" }, loadText(trip))));
  return box.replaceChildren(el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": translate("lift.trips") },
    el("table", {}, el("thead", {}, el("tr", {}, ...heads.map(([name, kind]) => el("th", { scope: "col", class: kind }, translate(`trip.${name}`))))), el("tbody", {}, ...rows))));
}

/** Show the last trip of which more than the speed was measured, each value beside its limit. */
export function showQuality(box, trips, limits, { facts }) {
  const trip = trips.find((one) => one.ride_quality !== null) ?? trips.find(isMeasured);
  if (!trip) return box.replaceChildren(el("p", { class: "faint" }, translate("ride.none")));
  const when = el("p", {}, `${shortStamp(trip.start, facts?.timezone)}, ${trip.from_floor ?? "–"} → ${trip.to_floor ?? "–"}, ${loadText(trip)}. ${verdictSentence([trip], limits)}`);
  return box.replaceChildren(...[when, quantityTable([trip], limits), boundaryTable(trip)].filter(Boolean));
}

export function showFacts(box, lift) {
  const { facts, messages, not_judged } = lift, pairs = [];
  for (const [name, value] of Object.entries(facts ?? {})) if (value !== null && !SILENT_FACTS.includes(name)) pairs.push([translate(`fact.${name}`), factText(name, value)]);
  if (messages) pairs.push([translate("fact.messages"), translate("fact.messages.value", messages)]);
  const parts = [el("dl", { class: "facts" }, ...pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))))];
  if (!facts) parts.unshift(el("p", { class: "problem" }, translate("lift.nofacts")));
  if (not_judged.length) {
    const why = (missing) => missing.length ? translate("lift.needs", { facts: missing.map(need).join(translate("shell.comma")) }) : translate("lift.setaside");
    const needs = ({ rule, missing }) => `${ruleName(rule)}${translate("shell.colon")}${why(missing)}`;
    parts.push(el("div", { class: "notjudged" }, el("h3", {}, translate("lift.notjudged")), el("ul", {}, ...not_judged.map((each) => el("li", {}, needs(each))))));
  }
  box.replaceChildren(...parts);
}

function need(fact) {
  const key = [`need.${fact}`, `fact.${fact}`].find(hasTranslation);
  return key ? translate(key) : fact;
}

function factText(name, value) {
  if (name === "floors") return value.length ? `${value.length} (${value[0].label} … ${value.at(-1).label})` : translate("shell.none");
  if (name === "emergency_phone") return el("a", { href: `tel:${value.replaceAll(" ", "")}` }, value);
  if (typeof value === "boolean") return translate(value ? "fact.yes" : "fact.no");
  const unit = UNITS.find(([ending]) => name.endsWith(ending))?.[1];
  return unit ? `${value} ${unit}` : hasTranslation(`fact.${value}`) ? translate(`fact.${value}`) : nameInLanguage(name === "district" ? districtName(value) : String(value));
}
