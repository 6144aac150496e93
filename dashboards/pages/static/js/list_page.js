// A page with a list of items and a reading pane, which follows the live stream: the alerts, or the incidents.
// What is under the pointer stays there, but for a critical item, which appears at once whatever the pointer does.

import { get } from "./api.js";
import { el, highlight, placeholder, setText, symbol } from "./element.js";
import { bindKeys } from "./keys.js";
import { liftInfo, loadLiftNames } from "./lift_names.js";
import { followLive } from "./live_connection.js";
import { readWithLift } from "./pane.js";
import { timeNode } from "./time.js";
import { locale, translate } from "./translations.js";

const PAGE = 200, SHOWN_FIRST = 100, CRITICALS_AT_ONCE = 1000;
const WIDE = matchMedia("(min-width: 901px)");

export const at = (id) => document.getElementById(id);
const titleFirst = document.title;

/**
 * A subclass has `views`, which says by view whether an item belongs to it, the first being the default and the last that
 * of closed items; `query()`, the filters that the server applies; `isUrgent(item)`; `compare(a, b)`, the order of the list;
 * `headline(n)`; `description(item, lift)`, the heading, time, sentence and state of an item; `isSeen(item)`.
 */
export class ListPage {
  /**
   * `name` is that of an item, of its events and of its attribute of the body; `texts` begins the keys of the texts;
   * `critical` is the query of the critical items, which are counted in every view; `keys` has the key of each action.
   */
  constructor({ name, texts, critical, keys, Pane }) {
    Object.assign(this, { name, texts, critical, path: `/${name}s`, api: `/api/v1/${name}s`, items: new Map(), criticals: new Map(), nodes: new Map() });
    Object.assign(this, { chosen: document.body.dataset[name], shown: [], next: null, more: SHOWN_FIRST, failed: null, pending: false, listReads: 0, paneReads: 0 });
    const readAgain = () => this.readPane().catch(() => {});
    this.pane = new Pane(at("pane"), (item) => { this.take(item); readAgain(); }, readAgain);
    this.readAgain = readAgain;
    this.bind(keys);
  }

  /** Follow the live stream, which loads everything first. */
  start() {
    followLive({}, { catchUp: () => this.readAll(), on: { [this.name]: (item) => this.take(item) }, keeps: () => this.staysConnected });
  }

  /** Whether the page keeps its connection while it is hidden. */
  get staysConnected() {
    return false;
  }

  get view() {
    const asked = this.parameter("view"), [first] = Object.keys(this.views);
    return asked in this.views ? asked : first;
  }

  /** The view of closed items, which are neither counted nor loaded with the open ones. */
  get closedView() {
    return Object.keys(this.views).at(-1);
  }

  get criticalCount() {
    return this.criticals.size;
  }

  /** Return how many items a view holds, null where the loaded ones are counted. */
  countOf() {
    return null;
  }

  /** Return the keys of the page besides those of its items' actions. */
  moreKeys() {
    return {};
  }

  parameter(name) {
    return new URL(location.href).searchParams.get(name) ?? "";
  }

  /** Return whether an item belongs to the filters of the page. */
  passes() {
    return true;
  }

  /** Return an event as the item that it makes of the one known `before`. */
  merged(before, event) {
    return event;
  }

  /** Return the text of an empty list. */
  emptyText() {
    return translate(`${this.texts}.empty.${this.view}`);
  }

  // --- loading

  async readAll() {
    try {
      await this.readCriticals();
      await this.readList();
      await Promise.all([loadLiftNames(), this.readPane()]);
      this.show();
    } catch (problem) {
      this.fail(problem);
      throw problem;
    }
  }

  fail(problem) {
    this.failed = problem;
    this.show();
  }

  async readCriticals() {
    const found = new Map();
    for (let cursor = null, first = true; first || cursor; first = false) {
      const page = await get(this.api, { ...this.critical, limit: CRITICALS_AT_ONCE, cursor });
      for (const item of page.items) found.set(item.id, item);
      cursor = page.next;
    }
    this.criticals = found;
  }

