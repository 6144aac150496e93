// The page of the map: lifts as points, the most urgent lifts as a list beside them, filters in the address.
//
//   GET /api/v1/map ─► points ─┬─► map          live events change points, at most once a second
//   GET /api/v1/lifts ─────────┴─► list

import "./shell.js";
import { get } from "./api.js";
import { fillDistricts } from "./districts.js";
import { el, placeholder, setText, symbol } from "./element.js";
import { liftInfo } from "./lift_names.js";
import { followLive } from "./live_connection.js";
import { MapCanvas } from "./map_canvas.js";
import { SEVERITIES, shape, stateRank, severityRank } from "./severity.js";
import { timeNode } from "./time.js";
import { liftName, ruleName, translate } from "./translations.js";

const PAGE = 50, DRAW_EVERY_MS = 1000, READ_AFTER_MS = 2000, SEARCH_MS = 300;
const FILTERS = ["q", "state", "district", "firm"];
const SYMBOLS = ["critical", "major", "minor", "trend", "blind", "unknown", "held", "normal"]; // By rank.

const at = (id) => document.getElementById(id), form = at("tools");
const points = new Map();
let map = null, outlines = null, counts = null, items = [], next = null, asked = 0, due = 0, rereading = 0;

const filters = () => Object.fromEntries([...new URL(location.href).searchParams].filter(([name, value]) => FILTERS.includes(name) && value));

/** Return the symbol of a point: that of its lift or of its incident, the more severe of the two. */
function symbolOf({ state, severity }) {
  const own = shape(state), isSevere = SEVERITIES.includes(own);
  return severity && (!isSevere || severityRank(severity) < severityRank(own)) ? severity : own;
}

// --- loading

async function readAll() {
  const mine = (asked += 1), chosen = filters();
  try {
    const [found, page, fleet] = await Promise.all([get("/api/v1/map", chosen), get("/api/v1/lifts", { ...chosen, limit: PAGE }), get("/api/v1/fleet")]);
    if (mine !== asked) return;
    points.clear();
    for (const { geometry, properties } of found.features) points.set(properties.lift_id, { ...properties, coordinates: geometry.coordinates });
    [counts, items, next] = [found, page.items, page.next];
    await showMap();
    fillDistricts(form.elements.district, Object.keys(fleet.districts), chosen.district ?? "");
    showList();
  } catch (problem) {
    if (mine === asked) showFailure(problem);
    throw problem;
  }
}

async function readMore() {
  const page = await get("/api/v1/lifts", { ...filters(), limit: PAGE, cursor: next });
  [items, next] = [[...items, ...page.items], page.next];
  showList();
}

async function showMap() {
  if (!outlines) {
    outlines = await get("/api/v1/map/districts");
    map = makeMap();
  }
  drawPoints();
}

/** Return the map; null where the browser cannot draw one, the list has everything too. */
function makeMap() {
  try {
    return new MapCanvas(at("map"), { outlines, symbols: SYMBOLS, open: (lift_id) => location.assign(addressOf(lift_id)), openPlace: showPlace, hover: showHovered, failed: () => showNote(translate("map.tiles-failed")) });
  } catch (error) {
    showNote(translate("map.no-drawing"));
    return null;
  }
}

// --- live

function onLift(lift) {
  const point = points.get(lift.lift_id), i = items.findIndex(({ lift_id }) => lift_id === lift.lift_id);
  if (i >= 0) items[i] = lift;
  if (point && point.state === lift.state) return;
  if (point && !filters().state) {
    point.state = lift.state;
    later();
  } else if (point || lift.lat !== null) reread();
}

function onIncident(incident) {
  const point = points.get(incident.lift_id);
  if (!point) return;
  if (incident.state === "open") Object.assign(point, { incident: incident.id, kind: incident.kind, severity: incident.severity });
  else if (point.incident === incident.id) Object.assign(point, { incident: null, kind: null, severity: null });
  later();
}

/** Draw the points soon, at most once a second. */
function later() {
  due ||= setTimeout(() => {
    due = 0;
    drawPoints();
    if (!isListBusy()) showList();
    reread();
  }, DRAW_EVERY_MS);
}

const isListBusy = () => at("list").matches(":hover, :focus-within");

/** Read everything again soon: another lift belongs to the filters, or the order of the list has changed. */
function reread() {
  rereading ||= setTimeout(() => {
    rereading = 0;
    if (isListBusy()) reread(); // What is under the pointer stays there.
    else readAll().catch(() => {});
  }, READ_AFTER_MS);
}

// --- rendering

function drawPoints() {
  const features = Array.from(points.values(), (point) => ({ type: "Feature", geometry: { type: "Point", coordinates: point.coordinates }, properties: { lift_id: point.lift_id, rank: SYMBOLS.indexOf(symbolOf(point)) } }));
  const isUrgent = ({ properties }) => properties.rank === 0, collection = (chosen) => ({ type: "FeatureCollection", features: chosen });
  map?.show(collection(features.filter((one) => !isUrgent(one))), collection(features.filter(isUrgent)));
  const unplaced = items.filter((lift) => lift.state === "critical" && !points.has(lift.lift_id)).length, n = features.filter(isUrgent).length + unplaced;
  setText(at("headline"), n ? translate("fleet.critical", { n }) : translate("map.quiet"));
  setText(at("subline"), [translate("map.shown", { n: points.size }), counts.without_coordinates ? translate("map.unplaced", { n: counts.without_coordinates }) : "", counts.left_out ? translate("map.left-out", { n: counts.left_out }) : ""].filter(Boolean).join(" · "));
}

