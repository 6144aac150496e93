// The inbox: a list of incidents and a reading pane. A critical incident appears on top at once, whatever the pointer
// does, and is counted in the headline, the title and the icon. The address holds the view, the filters and the choice.

import "./shell.js";
import { get } from "./api.js";
import { el, highlight, placeholder, setText, symbol } from "./element.js";
import { ACTION_KEYS } from "./incident_actions.js";
import { IncidentPane, incidentSentence, readIncident } from "./incident_pane.js";
import { bindKeys } from "./keys.js";
import { liftInfo, loadLiftNames } from "./lift_names.js";
import { followLive } from "./live_connection.js";
import { severityRank } from "./severity.js";
import { timeNode } from "./time.js";
import { liftName, translate } from "./translations.js";
import { userName } from "./user_name.js";
import { Watch } from "./watch.js";

const PAGE = 200, SHOWN_FIRST = 100, CRITICALS_MOST = 1000, SEARCH_MS = 300;
const FILTERS = ["district", "firm", "kind", "severity", "owner", "q"];
const WIDE = matchMedia("(min-width: 901px)");

const at = (id) => document.getElementById(id), title = document.title, form = at("tools");
const incidents = new Map(), criticals = new Map(), nodes = new Map();
let chosen = document.body.dataset.incident, shown = [], next = null, more = SHOWN_FIRST, failed = null, pending = false, reading = 0, paneReading = 0;

const readAgain = () => readPane().catch(() => {});
const pane = new IncidentPane(at("pane"), (incident) => { take(incident); readAgain(); }, readAgain);
const watch = new Watch(at("watch"), (id) => choose(id));

const isMine = (incident) => incident.owner !== null && incident.owner === userName();
const VIEWS = {
  now: (incident) => incident.state === "open",
  mine: (incident) => incident.state === "open" && isMine(incident),
  over: (incident) => incident.state === "closed",
};

const address = () => new URL(location.href).searchParams;
const view = () => (address().get("view") in VIEWS ? address().get("view") : "now");
const filters = () => Object.fromEntries(FILTERS.map((name) => [name, address().get(name) ?? ""]).filter(([, value]) => value));

/** Return the filters that the server applies; the others are applied to what was loaded. */
function asked() {
  const { district, firm, kind, severity } = filters();
  return { district, firm, kind, severity };
}

/** Return whether an incident belongs to the filters that are applied here. */
function passes(incident) {
  const { district, kind, severity, owner, q } = filters(), lift = liftInfo(incident.lift_id, refresh);
  const text = [liftName(lift), lift.address, incident.lift_id, incident.district, incident.building, incident.owner, translate(`incident.${incident.kind}`)].join(" ").toLowerCase();
  return (!district || incident.district === district) && (!kind || incident.kind === kind) && (!severity || incident.severity === severity) && (!owner || incident.owner === null) && (!q || text.includes(q.toLowerCase()));
}

/** Sort and show again, after the name of a lift has been loaded. */
function refresh() {
  order();
  show();
}

// --- loading

async function readAll() {
  try {
    await readCriticals();
    await readList();
    await Promise.all([loadLiftNames(), readPane()]);
    show();
  } catch (problem) {
    failed = problem;
    show();
    throw problem;
  }
}

/** Load all open critical incidents: they are counted whatever the filters are. */
async function readCriticals() {
  const { items } = await get("/api/v1/incidents", { state: "open", severity: "critical", limit: CRITICALS_MOST });
  criticals.clear();
  for (const incident of items) criticals.set(incident.id, incident);
}

async function readList(cursor = null) {
  const mine = ++reading;
  const page = await get("/api/v1/incidents", { ...asked(), state: view() === "over" ? "closed" : "open", limit: PAGE, cursor });
  if (mine !== reading) return;
  if (!cursor) incidents.clear();
  for (const incident of page.items) incidents.set(incident.id, incident);
  [next, failed] = [page.next, null];
  order();
  show();
}

/** Reload the chosen incident; on a wide screen the first one is chosen by default. */
async function readPane() {
  if (!chosen && WIDE.matches && shown.length) return choose(shown[0].id, { replace: true });
  if (!chosen) return pane.empty(translate(shown.length ? "incidents.choose" : `incidents.empty.${view()}`), translate("incidents.empty.more"));
  const id = chosen, mine = ++paneReading; // An answer to an earlier question may arrive after a later one.
  try {
    const [incident, lift] = await readIncident(id);
    if (mine === paneReading && id === chosen) pane.show(incident, lift, () => choose(""));
  } catch (problem) {
    if (problem.status === 404 && id === chosen) return pane.empty(translate("incidents.missing"), id);
    throw problem;
  }
  return null;
}

