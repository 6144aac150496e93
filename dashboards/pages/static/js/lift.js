// The page of one lift: its live state, and its readings around a chosen time.

import "./shell.js";
import { Problem, get, serverNow } from "./api.js";
import { carFloor } from "./car_status.js";
import { Chart } from "./charts.js";
import { el, highlight, setText } from "./element.js";
import { showBehaviour } from "./behaviour.js";
import { showHealth } from "./health.js";
import { watchCalls } from "./duty/calls_preview.js";
import { showAlerts, showFacts, showHistory, showQuality, showTrips } from "./lift_sections.js";
import { showRefusals } from "./refusals.js";
import { showFaultPanel } from "./fault_injection.js";
import { followLive } from "./live_connection.js";
import { TimeRange } from "./range.js";
import { bands, sampled } from "./series.js";
import { severityRank, setSymbol } from "./severity.js";
import { Shaft, carSentence } from "./shaft.js";
import { HEARTBEAT_S, clock, fullStamp, secondsSince, setPageZone, setTime, span, timeNode, zoneName, zoneSentence } from "./time.js";
import { fixed } from "./units.js";
import { incidentHere, lang, ruleName, translate, translateFirst } from "./translations.js";
import { MaintenancePanel } from "./maintenance.js";

const KINDS = ["speed", "position", "door", "presence", "vibration"];
const SAMPLED = { speed: "speed", position: "displacement", vibration: "vibration" };
const FOLLOW_LEAST_MS = 2000, FOLLOW_PART = 200; // A span is read anew each time it moved by a two-hundredth.
const PX_A_POINT = 1.5;
const REFUSALS_EVERY_MS = 15_000;

const lift_id = document.body.dataset.lift, base = `/api/v1/lifts/${encodeURIComponent(lift_id)}`;
const at = (id) => document.getElementById(id);
let lift = null, latest = null, history = [], shaft = null, charts = null, asked = null, due = 0, shown = null;

const works = new MaintenancePanel(at("works"), at("in-works"), `${base}/maintenance`, (found) => showLatest(found.latest));
const range = new TimeRange(() => { showRange(); readCharts(); });

// --- loading

async function readLift() {
  const [found, past] = await Promise.all([get(base), get("/api/v1/alerts", { lift_id, limit: 50 })]);
  [lift, history] = [found, past.items];
  setPageZone(lift.facts?.timezone);
  setText(at("zone"), zoneSentence(lift.facts?.timezone));
}

async function readAll() {
  await readLift();
  start();
  showLatest(lift.latest);
  showBelow();
  readTrips();
  readBehaviour();
  await readCharts();
}

async function readAlerts() {
  await readLift();
  showBelow();
  redraw();
}

/** Read how many messages were refused: of a lift all of whose messages are, no event comes. */
async function readRefusals() {
  const found = lift && await get(base).catch(() => null);
  if (found) showRefusals(at("refused"), lift_id, found.refused, found.facts?.timezone);
}

async function readTrips() {
  const { from, to } = range.span();
  const hours = { from: new Date(1000 * Math.min(from, to - 6 * 3600)).toISOString(), to: new Date(1000 * to).toISOString() };
  try {
    const { items, limits } = await get(`${base}/trips`, hours);
    showTrips(at("trips"), items, lift, (Date.parse(hours.to) - Date.parse(hours.from)) / 1000);
    showQuality(at("quality"), items, limits, lift);
  } catch (problem) {
    at("trips").replaceChildren(el("p", { class: "problem" }, problem.message || translate("error.network")));
  }
}

async function readBehaviour() {
  try {
    const { items } = await get(`${base}/behaviour`, { limit: 20 });
    showBehaviour(at("behaviour"), items, lift);
  } catch (problem) {
    at("behaviour").replaceChildren(el("p", { class: "problem" }, problem.message || translate("error.network")));
  }
}

/** Load all five streams of the span; pending requests of an earlier span are aborted. */
async function readCharts() {
  if (!charts) return;
  asked?.abort();
  asked = new AbortController();
  shown = range.span();
  const { signal } = asked, points = Math.max(200, Math.round(at("charts").clientWidth / PX_A_POINT));
  clearTimeout(due);
  await Promise.all([readBands(signal), ...Object.keys(SAMPLED).map((kind) => readSampled(kind, points, signal))]);
  if (range.follows && !signal.aborted) due = setTimeout(() => document.hidden || readCharts(), Math.max(FOLLOW_LEAST_MS, (1000 * (shown.to - shown.from)) / FOLLOW_PART));
}