  /** Load the newest items of the view, or those after a cursor. */
  async readList(cursor = null) {
    const mine = ++this.listReads, page = await get(this.api, { ...this.query(), limit: PAGE, cursor });
    if (mine !== this.listReads) return; // Another view or filter was chosen meanwhile.
    if (!cursor) this.items.clear();
    for (const item of [...this.pinned(), ...page.items]) this.items.set(item.id, item);
    [this.next, this.failed] = [page.next, null];
    this.refresh();
  }

  /** Return the items that are listed however many newer ones there are. */
  pinned() {
    return this.criticals.values();
  }

  /** Reload the chosen item; on a wide screen the first one is chosen by default. */
  async readPane() {
    const { chosen: id, shown, pane, texts } = this, mine = ++this.paneReads; // An answer to an earlier question may arrive after a later one.
    if (!id && WIDE.matches && shown.length) return this.choose(shown[0].id, { replace: true });
    if (!id) return pane.empty(shown.length ? translate(`${texts}.choose`) : this.emptyText(), translate(`${texts}.empty.more`));
    try {
      const [item, lift] = await readWithLift(`${this.api}/${encodeURIComponent(id)}`);
      if (mine === this.paneReads && id === this.chosen) pane.show(item, lift, () => this.choose(""));
    } catch (problem) {
      if (problem.status !== 404) throw problem;
      if (mine === this.paneReads && id === this.chosen) pane.empty(translate(`${texts}.missing`), id);
    }
    return null;
  }

  // --- live

  /** Take an item as it is now. */
  take(event) {
    const known = this.items.has(event.id), before = this.items.get(event.id) ?? this.criticals.get(event.id), item = before ? this.merged(before, event) : event;
    if (this.isUrgent(item)) this.criticals.set(item.id, item);
    else this.criticals.delete(item.id);
    this.add(item, known);
    const moves = !known || !this.views[this.view](item);
    if (moves && !this.isUrgent(item) && at("list").matches(":hover")) this.pending = true;
    else this.order();
    this.show();
    if (this.nodes.has(item.id)) highlight(this.nodes.get(item.id));
    if (item.id === this.chosen) this.readAgain();
  }

  /** Add an item that arrived live to the list. */
  add(item) {
    this.items.set(item.id, item);
  }

  // --- rendering

  order() {
    const belongs = this.views[this.view];
    this.shown = [...this.items.values()].filter((item) => belongs(item) && this.passes(item)).sort((a, b) => this.compare(a, b));
    this.pending = false;
  }

  /** Sort the list and show it. */
  refresh() {
    this.order();
    this.show();
  }

  show() {
    const n = this.shown.length, { failed, more, next, pending } = this;
    this.showViews();
    setText(at("headline"), failed ? translate("fleet.failed") : this.headline(n));
    document.title = `${this.criticalCount ? `(${this.criticalCount}) ` : ""}${titleFirst}`;
    at("list").removeAttribute("aria-busy");
    const wanted = failed ? [el("li", {}, placeholder(translate("fleet.failed"), failed.message || translate("error.network.more"), el("button", { click: () => this.readAll().catch(() => {}) }, translate("shell.again"))))]
      : n === 0 ? [el("li", {}, placeholder(this.emptyText(), translate(`${this.texts}.empty.more`)))] : this.shown.slice(0, more).map((item) => this.line(item));
    if (wanted.length !== at("list").children.length || wanted.some((node, i) => at("list").children[i] !== node)) at("list").replaceChildren(...wanted);
    at("more").hidden = !pending && n <= more && !next;
    setText(at("more"), translate(pending ? "inbox.new" : "inbox.more"));
  }

  showViews() {
    const { view, views, closedView } = this, items = view === closedView ? [] : [...this.items.values()].filter((item) => this.passes(item));
    for (const chip of at("views").querySelectorAll("[data-view]")) {
      const name = chip.dataset.view;
      chip.setAttribute("aria-pressed", String(name === view));
      if (view !== closedView && name !== closedView) setText(chip.querySelector("b"), this.countOf(name)?.toLocaleString(locale) ?? `${items.filter(views[name]).length}${this.next ? "+" : ""}`);
    }
  }

