// The fleet page. The server sorts, filters and paginates; live events update the rows already loaded.

import "./shell.js";
import { get } from "./api.js";
import { fillDistricts } from "./districts.js";
import { el, placeholder, setText } from "./element.js";
import { showGrades } from "./grades.js";
import { showHeadline } from "./headline.js";
import { fillRow, makeRow } from "./lift_row.js";
import { followLive } from "./live_connection.js";
import { VirtualList } from "./virtual_list.js";
import { SEVERITIES, stateRank } from "./severity.js";
import { nameInLanguage, translate } from "./translations.js";

const PAGE = 200, PAGE_MOST = 1000;
const NO_TIME = "9";
const TYPING_MS = 250, COUNTS_AFTER_MS = 500, COUNTS_EVERY_MS = 5000;
const FILTERS = ["state", "grade", "q", "district", "firm", "sort"];

const address = new URL(location.href);
const filters = Object.fromEntries(FILTERS.map((name) => [name, address.searchParams.get(name) ?? ""]));
const byId = new Map();
let items = [], next = null, fleet = null, reading = null, question = 0, moved = false, countsDue = 0, refusal = null;

const at = (id) => document.getElementById(id);
const rows = new VirtualList(at("rows"), { make: makeRow, fill: fillRow, wanted: (index) => next && readMore(index) });

// --- loading

async function readAll() {
  await Promise.all([readFleet(), readFirst()]);
}

async function readFleet() {
  fleet = await get("/api/v1/fleet");
  showCounts();
  if (!at("rows").hasAttribute("aria-busy")) showRows();
  await showHeadline(at("headline"), at("subline"), fleet);
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

/** Load more rows, in larger pages after a jump far ahead. */
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
  if (!before && !belongsInList(lift)) return;
  if (before && before.state === lift.state && SEVERITIES.every((s) => before.open_alerts[s] === lift.open_alerts[s])) {
    Object.assign(before, lift);
    rows.later();
    return;
  }
  if (before) Object.assign(before, lift);
  else take([lift]);
  byId.get(lift.lift_id).glows = true;
  moved = true;
  scheduleCounts();
  showRows();
}

/** Return whether a lift from the live stream belongs into the loaded part of the list. */
function belongsInList(lift) {
  if (filters.q || filters.firm || (filters.grade && filters.grade !== (lift.grade ?? "unknown")) || (filters.state && filters.state !== lift.state)) return false;
  if (filters.district && filters.district !== lift.district) return false;
  return filters.sort === "" && (!next || !items.length || compareUrgency(lift, items.at(-1)) < 0);
}

function compareUrgency(a, b) {
  return stateRank(a.state) - stateRank(b.state) || (a.since ?? NO_TIME).localeCompare(b.since ?? NO_TIME) || (a.lift_id < b.lift_id ? -1 : 1);
}

const isListBusy = () => at("rows").matches(":hover, :focus-within");

/** Sort the rows, but not under the pointer or the focus: then a button offers to sort. */
function order() {
  if (moved && !isListBusy()) reorder();
  const due = moved && filters.sort === "" && !inOrder();
  at("reorder").hidden = !due;
}

const inOrder = () => items.every((lift, i) => i === 0 || compareUrgency(items[i - 1], lift) < 0) && items.every((lift) => !filters.state || lift.state === filters.state);

function reorder() {
  if (filters.state) for (const lift of items) if (lift.state !== filters.state) byId.delete(lift.lift_id);
  items = items.filter((lift) => byId.has(lift.lift_id));
  if (filters.sort === "") items.sort(compareUrgency);
  moved = false;
}

function scheduleCounts() {
  if (!countsDue) countsDue = setTimeout(() => { countsDue = 0; readFleet().catch(() => {}); }, COUNTS_AFTER_MS);
}

// --- rendering

function showCounts() {
  for (const chip of at("states").children) {
    const n = fleet.states[chip.dataset.state] ?? 0;
    setText(chip.querySelector("b"), String(n));
    chip.classList.toggle("zero", n === 0);
    chip.setAttribute("aria-pressed", String(filters.state === chip.dataset.state));
    if (["never-seen", "blind", "inspection", "out-of-service"].includes(chip.dataset.state)) chip.hidden = n === 0 && filters.state !== chip.dataset.state;
  }
  showGrades(at("grades"), fleet.health, filters.grade);
  fillDistricts(at("tools").elements.district, Object.keys(fleet.districts), filters.district);
}

function showRows() {
  order();
  const filtered = FILTERS.some((name) => name !== "sort" && filters[name]);
  const counted = !filters.q && !filters.grade && !filters.district && !filters.firm && fleet ? (filters.state ? fleet.states[filters.state] : fleet.lifts) : 0;
  at("table").setAttribute("aria-rowcount", next && !counted ? -1 : (next ? counted : items.length) + 1);
  at("table").classList.toggle("has-health", items.some((lift) => lift.health !== null));
  rows.set(items, next ? Math.max(counted ?? 0, items.length + 1) : items.length);
  at("clear").hidden = !filtered;
  setText(at("clear"), filters.firm ? translate("fleet.only", { firm: nameInLanguage(filters.firm) }) : translate("fleet.clear"));
  at("table").hidden = items.length === 0;
  at("sheets").href = `/code-sheets?${new URLSearchParams(Object.entries(filters).filter(([name, value]) => value && name !== "sort"))}`;
  at("plate").hidden = items.length > 0;
  if (items.length === 0) at("plate").replaceChildren(...emptyPlaceholder(filtered));
}

function emptyPlaceholder(filtered) {
  if (refusal) return [placeholder(translate("fleet.failed"), refusal.message || translate("error.network.more"), el("button", { click: () => readAll().catch(() => {}) }, translate("shell.again")))];
  return [filtered ? placeholder(translate("fleet.empty"), translate("fleet.empty.more"), el("button", { click: clear }, translate("fleet.clear"))) : placeholder(translate("fleet.none"), translate("fleet.none.more"))];
}

// --- filters, kept in the URL

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
  ask({ state: "", grade: "", q: "", district: "", firm: "" });
}

for (const chip of at("states").children) {
  chip.addEventListener("click", () => ask({ state: filters.state === chip.dataset.state ? "" : chip.dataset.state }));
}
for (const chip of at("grades").querySelectorAll("button")) {
  chip.addEventListener("click", () => ask({ grade: filters.grade === chip.dataset.grade ? "" : chip.dataset.grade }));
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
setText(at("reorder"), translate("fleet.reorder"));
at("reorder").addEventListener("click", () => { reorder(); showRows(); });
for (const event of ["pointerleave", "focusout"]) at("rows").addEventListener(event, () => setTimeout(showRows, 100));

setInterval(() => { if (!document.hidden) { scheduleCounts(); rows.later(); } }, COUNTS_EVERY_MS);
followLive({}, { catchUp: readAll, on: { lift: onLift, alert: scheduleCounts, incident: scheduleCounts } });
