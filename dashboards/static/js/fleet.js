// The fleet: who needs someone now? The server sorts, filters and pages; live events change what is already here.

import "./shell.js";
import { carWords, doorDrawing, setDoor, where } from "./car.js";
import { get } from "./api.js";
import { el, glow, plate, put, symbol } from "./element.js";
import { follow } from "./live.js";
import { Rows } from "./rows.js";
import { SEVERITIES, setSymbol, severityMark, urgency } from "./severity.js";
import { clock, secondsSince, setTime, span, timeNode } from "./time.js";
import { callLift, knows, ruleName, say } from "./words.js";

const PAGE = 200, PAGE_MOST = 1000;
const NO_TIME = "9";
const TYPING_MS = 250, COUNTS_AFTER_MS = 500, COUNTS_EVERY_MS = 5000;
const STALLED_S = 15; // The monitor writes each second.
const OLD_S = 60; // A heartbeat: past it a reading is shown as old.
const SILENT = ["offline", "suspect", "never-seen"];
const FILTERS = ["state", "q", "district", "firm", "sort"];

const address = new URL(location.href);
const filters = Object.fromEntries(FILTERS.map((name) => [name, address.searchParams.get(name) ?? ""]));
const byId = new Map();
let items = [], next = null, fleet = null, reading = null, question = 0, moved = false, countsDue = 0, refusal = null;

const at = (id) => document.getElementById(id);
const rows = new Rows(at("rows"), { make: makeRow, fill: fillRow, wanted: (index) => next && readMore(index) });

// --- reading

async function readAll() {
  await Promise.all([readFleet(), readFirst()]);
}

async function readFleet() {
  fleet = await get("/api/v1/fleet");
  showCounts();
  if (!at("rows").hasAttribute("aria-busy")) showRows();
  await showHeadline();
}

async function readFirst() {
  const mine = (question += 1);
  try {
    const page = await get("/api/v1/lifts", { ...filters, limit: PAGE });
    if (mine !== question) return;
    byId.clear();
    [items, next, refusal, moved] = [[], page.next, null, false];
    take(page.items);
  } catch (problem) {
    if (mine === question) [items, next, refusal] = [[], null, problem];
    throw problem;
  } finally {
    at("rows").removeAttribute("aria-busy");
    showRows();
  }
}

/** Read on, in larger pages where someone jumped far ahead. */
async function readMore(index) {
  if (reading) return;
  const mine = question, limit = Math.min(PAGE_MOST, Math.max(PAGE, index - items.length));
  reading = get("/api/v1/lifts", { ...filters, limit, cursor: next });
  try {
    const page = await reading;
    if (mine === question) {
      next = page.next;
      take(page.items);
    }
  } catch (problem) {
    if (mine === question) next = null;
  } finally {
    reading = null;
    showRows();
  }
}

function take(page) {
  for (const lift of page) {
    if (!byId.has(lift.lift_id)) items.push(lift);
    byId.set(lift.lift_id, lift);
  }
}

// --- live

function onLift(lift) {
  const before = byId.get(lift.lift_id);
  if (!before && !fits(lift)) return;
  if (before && before.state === lift.state && SEVERITIES.every((s) => before.open_alerts[s] === lift.open_alerts[s])) {
    Object.assign(before, lift);
    rows.later();
    return;
  }
  if (before) Object.assign(before, lift);
  else take([lift]);
  byId.get(lift.lift_id).glows = true;
  moved = true;
  countsSoon();
  showRows();
}

/** Whether a lift that comes by belongs into the list as far as it is read. */
function fits(lift) {
  if (filters.q || filters.firm || (filters.state && filters.state !== lift.state)) return false;
  if (filters.district && filters.district !== lift.district) return false;
  return filters.sort === "" && (!next || !items.length || byUrgency(lift, items.at(-1)) < 0);
}

function byUrgency(a, b) {
  return urgency(a.state) - urgency(b.state) || (a.since ?? NO_TIME).localeCompare(b.since ?? NO_TIME) || (a.lift_id < b.lift_id ? -1 : 1);
}

const held = () => at("rows").matches(":hover, :focus-within");

/** Put the rows in order, but never under the pointer or the focus: then a button offers it. */
function order() {
  if (moved && !held()) reorder();
  const due = moved && filters.sort === "" && !inOrder();
  at("reorder").hidden = !due;
}

const inOrder = () => items.every((lift, i) => i === 0 || byUrgency(items[i - 1], lift) < 0) && items.every((lift) => !filters.state || lift.state === filters.state);

function reorder() {
  if (filters.state) for (const lift of items) if (lift.state !== filters.state) byId.delete(lift.lift_id);
  items = items.filter((lift) => byId.has(lift.lift_id));
  if (filters.sort === "") items.sort(byUrgency);
  moved = false;
}