// --- live

const isUrgent = (incident) => incident.severity === "critical" && incident.state === "open";

/** Take an incident as it is now; a live event has one of its lifts alone. */
function take(event) {
  const before = incidents.get(event.id) ?? criticals.get(event.id), known = incidents.has(event.id), incident = before ? joined(before, event) : event;
  if (isUrgent(incident)) criticals.set(incident.id, incident);
  else criticals.delete(incident.id);
  if (known || !filters().firm) incidents.set(incident.id, incident);
  else readList().catch(() => {}); // Only the server knows which lifts are the firm's.
  const moves = !known || !VIEWS[view()](incident); // What is under the pointer stays there, but for a critical incident.
  if (moves && !isUrgent(incident) && at("list").matches(":hover")) pending = true;
  else order();
  show();
  if (nodes.has(incident.id)) highlight(nodes.get(incident.id));
  if (incident.id === chosen) readAgain();
}

function joined(before, event) {
  const lifts = [...event.lifts, ...before.lifts.filter((lift) => !event.lifts.some(({ lift_id }) => lift_id === lift.lift_id))];
  return { ...event, lift_id: before.lift_id, district: before.district, lifts: lifts.sort((a, b) => b.holds_people - a.holds_people) };
}

/** Sort the list: what nobody has taken up first, by severity, the oldest first; what is over by its closing. */
function order() {
  const worst = (a, b) => severityRank(a.severity) - severityRank(b.severity) || a.acknowledged - b.acknowledged || b.opened.localeCompare(a.opened);
  const latest = (a, b) => (b.closed ?? "").localeCompare(a.closed ?? "");
  shown = [...incidents.values()].filter((incident) => VIEWS[view()](incident) && passes(incident)).sort(view() === "over" ? latest : worst);
  pending = false;
}

// --- rendering

function show() {
  for (const chip of at("views").querySelectorAll("[data-view]")) {
    chip.setAttribute("aria-pressed", String(chip.dataset.view === view()));
    const n = [...incidents.values()].filter((incident) => VIEWS[chip.dataset.view](incident) && passes(incident)).length;
    if (view() !== "over" && chip.dataset.view !== "over") setText(chip.querySelector("b"), `${n}${next ? "+" : ""}`);
  }
  const n = shown.length, filtered = Object.keys(filters()).length > 0;
  setText(at("headline"), failed ? translate("fleet.failed") : headline(n));
  document.title = `${criticals.size ? `(${criticals.size}) ` : ""}${title}`;
  watch.update(new Map([...criticals.values()].filter((incident) => !incident.acknowledged).map((incident) => [incident.id, incidentSentence(incident, liftInfo(incident.lift_id, () => {}))])));
  at("clear").hidden = !filtered;
  at("list").removeAttribute("aria-busy");
  const wanted = failed ? [el("li", {}, placeholder(translate("fleet.failed"), failed.message || translate("error.network.more"), el("button", { click: () => readAll().catch(() => {}) }, translate("shell.again"))))]
    : n === 0 ? [el("li", {}, placeholder(translate(filtered ? "incidents.empty.filter" : `incidents.empty.${view()}`), translate("incidents.empty.more")))] : shown.slice(0, more).map(line);
  if (wanted.length !== at("list").children.length || wanted.some((node, i) => at("list").children[i] !== node)) at("list").replaceChildren(...wanted);
  at("more").hidden = !pending && n <= more && !next;
  setText(at("more"), translate(pending ? "inbox.new" : "inbox.more"));
}

/** Return the headline: critical incidents whatever the filters are, then what the view holds. */
function headline(n) {
  const here = translate(n ? `incidents.${view()}` : `incidents.empty.${view()}`, { n }), inside = [...criticals.values()].filter((incident) => incident.may_hold_people).length;
  if (!criticals.size) return here;
  const urgent = inside ? translate("incidents.inside", { n: inside }) : translate("incidents.critical", { n: criticals.size });
  return n === criticals.size && view() === "now" ? urgent : `${urgent} · ${here}`;
}

