// Ride quality of trips beside the limits of GB/T 10058: values, limits and verdicts in words.

import { el, symbol } from "./element.js";
import { fixed } from "./units.js";
import { translate } from "./translations.js";

const ACCELERATION = "m/s²";
/** The quantities of a report: name, unit, and how the value is read from a trip. */
export const QUANTITIES = [
  ["peak_speed_mps", "m/s"], ["accel_mps2", ACCELERATION], ["decel_mps2", ACCELERATION], ["accel_a95_mps2", ACCELERATION], ["decel_a95_mps2", ACCELERATION],
  ["jerk_mps3", "m/s³"], ["pp_x_mps2", ACCELERATION], ["a95_x_mps2", ACCELERATION], ["pp_y_mps2", ACCELERATION], ["a95_y_mps2", ACCELERATION],
  ["pp_z_mps2", ACCELERATION], ["a95_z_mps2", ACCELERATION], ["stop_error_m", "mm"], ["door_open_s", "s"], ["door_close_s", "s"],
];
const LENGTHS = ["stop_error_m"]; // shown in millimetres

/** Return the value of a quantity, as it is compared with its limit; null where it is not measured. */
export function valueOf(trip, name) {
  const value = name in trip ? trip[name] : trip.ride_quality?.[name];
  return value === null || value === undefined ? null : Math.abs(value);
}

/** Return a value as text without its unit. */
export function shown(name, value) {
  if (LENGTHS.includes(name)) return fixed(1000 * value, 1);
  return fixed(value, name.endsWith("_s") ? 1 : name.startsWith("pp_") || name.startsWith("a95_") ? 3 : 2);
}

/** Return a limit as text, "–" where the quantity has none. */
export function limitText(name, unit, limit) {
  if (!limit) return "–";
  return limit.most === null ? translate("ride.least", { value: `${shown(name, limit.least)} ${unit}` }) : translate("ride.most", { value: `${shown(name, limit.most)} ${unit}` });
}

/** Return whether a value is beyond its limit. */
export const isBeyond = (value, limit) => Boolean(limit) && value !== null && (limit.most === null ? value < limit.least : value > limit.most);

/** Return the worst of some values: the least where the limit is a least one, else the greatest. */
export const worst = (values, limit) => (limit && limit.most === null ? Math.min(...values) : Math.max(...values));

/** Return a cell with a verdict in words; only a value beyond its limit is marked. */
export function verdictCell(text, kind) {
  return el("td", { class: kind }, kind === "beyond" ? symbol("minor") : "", text);
}

function verdict(values, limit) {
  if (values.length === 0) return verdictCell(translate("ride.unmeasured"), "unmeasured");
  if (!limit) return verdictCell(translate("ride.nolimit"), "unmeasured");
  const beyond = values.filter((value) => isBeyond(value, limit)).length;
  if (beyond === 0) return verdictCell(translate("ride.within"), "");
  return verdictCell(values.length === 1 ? translate("ride.beyond") : translate("ride.beyond.of", { n: beyond, of: values.length }), "beyond");
}

/** Return the table of quantities over some trips: the worst value, the limit and a verdict in words. */
export function quantityTable(trips, limits) {
  const rows = QUANTITIES.map(([name, unit]) => {
    const limit = limits[name], values = trips.map((trip) => valueOf(trip, name)).filter((value) => value !== null);
    return el("tr", {}, el("th", { scope: "row" }, translate(`ride.q.${name}`)),
      el("td", { class: "number" }, values.length ? `${shown(name, worst(values, limit))} ${unit}` : "–"),
      el("td", { class: "number" }, limitText(name, unit, limit)), verdict(values, limit));
  });
  const heads = [["quantity", ""], [trips.length > 1 ? "worst" : "value", "number"], ["limit", "number"], ["verdict", ""]];
  return el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": translate("ride.limits") }, el("table", { class: "quality-table" },
    el("thead", {}, el("tr", {}, ...heads.map(([name, kind]) => el("th", { scope: "col", class: kind }, translate(`ride.h.${name}`))))), el("tbody", {}, ...rows)));
}

/** Return the class of load of a trip in words. */
export const loadText = (trip) => (trip.load_class === null ? translate("ride.load.unknown") : translate(`ride.load.${trip.load_class}`));

const BOUNDARIES_IN_TIME = [0, 1, 4, 5, 2, 6, 3];

/** Return the table of the boundaries of a trip in the order of time; null where none was measured. */
export function boundaryTable(trip) {
  if (trip.boundaries_s.every((at_s) => at_s === null)) return null;
  const rows = BOUNDARIES_IN_TIME.map((number) => el("tr", {}, el("th", { scope: "row" }, `${number} · ${translate(`ride.b.${number}`)}`),
    el("td", { class: "number" }, trip.boundaries_s[number] === null ? "–" : `${fixed(trip.boundaries_s[number], 1)} s`)));
  const heads = [["boundary", ""], ["after", "number"]].map(([name, kind]) => el("th", { scope: "col", class: kind }, translate(`ride.h.${name}`)));
  return el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": translate("ride.h.boundary") }, el("table", { class: "quality-table" }, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows)));
}

/** Return whether anything but the speed of the trip was measured. */
export const isMeasured = (trip) => trip.ride_quality !== null || trip.stop_error_m !== null || trip.door_open_s !== null;

/** Return a sentence about some trips: how many quantities keep to their limits, and which were not measured. */
export function verdictSentence(trips, limits) {
  const measured = trips.filter((trip) => trip.ride_quality !== null).length;
  if (trips.length === 0) return translate("ride.none");
  const beyond = QUANTITIES.filter(([name]) => trips.some((trip) => isBeyond(valueOf(trip, name), limits[name]))).map(([name]) => translate(`ride.q.${name}`));
  const kept = beyond.length ? translate("ride.some.beyond", { quantities: beyond.join(translate("shell.comma")) }) : translate("ride.all.within");
  if (measured === 0) return `${kept} ${translate("ride.novibration")}`;
  return trips.length === 1 ? kept : `${kept} ${translate("ride.measured", { n: measured, of: trips.length })}`;
}