async function readSampled(kind, points, signal) {
  try {
    const read = await sampled(lift_id, SAMPLED[kind], shown, points, { signal });
    charts[kind].sampled({ ...read, gaps: withEnds(read) });
    if (kind === "speed") showBucket(read.bucket_s);
  } catch (problem) {
    fail([charts[kind]], problem);
  }
}

async function readBands(signal) {
  try {
    const read = await bands(lift_id, shown, Date.parse(latest.last_seen) / 1000 || 0, { signal });
    for (const [kind, said] of Object.entries(read)) charts[kind].events(said);
  } catch (problem) {
    fail([charts.door, charts.presence], problem);
  }
}

/** Show in the charts that a request failed; an aborted request is no failure, a programming error is reported. */
function fail(these, problem) {
  if (problem.name === "AbortError") return;
  for (const chart of these) chart.fail(problem);
  if (!(problem instanceof Problem)) reportError(problem);
}

/** Return the gaps, including the one before the first reading and, where the lift is silent, the one at the end. */
function withEnds({ t, gaps }) {
  const end = Math.min(shown.to, serverNow() / 1000), little = (shown.to - shown.from) / 50;
  if (!t.length) return [];
  const ends = [[shown.from, t[0]], [t.at(-1), end]].filter(([from, to]) => to - from > little);
  return [...gaps, ...ends];
}

// --- rendering

function start() {
  if (charts) return;
  const floors = lift.facts?.floors ?? [], zone = zoneName();
  shaft = new Shaft(at("shaft"), floors);
  const shared = { key: "lift", zone, floors, rated: lift.facts?.rated_speed_mps ?? null, span: () => shown ?? range.span(), alerts: alertSpans, onZoom: (from, to) => range.set(from, to) };
  charts = Object.fromEntries(KINDS.map((kind) => [kind, new Chart(at("charts"), kind, shared)]));
  showRange();
}

function showLatest(item) {
  const changed = latest && latest.state !== item.state;
  if (!latest || latest.health !== item.health || latest.grade !== item.grade) showHealth(at("health"), base);
  latest = item;
  const rated = lift.facts?.rated_speed_mps;
  setSymbol(at("symbol"), item.state);
  showSentence();
  showWorst();
  shaft.show(item);
  const speed = item.speed_mps === null ? null : fixed(item.speed_mps);
  const readings = {
    floor: carFloor(item) && carFloor(item) + (item.position_m === null ? "" : ` · ${fixed(item.position_m)} m`),
    speed: speed === null ? null : rated ? translate("now.rated", { value: speed, limit: fixed(rated) }) : `${speed} m/s`,
    door: item.door && translate(`door.${item.door}`), presence: item.presence === null ? null : translate(item.presence ? "now.person" : "now.nobody"),
    mode: item.mode && translate(`mode.${item.mode}`), power: item.power && translate(`power.${item.power}`),
  };
  for (const [name, text] of Object.entries(readings)) setText(reading(name), text ?? translate("shell.unknown"));
  const seen = reading("seen");
  if (!seen.firstElementChild) seen.replaceChildren(el("time"));
  setTime(seen.firstElementChild, item.last_seen, { zone: lift.facts?.timezone, none: translate("time.never") });
  works.show(item.maintenance, lift.facts?.timezone);
  if (changed) highlight(at("headline"));
}

const reading = (name) => document.querySelector(`[data-reading="${name}"]`);

/** Show what the car does, or how long the lift has been silent. */
function showSentence() {
  if (!latest) return;
  const zone = lift.facts?.timezone, quiet_s = latest.last_seen ? secondsSince(latest.last_seen) : Infinity;
  let text = carSentence(latest);
  if (!latest.last_seen) text = translate("lift.never");
  else if (isUnwatched(latest)) text = translate("lift.unknown");
  else if (quiet_s > HEARTBEAT_S) text = translate("lift.silent", { duration: span(quiet_s), at: clock(latest.last_seen, zone) });
  setText(at("subline").lastElementChild, text);
  document.querySelector(".now").classList.toggle("old", quiet_s > HEARTBEAT_S || isUnwatched(latest));
  showBlind();
}

