// The inbox page: a list of alerts and a reading pane; actions of other people appear without a reload.

import "./shell.js";
import { get } from "./api.js";
import { ACTION_KEYS } from "./alert_actions.js";
import { el, highlight, placeholder, setText, symbol } from "./element.js";
import { bindKeys } from "./keys.js";
import { followLive } from "./live_connection.js";
import { liftInfo, loadLiftNames } from "./lift_names.js";
import { AlertPane, holdReason, readAlert } from "./alert_pane.js";
import { severityRank } from "./severity.js";
import { timeNode } from "./time.js";
import { userName } from "./user_name.js";
import { liftName, translate, alertStatus, summary } from "./translations.js";

const PAGE = 200, SHOWN_FIRST = 100, CRITICALS_MOST = 1000;
const WIDE = matchMedia("(min-width: 901px)");

const at = (id) => document.getElementById(id), title = document.title;
const alerts = new Map(), criticals = new Map(), nodes = new Map();
let view = requestedView(), chosen = document.body.dataset.alert, shown = [], next = null, more = SHOWN_FIRST, failed = null, pending = false;

const readAgain = () => readPane().catch(() => {});
const pane = new AlertPane(at("pane"), (alert) => { take(alert); readAgain(); }, readAgain);

const VIEWS = {
  todo: (alert) => alert.state !== "closed" && !alert.inhibited_by,
  mine: (alert) => alert.state !== "closed" && alert.assigned_to !== null && alert.assigned_to === userName(),
  held: (alert) => alert.state !== "closed" && Boolean(alert.inhibited_by),
  done: (alert) => alert.state === "closed",
};