  /** Return the sentence about what the view holds. */
  viewSentence(n) {
    return translate(`${this.texts}.${n ? "" : "empty."}${this.view}`, { n });
  }

  /** Return the list item of an item, the same node each time. */
  line(item) {
    const { id } = item, { nodes } = this;
    if (!nodes.has(id)) nodes.set(id, el("li", {}, el("a", { href: this.address(id), click: (event) => { event.preventDefault(); this.choose(id); at("pane").focus({ preventScroll: true }); } })));
    const node = nodes.get(id), link = node.firstElementChild, lift = liftInfo(item.lift_id, () => this.refresh());
    const { heading, time, sentence, state } = this.description(item, lift), key = [item.severity, heading, time, sentence, state, lift.timezone].join("\n");
    if (link.dataset.key !== key) {
      link.dataset.key = key;
      link.replaceChildren(symbol(item.severity), el("b", {}, el("span", { class: "veiled" }, `${translate(`severity.${item.severity}`)}: `), heading), timeNode(time, { zone: lift.timezone }), el("p", {}, sentence), el("small", {}, state));
    }
    node.classList.toggle("seen", this.isSeen(item));
    if (id === this.chosen) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
    return node;
  }

  // --- selection, views and filters

  address(id) {
    return id ? `${this.path}/${encodeURIComponent(id)}` : this.path;
  }

  /** Put a choice and parameters into the address; a parameter that is "" is removed. */
  go({ id = this.chosen, parameters = {}, replace = false }) {
    this.chosen = id;
    document.body.dataset[this.name] = id;
    const here = new URL(location.href);
    here.pathname = this.address(id);
    for (const [name, value] of Object.entries(parameters)) {
      if (value) here.searchParams.set(name, value);
      else here.searchParams.delete(name);
    }
    history[replace ? "replaceState" : "pushState"](null, "", here);
  }

  choose(id, { replace = false } = {}) {
    this.go({ id, replace });
    this.show();
    this.nodes.get(id)?.scrollIntoView({ block: "nearest" });
    if (!WIDE.matches && id) scrollTo({ top: 0 });
    return this.readPane().catch((problem) => this.pane.empty(translate("fleet.failed"), problem.message));
  }

  step(by) {
    const { shown } = this, i = shown.findIndex((item) => item.id === this.chosen), to = shown[Math.min(shown.length - 1, Math.max(0, i + by))];
    if (to && to.id !== this.chosen) this.choose(to.id, { replace: true });
  }

  /** Choose a view or filters; nothing is chosen in the list then. */
  filter(parameters) {
    this.go({ id: "", parameters });
    this.readAnew();
  }

  readAnew() {
    this.more = SHOWN_FIRST;
    this.readList().then(() => this.readPane()).catch((problem) => this.fail(problem));
  }

  revert() {
    this.pane.actions.revert();
  }

  bind(keys) {
    const actions = Object.entries(keys).map(([action, key]) => [key, () => this.pane.id && this.pane.actions.start(action)]);
    bindKeys({ j: () => this.step(1), k: () => this.step(-1), u: () => this.revert(), ...this.moreKeys(), ...Object.fromEntries(actions) });
    for (const chip of at("views").querySelectorAll("[data-view]")) chip.addEventListener("click", () => this.filter({ view: chip.dataset.view === Object.keys(this.views)[0] ? "" : chip.dataset.view }));
    at("more").addEventListener("click", () => {
      if (this.pending) this.order();
      else this.more += SHOWN_FIRST;
      if (this.next && this.more > this.shown.length) this.readList(this.next).catch(() => {});
      this.show();
    });
    at("list").addEventListener("pointerleave", () => this.pending && this.refresh());
    addEventListener("popstate", () => {
      this.chosen = decodeURIComponent(location.pathname.split("/")[2] ?? "");
      document.body.dataset[this.name] = this.chosen;
      this.readAnew();
    });
    document.addEventListener("name", () => this.refresh());
  }
}
