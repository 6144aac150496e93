// The inbox: what is mine to do? A list and a reading pane; what someone else just did appears without a reload.

import "./shell.js";
import { get } from "./api.js";
import { DEEDS } from "./deeds.js";
import { el, glow, plate, put, symbol } from "./element.js";
import { follow } from "./live.js";
import { known, learnNames } from "./names.js";
import { Pane, held, readAlert } from "./pane.js";
import { gravity } from "./severity.js";
import { timeNode } from "./time.js";
import { myName } from "./who.js";
import { callLift, say, standing, summary } from "./words.js";

const PAGE = 200, SHOWN_FIRST = 100;
const KEYS_OFF = "liftwatch.keys-off";
const WIDE = matchMedia("(min-width: 901px)");

const at = (id) => document.getElementById(id);
const alerts = new Map(), nodes = new Map();
let view = viewAsked(), chosen = document.body.dataset.alert, shown = [], next = null, more = SHOWN_FIRST, failed = null, pending = false;

const pane = new Pane(at("pane"), (alert) => { take(alert); readPane().catch(() => {}); });

const VIEWS = {
  todo: (alert) => alert.state !== "closed" && !alert.inhibited_by,
  mine: (alert) => alert.state !== "closed" && alert.assigned_to !== null && alert.assigned_to === myName(),
  held: (alert) => alert.state !== "closed" && Boolean(alert.inhibited_by),
  done: (alert) => alert.state === "closed",
};

function viewAsked() {
  const asked = new URL(location.href).searchParams.get("view");
  return ["todo", "mine", "held", "done"].includes(asked) ? asked : "todo";
}

// --- reading

async function readAll() {
  try {
    await readList();
    await Promise.all([learnNames(), readPane()]);
    show();
  } catch (problem) {
    failed = problem;
    show();
    throw problem;
  }
}

async function readList(cursor = null) {
  const page = await get("/api/v1/alerts", { state: view === "done" ? ["closed"] : ["firing", "cleared"], limit: PAGE, cursor });
  if (!cursor) alerts.clear();
  for (const alert of page.items) alerts.set(alert.id, alert);
  [next, failed] = [page.next, null];
  order();
  show();
}

/** Read the chosen alert anew; on a wide screen the first is chosen where none is. */
async function readPane() {
  if (!chosen && WIDE.matches && shown.length) return choose(shown[0].id, { replace: true });
  if (!chosen) return pane.empty(say(shown.length ? "inbox.choose" : `inbox.empty.${view}`), say("inbox.empty.more"));
  const id = chosen;
  try {
    const [alert, lift] = await readAlert(id);
    if (id === chosen) pane.show(alert, lift, () => choose(""));
  } catch (problem) {
    if (problem.status === 404 && id === chosen) return pane.empty(say("inbox.missing"), id);
    throw problem;
  }
  return null;
}

// --- live

function take(alert) {
  const before = alerts.get(alert.id);
  alerts.set(alert.id, alert);
  const node = nodes.get(alert.id);
  if (node && before) glow(node);
  if (at("list").matches(":hover") && (!before || !VIEWS[view](alert))) pending = true;
  else order();
  show();
  if (!before && nodes.has(alert.id)) glow(nodes.get(alert.id));
  if (alert.id === chosen) readPane().catch(() => {});
}

/** Put the list in order: worst first, what still holds before what cleared, newest first. */
function order() {
  const newest = (a, b) => b.onset.localeCompare(a.onset);
  const worst = (a, b) => gravity(a.severity) - gravity(b.severity) || rank(a) - rank(b) || newest(a, b);
  shown = [...alerts.values()].filter(VIEWS[view]).sort(view === "done" ? newest : worst);
  pending = false;
}

const rank = (alert) => (alert.state === "firing" ? 0 : 1);

// --- showing

