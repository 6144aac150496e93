// The report of a lift's ride quality: its last trips, each value beside its limit; it prints.

import "./shell.js";
import { get } from "./api.js";
import { el } from "./element.js";
import { setPageZone, shortStamp, stamp } from "./time.js";
import { translate } from "./translations.js";
import { isBeyond, limitText, loadText, quantityTable, shown, valueOf, verdictCell, verdictSentence } from "./ride_quality.js";

const { lift, zone } = document.body.dataset, BACK_DAYS = 90, PAGES_MOST = 91;
const at = (id) => document.getElementById(id);
const COLUMNS = [["peak_speed_mps", "m/s"], ["accel_mps2", "m/s²"], ["jerk_mps3", "m/s³"], ["pp_x_mps2", "m/s²"], ["pp_y_mps2", "m/s²"], ["pp_z_mps2", "m/s²"], ["stop_error_m", "mm"], ["door_open_s", "s"], ["door_close_s", "s"]];
if (zone) setPageZone(zone);

/** Return the last trips and the limits; a page of the answer covers at most a day. */
async function read(count) {
  const to = new Date(), from = new Date(to - BACK_DAYS * 86_400_000), trips = [];
  let cursor = "", limits = {};
  for (let page = 0; page < PAGES_MOST && cursor !== null && trips.length < count; page += 1) {
    const answer = await get(`/api/v1/lifts/${encodeURIComponent(lift)}/trips`, { from: from.toISOString(), to: to.toISOString(), limit: count - trips.length, cursor });
    trips.push(...answer.items);
    ({ limits, next: cursor } = answer);
  }
  return { trips, limits };
}

function cell(trip, [name], limits) {
  const value = valueOf(trip, name);
  if (value === null) return el("td", { class: "number unmeasured" }, "–");
  if (!isBeyond(value, limits[name])) return el("td", { class: "number" }, shown(name, value));
  const marked = verdictCell(`${shown(name, value)} ${translate("ride.beyond.short")}`, "beyond");
  marked.classList.add("number");
  return marked;
}

function tripTable(trips, limits) {
  const heads = [["when", ""], ["floors", ""], ["load", ""]].map(([name]) => el("th", { scope: "col" }, translate(`trip.${name}`)));
  const columns = COLUMNS.map(([name, unit]) => el("th", { scope: "col", class: "number" }, `${translate(`ride.s.${name}`)} (${unit})`, limits[name] ? el("small", {}, ` ${limitText(name, unit, limits[name])}`) : ""));
  const rows = trips.map((trip) => el("tr", {}, el("td", {}, el("time", { datetime: trip.start, title: stamp(trip.start, zone) }, shortStamp(trip.start, zone))),
    el("td", {}, `${trip.from_floor ?? "–"} → ${trip.to_floor ?? "–"}`), el("td", {}, loadText(trip)), ...COLUMNS.map((column) => cell(trip, column, limits))));
  return el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": translate("lift.trips") }, el("table", { class: "quality-table" }, el("thead", {}, el("tr", {}, ...heads, ...columns)), el("tbody", {}, ...rows)));
}

async function show() {
  try {
    const { trips, limits } = await read(Number(at("choice").elements.trips.value));
    at("verdict").textContent = verdictSentence(trips, limits);
    at("limits").replaceChildren(quantityTable(trips, limits));
    at("trips").replaceChildren(trips.length ? tripTable(trips, limits) : el("p", { class: "faint" }, translate("ride.none")));
  } catch (problem) {
    at("verdict").textContent = problem.message || translate("error.network");
  }
}

at("choice").addEventListener("change", show);
at("print").addEventListener("click", () => window.print());
show();