function requestedView() {
  const asked = new URL(location.href).searchParams.get("view");
  return ["todo", "mine", "held", "done"].includes(asked) ? asked : "todo";
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

/** Load all firing critical alerts: they are counted in every view, and listed however many newer alerts there are. */
async function readCriticals() {
  const { items } = await get("/api/v1/alerts", { state: "firing", severity: "critical", limit: CRITICALS_MOST });
  criticals.clear();
  for (const alert of items) criticals.set(alert.id, alert);
}

async function readList(cursor = null) {
  const page = await get("/api/v1/alerts", { state: view === "done" ? ["closed"] : ["firing", "cleared"], limit: PAGE, cursor });
  if (!cursor) alerts.clear();
  for (const alert of [...criticals.values(), ...page.items]) alerts.set(alert.id, alert);
  [next, failed] = [page.next, null];
  order();
  show();
}

/** Reload the selected alert; on a wide screen the first alert is selected by default. */
async function readPane() {
  if (!chosen && WIDE.matches && shown.length) return choose(shown[0].id, { replace: true });
  if (!chosen) return pane.empty(translate(shown.length ? "inbox.choose" : `inbox.empty.${view}`), translate("inbox.empty.more"));
  const id = chosen;
  try {
    const [alert, lift] = await readAlert(id);
    if (id === chosen) pane.show(alert, lift, () => choose(""));
  } catch (problem) {
    if (problem.status === 404 && id === chosen) return pane.empty(translate("inbox.missing"), id);
    throw problem;
  }
  return null;
}

// --- live

function take(alert) {
  const before = alerts.get(alert.id);
  alerts.set(alert.id, alert);
  const node = nodes.get(alert.id);
  if (node && before) highlight(node);
  if (isUrgent(alert)) criticals.set(alert.id, alert);
  else criticals.delete(alert.id);
  const moves = !before || !VIEWS[view](alert); // What is under the pointer stays there, but for a critical alert.
  if (moves && !isUrgent(alert) && at("list").matches(":hover")) pending = true;
  else order();
  show();
  if (!before && nodes.has(alert.id)) highlight(nodes.get(alert.id));
  if (alert.id === chosen) readPane().catch(() => {});
}

const isUrgent = (alert) => alert.severity === "critical" && alert.state === "firing";

/** Sort the list: most severe first, then firing before cleared, then newest first. */
function order() {
  const newest = (a, b) => b.onset.localeCompare(a.onset);
  const worst = (a, b) => severityRank(a.severity) - severityRank(b.severity) || rank(a) - rank(b) || newest(a, b);
  shown = [...alerts.values()].filter(VIEWS[view]).sort(view === "done" ? newest : worst);
  pending = false;
}

const rank = (alert) => (alert.state === "firing" ? 0 : 1);

// --- rendering

function show() {
  for (const chip of at("views").querySelectorAll("[data-view]")) {
    chip.setAttribute("aria-pressed", String(chip.dataset.view === view));
    const n = [...alerts.values()].filter(VIEWS[chip.dataset.view]).length;
    if (view !== "done" && chip.dataset.view !== "done") setText(chip.querySelector("b"), `${n}${next ? "+" : ""}`);
  }
  const n = shown.length;
  setText(at("headline"), failed ? translate("fleet.failed") : headline(n));
  document.title = `${criticals.size ? `(${criticals.size}) ` : ""}${title}`;
  at("list").removeAttribute("aria-busy");
  const wanted = failed ? [el("li", {}, placeholder(translate("fleet.failed"), failed.message || translate("error.network.more"), el("button", { click: () => readAll().catch(() => {}) }, translate("shell.again"))))]
    : n === 0 ? [el("li", {}, placeholder(translate(`inbox.empty.${view}`), translate("inbox.empty.more")))] : shown.slice(0, more).map(line);
  if (wanted.length !== at("list").children.length || wanted.some((node, i) => at("list").children[i] !== node)) at("list").replaceChildren(...wanted);
  at("more").hidden = !pending && n <= more && !next;
  setText(at("more"), translate(pending ? "inbox.new" : "inbox.more"));
}

/** Return the headline: critical alerts in every view, then what the view holds. */
function headline(n) {
  const here = translate(n ? `inbox.${view}` : `inbox.empty.${view}`, { n });
  if (!criticals.size) return here;
  const urgent = translate("inbox.todo.critical", { n: criticals.size });
  return view === "todo" ? urgent : `${urgent} · ${here}`;
}

/** Return the list item of an alert, the same node each time. */
function line(alert) {
  if (!nodes.has(alert.id)) {
    nodes.set(alert.id, el("li", {}, el("a", { href: `/alerts/${encodeURIComponent(alert.id)}`, click: (event) => { event.preventDefault(); choose(alert.id); at("pane").focus({ preventScroll: true }); } })));
  }
  const node = nodes.get(alert.id), link = node.firstElementChild, lift = liftInfo(alert.lift_id, show);
  const state = [...alertStatus(alert), holdReason(alert)].filter(Boolean).join(" · ");
  const key = [alert.id, alert.severity, state, summary(alert), liftName(lift), lift.timezone].join("\n");
  if (link.dataset.key !== key) {
    link.dataset.key = key;
    link.replaceChildren(symbol(alert.severity), el("b", {}, el("span", { class: "veiled" }, `${translate(`severity.${alert.severity}`)}: `), liftName(lift)), timeNode(alert.onset, { zone: lift.timezone }), el("p", {}, summary(alert)), el("small", {}, state));
  }
  node.classList.toggle("seen", alert.acknowledged || alert.state !== "firing");
  if (alert.id === chosen) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
  return node;
}

// --- selection

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
  return readPane().catch((problem) => pane.empty(translate("fleet.failed"), problem.message));
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

// --- keyboard shortcuts

const ACTIONS = { j: () => step(1), k: () => step(-1), u: () => pane.actions.revert() };
for (const [action, key] of Object.entries(ACTION_KEYS)) ACTIONS[key] = () => pane.id && pane.actions.start(action);

bindKeys(ACTIONS);
for (const chip of at("views").querySelectorAll("[data-view]")) chip.addEventListener("click", () => setView(chip.dataset.view));
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
  document.body.dataset.alert = chosen;
  show();
  readPane().catch(() => {});
});
document.addEventListener("name", () => { order(); show(); });

followLive({}, { catchUp: readAll, on: { alert: take } });