function show() {
  for (const chip of at("views").querySelectorAll("[data-view]")) {
    chip.setAttribute("aria-pressed", String(chip.dataset.view === view));
    const n = [...alerts.values()].filter(VIEWS[chip.dataset.view]).length;
    if (view !== "done" && chip.dataset.view !== "done") put(chip.querySelector("b"), `${n}${next ? "+" : ""}`);
  }
  const critical = shown.filter((alert) => alert.severity === "critical" && alert.state === "firing").length;
  const n = shown.length;
  put(at("headline"), failed ? say("fleet.failed") : n === 0 ? say(`inbox.empty.${view}`) : view === "todo" && critical ? say("inbox.todo.critical", { n: critical }) : say(`inbox.${view}`, { n }));
  at("list").removeAttribute("aria-busy");
  const wanted = failed ? [el("li", {}, plate(say("fleet.failed"), failed.message || say("error.network.more"), el("button", { click: () => readAll().catch(() => {}) }, say("shell.again"))))]
    : n === 0 ? [el("li", {}, plate(say(`inbox.empty.${view}`), say("inbox.empty.more")))] : shown.slice(0, more).map(line);
  if (wanted.length !== at("list").children.length || wanted.some((node, i) => at("list").children[i] !== node)) at("list").replaceChildren(...wanted);
  at("more").hidden = !pending && n <= more && !next;
  put(at("more"), say(pending ? "inbox.new" : "inbox.more"));
}

/** Return the line of an alert, the same node each time. */
function line(alert) {
  if (!nodes.has(alert.id)) {
    nodes.set(alert.id, el("li", {}, el("a", { href: `/alerts/${encodeURIComponent(alert.id)}`, click: (event) => { event.preventDefault(); choose(alert.id); at("pane").focus({ preventScroll: true }); } })));
  }
  const node = nodes.get(alert.id), link = node.firstElementChild, lift = known(alert.lift_id, show);
  const state = [...standing(alert), held(alert)].filter(Boolean).join(" · ");
  const key = [alert.id, alert.severity, state, summary(alert), callLift(lift)].join("\n");
  if (link.dataset.key !== key) {
    link.dataset.key = key;
    link.replaceChildren(symbol(alert.severity), el("b", {}, el("span", { class: "veiled" }, `${say(`severity.${alert.severity}`)}: `), callLift(lift)), timeNode(alert.onset), el("p", {}, summary(alert)), el("small", {}, state));
  }
  node.classList.toggle("seen", alert.acknowledged || alert.state !== "firing");
  if (alert.id === chosen) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
  return node;
}

// --- choosing

function choose(id, { replace = false } = {}) {
  chosen = id;
  document.body.dataset.alert = id;
  const here = new URL(location.href);
  here.pathname = id ? `/alerts/${encodeURIComponent(id)}` : "/alerts";
  if (view === "todo") here.searchParams.delete("view");
  else here.searchParams.set("view", view);
  history[replace ? "replaceState" : "pushState"](null, "", here);
  show();
  nodes.get(id)?.scrollIntoView({ block: "nearest" });
  if (!WIDE.matches && id) scrollTo({ top: 0 });
  return readPane().catch((problem) => pane.empty(say("fleet.failed"), problem.message));
}

function step(by) {
  const i = shown.findIndex((alert) => alert.id === chosen), to = shown[Math.min(shown.length - 1, Math.max(0, i + by))];
  if (to && to.id !== chosen) choose(to.id, { replace: true });
}

function setView(name) {
  view = name;
  more = SHOWN_FIRST;
  choose("", { replace: true });
  readList().then(readPane).catch((problem) => { failed = problem; show(); });
}

// --- keys

const ACTIONS = { j: () => step(1), k: () => step(-1), u: () => pane.deeds.revert(), "?": () => at("keys").showModal() };
for (const [deed, key] of Object.entries(DEEDS)) ACTIONS[key] = () => pane.id && pane.deeds.start(deed);

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(KEYS_OFF)) return;
  const act = ACTIONS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
at("keys-on").checked = !localStorage.getItem(KEYS_OFF);
at("keys-on").addEventListener("change", (event) => event.target.checked ? localStorage.removeItem(KEYS_OFF) : localStorage.setItem(KEYS_OFF, "yes"));
at("keys-button").addEventListener("click", () => at("keys").showModal());
for (const chip of at("views").querySelectorAll("[data-view]")) chip.addEventListener("click", () => setView(chip.dataset.view));
at("more").addEventListener("click", () => {
  if (pending) order();
  else more += SHOWN_FIRST;
  if (next && more > shown.length) readList(next).catch(() => {});
  show();
});
addEventListener("popstate", () => {
  chosen = decodeURIComponent(location.pathname.split("/")[2] ?? "");
  document.body.dataset.alert = chosen;
  show();
  readPane().catch(() => {});
});
document.addEventListener("name", () => { order(); show(); });

follow({}, { catchUp: readAll, on: { alert: take } });