/** Return the list item of an incident, the same node each time. */
function line(incident) {
  const { id } = incident;
  if (!nodes.has(id)) nodes.set(id, el("li", {}, el("a", { href: `/incidents/${encodeURIComponent(id)}`, click: (event) => { event.preventDefault(); choose(id); at("pane").focus({ preventScroll: true }); } })));
  const node = nodes.get(id), link = node.firstElementChild, lift = liftInfo(incident.lift_id, show);
  const state = [translate(`stage.${incident.stage}`), incident.owner ? translate("alert.assigned", { name: incident.owner }) : translate("incidents.unassigned"), incident.lifts.length > 1 ? translate("incident.lifts", { n: incident.lifts.length }) : null].filter(Boolean).join(" · ");
  const key = [incident.severity, incident.kind, state, incident.building, liftName(lift), lift.address, lift.timezone].join("\n");
  if (link.dataset.key !== key) {
    link.dataset.key = key;
    link.replaceChildren(symbol(incident.severity), el("b", {}, el("span", { class: "veiled" }, `${translate(`severity.${incident.severity}`)}: `), incident.building ?? liftName(lift)), timeNode(incident.closed ?? incident.opened, { zone: lift.timezone }), el("p", {}, [translate(`incident.${incident.kind}`), incident.building ? null : lift.address].filter(Boolean).join(" · ")), el("small", {}, state));
  }
  node.classList.toggle("seen", incident.acknowledged || incident.state === "closed");
  if (id === chosen) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
  return node;
}

// --- selection, views and filters

/** Put a choice, a view or filters into the address. */
function go({ id = chosen, parameters = {}, replace = false }) {
  chosen = id;
  document.body.dataset.incident = id;
  const here = new URL(location.href);
  here.pathname = id ? `/incidents/${encodeURIComponent(id)}` : "/incidents";
  for (const [name, value] of Object.entries(parameters)) value ? here.searchParams.set(name, value) : here.searchParams.delete(name);
  history[replace ? "replaceState" : "pushState"](null, "", here);
}

function choose(id, { replace = false } = {}) {
  go({ id, replace });
  show();
  nodes.get(id)?.scrollIntoView({ block: "nearest" });
  if (!WIDE.matches && id) scrollTo({ top: 0 });
  return readPane().catch((problem) => pane.empty(translate("fleet.failed"), problem.message));
}

function step(by) {
  const i = shown.findIndex((incident) => incident.id === chosen), to = shown[Math.min(shown.length - 1, Math.max(0, i + by))];
  if (to && to.id !== chosen) choose(to.id, { replace: true });
}

function readAnew() {
  more = SHOWN_FIRST;
  for (const name of FILTERS) form.elements[name].value = filters()[name] ?? "";
  readList().then(readPane).catch((problem) => { failed = problem; show(); });
}

function filter(parameters) {
  go({ id: "", parameters });
  readAnew();
}

let typing = 0;
form.addEventListener("submit", (event) => event.preventDefault());
for (const name of FILTERS) {
  const input = form.elements[name];
  input.addEventListener(input.type === "search" ? "input" : "change", () => {
    clearTimeout(typing);
    typing = setTimeout(() => filter({ [name]: input.value.trim() }), input.type === "search" ? SEARCH_MS : 0);
  });
}
at("clear").addEventListener("click", (event) => { event.preventDefault(); filter(Object.fromEntries(FILTERS.map((name) => [name, ""]))); });
for (const chip of at("views").querySelectorAll("[data-view]")) chip.addEventListener("click", () => filter({ view: chip.dataset.view === "now" ? "" : chip.dataset.view }));
at("more").addEventListener("click", () => {
  if (pending) order();
  else more += SHOWN_FIRST;
  if (next && more > shown.length) readList(next).catch(() => {});
  show();
});
at("list").addEventListener("pointerleave", () => {
  if (!pending) return;
  order();
  show();
});
addEventListener("popstate", () => {
  chosen = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  document.body.dataset.incident = chosen;
  readAnew();
});
document.addEventListener("name", () => { order(); show(); });

bindKeys({ j: () => step(1), k: () => step(-1), u: () => pane.actions.revert(), ...Object.fromEntries(Object.entries(ACTION_KEYS).map(([action, key]) => [key, () => pane.id && pane.actions.start(action)])) });
for (const name of FILTERS) form.elements[name].value = filters()[name] ?? "";
followLive({}, { catchUp: readAll, on: { incident: take } });