function countsSoon() {
  if (!countsDue) countsDue = setTimeout(() => { countsDue = 0; readFleet().catch(() => {}); }, COUNTS_AFTER_MS);
}

// --- showing

function showCounts() {
  for (const chip of at("states").children) {
    const n = fleet.states[chip.dataset.state] ?? 0;
    put(chip.querySelector("b"), String(n));
    chip.classList.toggle("zero", n === 0);
    chip.setAttribute("aria-pressed", String(filters.state === chip.dataset.state));
    if (["never-seen", "inspection", "out-of-service"].includes(chip.dataset.state)) chip.hidden = n === 0 && filters.state !== chip.dataset.state;
  }
  const select = at("tools").elements.district, known = new Set(Array.from(select.options, (option) => option.value));
  for (const district of Object.keys(fleet.districts).sort()) if (!known.has(district)) select.append(el("option", { value: district }, district));
  select.value = filters.district;
}

async function showHeadline() {
  const { states, lifts } = fleet, silent = SILENT.reduce((sum, state) => sum + (states[state] ?? 0), 0);
  const worst = ["critical", "major", "minor"].find((state) => states[state]);
  const general = worst ? say(`fleet.${worst}`, { n: states[worst] }) : say(lifts && silent === lifts ? "fleet.silent" : "fleet.quiet");
  at("headline").replaceChildren(...(worst === "critical" ? await criticalHeadline(general, states.critical) : [general]));
  const stale_s = fleet.as_of ? secondsSince(fleet.as_of) : 0;
  at("subline").classList.toggle("problem", stale_s > STALLED_S);
  if (stale_s > STALLED_S) return put(at("subline"), say("fleet.stalled", { duration: span(stale_s), at: clock(fleet.as_of) }));
  const parts = [say("fleet.sub", { n: lifts.toLocaleString() })];
  if (silent) parts.push(say("fleet.sub.silent", { n: silent }));
  if (fleet.completeness.fraction !== null) parts.push(say("fleet.sub.complete", { percent: (Math.floor(1000 * fleet.completeness.fraction) / 10) }));
  return put(at("subline"), parts.join(" · "));
}

/** Return the headline where lifts are critical: the one with its time, or how many and in how many people may be trapped. */
async function criticalHeadline(general, count) {
  const { items: alerts } = await get("/api/v1/alerts", { state: "firing", severity: "critical", limit: PAGE });
  const trapped = alerts.filter((alert) => knows(`here.${alert.rule}`));
  if (count === 1 && alerts.length) return theOne(trapped[0] ?? alerts[0]);
  const n = new Set(trapped.map((alert) => alert.lift_id)).size;
  return [n ? say("fleet.trapped", { sentence: general, n }) : general];
}

/** Return one critical alert as a sentence that counts its time. */
async function theOne(alert) {
  const found = await get(`/api/v1/lifts/${encodeURIComponent(alert.lift_id)}`), lift = callLift(found);
  const place = where(found.latest, found.facts?.floors ?? [], found.facts?.door_zone_m);
  const sentence = knows(`here.${alert.rule}`) && place ? say("fleet.trapped.one", { what: say(`here.${alert.rule}`), lift, where: place }) : say("fleet.alert.one", { lift, summary: ruleName(alert.rule) });
  return [el("a", { href: `/alerts/${encodeURIComponent(alert.id)}` }, sentence), " ", timeNode(alert.onset, { as: "for" })];
}

function showRows() {
  order();
  const filtered = FILTERS.some((name) => name !== "sort" && filters[name]);
  const counted = !filters.q && !filters.district && !filters.firm && fleet ? (filters.state ? fleet.states[filters.state] : fleet.lifts) : 0;
  at("table").setAttribute("aria-rowcount", next && !counted ? -1 : (next ? counted : items.length) + 1);
  at("table").classList.toggle("has-health", items.some((lift) => lift.health !== null));
  rows.set(items, next ? Math.max(counted ?? 0, items.length + 1) : items.length);
  at("clear").hidden = !filtered;
  put(at("clear"), filters.firm ? say("fleet.only", { firm: filters.firm }) : say("fleet.clear"));
  at("table").hidden = items.length === 0;
  at("plate").hidden = items.length > 0;
  if (items.length === 0) at("plate").replaceChildren(...emptyPlate(filtered));
}

function emptyPlate(filtered) {
  if (refusal) return [plate(say("fleet.failed"), refusal.message || say("error.network.more"), el("button", { click: () => readAll().catch(() => {}) }, say("shell.again")))];
  return [filtered ? plate(say("fleet.empty"), say("fleet.empty.more"), el("button", { click: clear }, say("fleet.clear"))) : plate(say("fleet.none"), say("fleet.none.more"))];
}

// --- rows