/** Return the address of a lift's open incident, else that of the lift. */
function addressOf(lift_id) {
  const incident = points.get(lift_id)?.incident;
  return incident ? `/incidents/${encodeURIComponent(incident)}` : `/lifts/${encodeURIComponent(lift_id)}`;
}

function stateText(lift) {
  const point = points.get(lift.lift_id), kind = point?.kind ? translate(`incident.${point.kind}`) : lift.worst_rule && ruleName(lift.worst_rule);
  const state = point && symbolOf(point) !== shape(point.state) ? translate(`severity.${point.severity}`) : translate(`state.${lift.state}`);
  return [state, kind].filter(Boolean).join(" · ");
}

function liftLink(lift) {
  const point = points.get(lift.lift_id) ?? lift;
  return el("a", { href: addressOf(lift.lift_id) }, symbol(symbolOf(point)), el("b", {}, liftName(lift)), el("small", {}, stateText(lift), lift.since ? " · " : null, lift.since ? timeNode(lift.since, { zone: lift.timezone, as: "rough" }) : null));
}

function listEntry(lift) {
  const point = points.get(lift.lift_id), label = translate("map.show", { lift: liftName(lift) });
  const show = point ? el("button", { type: "button", class: "quiet", "aria-label": label, title: label, click: () => map?.goTo(point.coordinates) }, symbol("place")) : el("span", {}, translate("map.no-place"));
  return el("li", {}, liftLink(lift), show);
}

/** Return the lifts of the list: those with a critical incident first, also where the pages read so far have not got them. */
function listed() {
  const isUrgent = (lift) => symbolOf(points.get(lift.lift_id) ?? lift) === "critical", read = new Set(items.map(({ lift_id }) => lift_id));
  const others = [...points.values()].filter((point) => isUrgent(point) && !read.has(point.lift_id)).slice(0, PAGE);
  const lifts = [...others.map((point) => ({ ...liftInfo(point.lift_id, () => isListBusy() || showList()), state: point.state })), ...items];
  return [...lifts.filter(isUrgent), ...lifts.filter((lift) => !isUrgent(lift))];
}

function showList() {
  const list = at("list"), lifts = listed();
  list.removeAttribute("aria-busy");
  list.replaceChildren(...(lifts.length ? lifts.map(listEntry) : [el("li", { class: "plate" }, placeholder(translate("fleet.empty"), translate("fleet.empty.more")))]));
  at("more").hidden = !next;
  at("clear").hidden = Object.keys(filters()).length === 0;
}

function showFailure(problem) {
  setText(at("headline"), translate("fleet.failed"));
  setText(at("subline"), problem.message || translate("error.network.more"));
}

function showNote(sentence) {
  at("map-failed").hidden = false;
  setText(at("map-failed"), sentence);
}

function showHovered(lift_id, count = 0) {
  const box = at("hovered"), lift = lift_id && (items.find((one) => one.lift_id === lift_id) ?? liftInfo(lift_id, () => box.dataset.lift === lift_id && showHovered(lift_id)));
  box.hidden = !lift && !count;
  box.dataset.lift = lift_id ?? "";
  setText(box, lift ? `${liftName(lift)} · ${translate(`state.${points.get(lift_id)?.state ?? "normal"}`)}` : translate("map.shown", { n: count }));
}

/** List the lifts that stand at one place. */
function showPlace(lift_ids) {
  const dialog = at("place"), draw = () => dialog.querySelector("ul").replaceChildren(...lift_ids.map((lift_id) => el("li", {}, liftLink({ ...points.get(lift_id), ...(items.find((one) => one.lift_id === lift_id) ?? liftInfo(lift_id, draw)), state: points.get(lift_id)?.state ?? "normal" }))));
  setText(at("place-title"), translate("map.place", { n: lift_ids.length }));
  draw();
  if (!dialog.open) dialog.showModal();
}

// --- filters, kept in the address

function fillForm() {
  const chosen = filters();
  for (const name of ["q", "state", "district"]) if (document.activeElement !== form.elements[name]) form.elements[name].value = chosen[name] ?? "";
}

function choose(change) {
  const here = new URL(location.href);
  for (const [name, value] of Object.entries(change)) value ? here.searchParams.set(name, value) : here.searchParams.delete(name);
  history.pushState(null, "", here);
  if (map) map.fitted = false;
  readAll().catch(() => {});
}

let typing = 0;
for (const name of ["q", "state", "district"]) {
  form.elements[name].addEventListener(name === "q" ? "input" : "change", ({ target }) => {
    clearTimeout(typing);
    typing = setTimeout(() => choose({ [name]: target.value.trim() }), name === "q" ? SEARCH_MS : 0);
  });
}
form.addEventListener("submit", (event) => event.preventDefault());
addEventListener("popstate", () => { fillForm(); readAll().catch(() => {}); });
at("more").addEventListener("click", () => readMore().catch(() => {}));
for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => map?.zoom(button.dataset.zoom));
fillDistricts(form.elements.district, [], filters().district ?? ""); // That of the address: the others follow.
fillForm();
followLive({}, { catchUp: readAll, on: { lift: onLift, incident: onIncident } });