/** Return whether the monitor of the lift is not running: the latest readings say nothing of now. */
const isUnwatched = ({ blind }) => blind?.reason === "unwatched";

/** Show why the lift is not judged, and the remedy. */
function showBlind() {
  const { blind } = latest, note = at("blind");
  note.hidden = !blind;
  if (!blind) return;
  const values = { text: blind.text[lang], duration: blind.since ? span(secondsSince(blind.since)) : "" };
  const key = isUnwatched(latest) ? "lift.unwatched" : "lift.blind";
  setText(note.lastElementChild, translate(blind.since ? `${key}.for` : key, values));
}

/** Show before it the open incident, or the most severe open alert where that is worse, as a sentence that links to it. */
function showWorst() {
  const incident = latest?.incident, zone = lift.facts?.timezone;
  const [worst] = [...lift.open_alerts].sort((a, b) => severityRank(a.severity) - severityRank(b.severity) || a.onset.localeCompare(b.onset)), box = at("subline").firstElementChild;
  box.hidden = !worst && !incident;
  if (incident && (incident.holds_people || !worst || severityRank(incident.severity) < severityRank(worst.severity))) box.replaceChildren(el("a", { href: `/incidents/${encodeURIComponent(incident.id)}` }, incidentHere(incident)), " ", timeNode(incident.opened, { zone, as: "for" }));
  else if (worst) box.replaceChildren(el("a", { href: `/alerts/${encodeURIComponent(worst.id)}` }, translateFirst(`here.${worst.rule}`, `rule.${worst.rule}`)), " ", timeNode(worst.onset, { zone, as: "for" }));
}

function showBelow() {
  showWorst();
  showAlerts(at("open"), lift.open_alerts, lift);
  showFacts(at("facts"), lift);
  showRefusals(at("refused"), lift_id, lift.refused, lift.facts?.timezone);
  showHistory(at("history"), history.filter((alert) => alert.state !== "firing"), lift);
}

/** Return the alerts that overlap the span, each with its name, begin and end in seconds. */
function alertSpans() {
  const { from, to } = shown;
  return history.map((alert) => ({
    severity: alert.severity, name: ruleName(alert.rule), from: Date.parse(alert.onset) / 1000,
    // What a person closed while it fired has no end that is known: it is drawn as an instant.
    to: Date.parse(alert.cleared ?? (alert.state === "closed" ? alert.onset : new Date(serverNow()).toISOString())) / 1000,
  })).filter((each) => each.to >= from && each.from <= to);
}

function redraw() {
  for (const chart of Object.values(charts ?? {})) chart.redraw();
}

function showRange() {
  for (const button of at("presets").children) button.setAttribute("aria-pressed", String(range.follows && button.dataset.range === range.preset));
  at("steps").lastElementChild.setAttribute("aria-pressed", String(range.follows));
}

function showBucket(bucket_s) {
  const { from, to } = shown;
  setText(at("range"), [translate("range.span", { from: fullStamp(1000 * from), to: fullStamp(1000 * to), zone: zoneName() }), bucket_s >= 1 ? translate("range.bucket", { duration: span(bucket_s) }) : ""].filter(Boolean).join(" · "));
}

// --- input

for (const button of at("presets").children) button.addEventListener("click", () => range.follow(button.dataset.range));
for (const button of at("steps").children) button.addEventListener("click", () => range.step(button.dataset.step));
at("charts").addEventListener("keydown", (event) => {
  const step = { ArrowLeft: "earlier", ArrowRight: "later", "+": "in", "=": "in", "-": "out", f: "follow" }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  range.step(step);
});
setInterval(() => { showSentence(); works.tick(); }, 1000);
setInterval(() => document.hidden || readRefusals(), REFUSALS_EVERY_MS);
document.addEventListener("visibilitychange", () => document.hidden || (range.follows && readCharts()));
if (at("calls-form")) watchCalls(at("calls-form"), at("calls"), lift_id);
if (at("fault")) showFaultPanel(at("fault"), () => lift_id);

followLive({ lift_id }, { catchUp: readAll, on: { lift: (item) => lift && showLatest(item), alert: () => readAlerts().catch(() => {}) } });