function makeRow() {
  const cell = (name, ...children) => el("span", { role: "cell", class: `c-${name}` }, ...children);
  const row = el("div", { role: "row", class: "row live" },
    cell("state", symbol("unknown"), el("span")),
    cell("name", el("a", { href: "#" }), el("small")),
    cell("car", doorDrawing(), el("span", { class: "floor" }), arrow(), el("span", { class: "veiled" })),
    cell("trip", el("time")),
    cell("health", el("span", { class: "health" }, el("i"))),
    cell("alerts", ...SEVERITIES.map((severity) => el("span", { "data-severity": severity, hidden: true }, severityMark(severity), el("b")))),
    cell("since", el("time")), cell("firm", el("a", { href: "?" })));
  row.find = Object.fromEntries(Array.from(row.children, (child) => [child.className.slice(2), child]));
  return row;
}

function arrow() {
  const drawing = symbol("up");
  drawing.classList.add("arrow");
  return drawing;
}

function fillRow(row, lift) {
  const { state, name, car, trip, health, alerts, since, firm } = row.find;
  row.classList.toggle("abnormal", lift?.state === "critical");
  row.classList.toggle("silent", lift ? SILENT.includes(lift.state) || secondsSince(lift.last_seen) > OLD_S : false);
  if (!lift) return blank(row);
  setSymbol(state.firstChild, lift.state);
  put(state.lastChild, say(`state.${lift.state}`));
  const href = `/lifts/${encodeURIComponent(lift.lift_id)}`;
  if (name.firstChild.getAttribute("href") !== href) name.firstChild.setAttribute("href", href);
  put(name.firstChild, callLift(lift));
  name.title = lift.name ?? "";
  put(name.lastChild, [lift.lift_id, lift.registered ? lift.address ?? lift.district : say("fleet.unregistered")].filter(Boolean).join(" · "));
  fillCar(car, lift);
  setTime(trip.firstChild, lift.last_seen, { as: "calm", none: say("time.never") });
  health.title = lift.health === null ? say("shell.unknown") : `${Math.round(100 * lift.health)} %`;
  health.firstChild.firstChild.style.transform = `scaleX(${lift.health ?? 0})`;
  for (const mark of alerts.children) {
    const n = lift.open_alerts[mark.dataset.severity];
    mark.hidden = n === 0;
    put(mark.lastChild, String(n));
  }
  setTime(since.firstChild, lift.since, { as: "rough" });
  put(firm.firstChild, lift.maintenance_firm ?? "");
  firm.firstChild.href = `?${new URLSearchParams({ firm: lift.maintenance_firm ?? "" })}`;
  if (lift.glows) glow(row);
  lift.glows = false;
}

function fillCar(car, lift) {
  const [door, floor, direction, words] = car.children;
  setDoor(door, lift);
  put(floor, lift.floor === null ? "–" : say("car.floor", { floor: lift.floor }));
  const moving = lift.direction === "up" || lift.direction === "down";
  if (moving) {
    direction.dataset.dir = lift.direction;
    setSymbol(direction, lift.direction);
  } else delete direction.dataset.dir;
  const said = carWords(lift);
  put(words, said);
  car.title = said;
}

function blank(row) {
  for (const node of row.querySelectorAll("a, small, time, b, .floor, .veiled")) put(node, "");
  put(row.find.state.lastChild, say("shell.reading"));
  setSymbol(row.find.state.firstChild, "unknown");
}

// --- filters, all of them in the address

function ask(change) {
  Object.assign(filters, change);
  const here = new URL(location.href);
  for (const name of FILTERS) filters[name] ? here.searchParams.set(name, filters[name]) : here.searchParams.delete(name);
  history.replaceState(null, "", here);
  if (fleet) showCounts();
  scrollTo({ top: 0 });
  readFirst().catch(() => {});
}

function clear() {
  at("tools").reset();
  ask({ state: "", q: "", district: "", firm: "" });
}

for (const chip of at("states").children) {
  chip.addEventListener("click", () => ask({ state: filters.state === chip.dataset.state ? "" : chip.dataset.state }));
}
const { q, district, sort } = at("tools").elements;
let typing = 0;
q.value = filters.q;
sort.value = filters.sort;
q.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => ask({ q: q.value.trim() }), TYPING_MS);
});
district.addEventListener("change", () => ask({ district: district.value }));
sort.addEventListener("change", () => ask({ sort: sort.value }));
at("tools").addEventListener("submit", (event) => event.preventDefault());
at("clear").addEventListener("click", (event) => { event.preventDefault(); clear(); });
put(at("reorder"), say("fleet.reorder"));
at("reorder").addEventListener("click", () => { reorder(); showRows(); });
for (const event of ["pointerleave", "focusout"]) at("rows").addEventListener(event, () => setTimeout(showRows, 100));

setInterval(() => { if (!document.hidden) { countsSoon(); rows.later(); } }, COUNTS_EVERY_MS);
follow({}, { catchUp: readAll, on: { lift: onLift, alert: countsSoon } });
