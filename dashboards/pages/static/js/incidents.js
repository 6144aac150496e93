// The inbox: incidents with their filters, which the server applies, sorts and counts. A critical one is counted in the
// headline, the title and the icon, whatever the filters are.

import "./shell.js";
import { get } from "./api.js";
import { el, setText } from "./element.js";
import { fillDistricts } from "./districts.js";
import { openCallForm } from "./incident/call_form.js";
import { ClosingMany, OVER } from "./incident/closing_many.js";
import { ACTION_KEYS } from "./incident_actions.js";
import { IncidentPane, incidentSentence } from "./incident_pane.js";
import { liftInfo } from "./lift_names.js";
import { ListPage, at } from "./list_page.js";
import { severityRank } from "./severity.js";
import { incidentSummary, liftName, nameInLanguage, translate } from "./translations.js";
import { watchUnreached } from "./unreached.js";
import { isMine, may, myNames, requireAuthor } from "./user_name.js";
import { Watch } from "./watch.js";

const SEARCH_MS = 300, COUNT_MS = 1000;
const FILTERS = ["district", "organisation", "kind", "severity", "owner", "q"];
const CRITICAL = { state: "open", severity: "critical" };
const CRITICALS_LISTED = 200;
const form = at("tools");

const isOpen = (incident) => incident.state === "open";

/** Places of those whose timer is overdue: the oldest comes first, of all others the newest. */
const LONGEST_FIRST = [-6, -3];

/** Return the place of an incident in the order of urgency, as `store/records/incidents/rows.py`. */
function urgencyOf({ state, severity, acknowledged, may_hold_people, rescue }) {
  if (state !== "open" || !may_hold_people) return 2 * severityRank(severity) + acknowledged;
  return (acknowledged ? -1 : -4) - (rescue?.overdue.length ? 2 : 0);
}

class IncidentsPage extends ListPage {
  views = {
    now: isOpen,
    mine: (incident) => isOpen(incident) && isMine(incident.owner),
    over: (incident) => !isOpen(incident),
  };
  watch = new Watch(at("watch"), (id) => this.choose(id));
  many = new ClosingMany(at("many"), at("many-done"), { name: (incident) => this.sentenceOf(incident), changed: (incident) => this.take(incident) });
  counts = { now: null, mine: null, critical: 0, inside: 0 };
  countReads = 0;

  get staysConnected() {
    return this.watch.isOn;
  }

  filters() {
    return Object.fromEntries(FILTERS.map((name) => [name, this.parameter(name)]).filter(([, value]) => value));
  }

  /** Return the filters as the API has them. */
  conditions() {
    const { owner, ...rest } = this.filters();
    return { ...rest, ...(owner ? { unassigned: true } : {}) };
  }

  query(view = this.view) {
    if (view === this.closedView) return { ...this.conditions(), state: "closed" };
    return { ...this.conditions(), state: "open", sort: "urgency", ...(view === "mine" ? { owner: myNames() } : {}) };
  }

  isUrgent(incident) {
    return incident.severity === "critical" && isOpen(incident);
  }

  /** Return whether the server alone can tell whether an incident belongs to the filters. */
  get isSearched() {
    return Boolean(this.parameter("q") || this.parameter("organisation"));
  }

  /** Return whether an incident belongs to the filters; texts and organisations are compared by the server alone. */
  passes(incident) {
    const { district, kind, severity, owner } = this.filters();
    return (!district || incident.lifts.some((lift) => lift.district === district)) && (!kind || incident.kind === kind) && (!severity || incident.severity === severity) && (!owner || incident.owner === null);
  }

  // --- loading: the list is sorted by the server, so that the most urgent are in its first page

  async readCriticals() {
    const { items } = await get(this.api, { ...CRITICAL, sort: "urgency", limit: CRITICALS_LISTED });
    this.criticals = new Map(items.map((item) => [item.id, item]));
  }

  /** Load how many incidents there are: critical ones, those of each view under the filters, those that are over. */
  async readCounts() {
    const count = (query) => get(`${this.api}/counts`, { ...query, sort: null });
    const owned = myNames().length ? count(this.query("mine")) : { total: 0 }, over = may("resolve") ? count({ ...this.conditions(), ...OVER }) : { total: 0 };
    const asked = ++this.countReads, [critical, now, mine, closable] = await Promise.all([count(CRITICAL), count(this.query("now")), owned, over]);
    if (asked !== this.countReads) return; // Another filter was chosen meanwhile.
    this.counts = { critical: critical.total, inside: critical.inside, now: now.total, mine: mine.total };
    this.many.show(closable.total, this.conditions());
  }

  /** Count again soon, once for all that changes until then. */
  countAgain() {
    this.counting ??= setTimeout(() => {
      this.counting = null;
      this.readCounts().then(() => this.show(), () => {});
    }, COUNT_MS);
  }

  /** Load the counts, so that the headline is that of the list, and the list. */
  async readList(cursor = null) {
    if (!cursor) await this.readCounts();
    await super.readList(cursor);
  }

  readAnew() {
    Object.assign(this.counts, { now: null, mine: null });
    this.fillForm();
    super.readAnew();
  }

  /** What became critical while the list was loaded is listed too, unless the server alone can filter it. */
  pinned() {
    return this.view === this.closedView || this.isSearched ? [] : this.criticals.values();
  }

  /** Take an event; the counts change at once by what is known of the incident, and the server's follow. */
  take(incident) {
    const before = this.items.get(incident.id) ?? this.criticals.get(incident.id), change = (counted) => Number(counted(incident)) - Number(Boolean(before) && counted(before));
    const more = { critical: change((each) => this.isUrgent(each)), inside: change((each) => this.isUrgent(each) && each.may_hold_people) };
    if (this.counts.now !== null && (before || !this.isSearched)) more.now = change((each) => isOpen(each) && this.passes(each));
    super.take(incident);
    this.count(more);
    this.countAgain();
  }

  count(more) {
    for (const [name, by] of Object.entries(more)) this.counts[name] = Math.max(0, this.counts[name] + by);
    this.show();
  }

  add(incident, known) {
    if (known || !this.isSearched) super.add(incident);
    else this.searching ??= setTimeout(() => {
      this.searching = null;
      this.readList().catch(() => {});
    }, COUNT_MS);
  }

  /** Return an incident with the lifts that are known of it: a live event has one of them alone. */
  merged(before, event) {
    const lifts = [...event.lifts, ...before.lifts.filter((lift) => !event.lifts.some(({ lift_id }) => lift_id === lift.lift_id))];
    return { ...event, lift_id: before.lift_id, district: before.district, lifts: lifts.sort((a, b) => b.holds_people - a.holds_people) };
  }

  // --- rendering

  /** Order: those that may hold people, overdue ones before others, then the most severe, then those that nobody has acknowledged, then newest first; what is over by its closing. */
  compare(a, b) {
    if (this.view === this.closedView) return (b.closed ?? "").localeCompare(a.closed ?? "");
    const rank = urgencyOf(a);
    return rank - urgencyOf(b) || (LONGEST_FIRST.includes(rank) ? a.opened.localeCompare(b.opened) : b.opened.localeCompare(a.opened));
  }

  show() {
    super.show();
    const waiting = [...this.criticals.values()].filter((incident) => !incident.acknowledged);
    this.watch.update(new Map(waiting.map((incident) => [incident.id, this.sentenceOf(incident)])));
    at("clear").hidden = !this.isFiltered();
    this.showArrived(waiting.filter(({ id }) => id !== this.chosen));
  }

  /** Name the most urgent critical incident that waits besides the chosen one: a phone shows no list beside the pane. */
  showArrived(waiting) {
    const button = at("arrived"), [first] = waiting.sort((a, b) => this.compare(a, b));
    button.hidden = !first;
    if (!first) return;
    setText(button, translate("incidents.arrived", { n: waiting.length, sentence: this.sentenceOf(first) }));
    button.onclick = () => this.choose(first.id);
  }

  sentenceOf(incident) {
    return incidentSentence(incident, liftInfo(incident.lift_id, () => {}));
  }

  isFiltered() {
    return Object.keys(this.filters()).length > 0;
  }

  emptyText() {
    return this.isFiltered() ? translate("incidents.empty.filter") : super.emptyText();
  }

  get criticalCount() {
    return this.counts.critical;
  }

  countOf(view) {
    return this.counts[view];
  }

  /** Return the headline: critical incidents whatever the filters are, then what the view holds. */
  headline(n) {
    const { critical, inside } = this.counts, isOver = this.view === this.closedView;
    if (!isOver && this.counts[this.view] === null) return at("headline").textContent; // Not counted yet.
    const total = isOver ? n : Math.max(n, this.counts[this.view]);
    const held = this.isFiltered() && !isOver ? translate("incidents.filtered", { n: total }) : this.viewSentence(total);
    if (!critical) return held;
    const urgent = inside ? translate("incidents.inside", { n: inside }) : translate("incidents.critical", { n: critical });
    return total === (inside || critical) && this.view === "now" && !this.isFiltered() ? urgent : `${urgent} · ${held}`;
  }

  description(incident, lift) {
    const { building, closed, lifts, opened, owner, stage, unconfirmed } = incident;
    const state = [unconfirmed ? translate("incident.unconfirmed") : null, translate(`stage.${stage}`), owner ? translate("alert.assigned", { name: nameInLanguage(owner) }) : translate("incidents.unassigned"), lifts.length > 1 ? translate("incident.lifts", { n: lifts.length }) : null];
    return { heading: building ? nameInLanguage(building) : liftName(lift), time: closed ?? opened, sentence: [incidentSummary(incident), building ? null : nameInLanguage(lift.address ?? "")].filter(Boolean).join(" · "), state: state.filter(Boolean).join(" · ") };
  }

  isSeen(incident) {
    return incident.acknowledged || !isOpen(incident);
  }

  // --- input

  /** Show the filters of the address in the form. */
  fillForm() {
    for (const name of FILTERS) form.elements[name].value = this.parameter(name);
    if (FILTERS.some((name) => name !== "q" && this.parameter(name))) form.querySelector("details").open = true;
  }

  moreKeys() {
    return { n: () => this.call(), e: () => this.many.start() };
  }

  async call() {
    const author = may("acknowledge") && await requireAuthor();
    if (author) openCallForm(author, (incident) => { this.take(incident); this.choose(incident.id); });
  }

  revert() {
    if (!this.many.revert()) super.revert();
  }
}

const page = new IncidentsPage({ name: "incident", texts: "incidents", critical: CRITICAL, keys: ACTION_KEYS, Pane: IncidentPane });

let typing = 0;
form.addEventListener("submit", (event) => event.preventDefault());
for (const name of FILTERS) {
  const input = form.elements[name], isText = input.tagName === "INPUT";
  input.addEventListener(isText ? "input" : "change", () => {
    clearTimeout(typing);
    typing = setTimeout(() => page.filter({ [name]: input.value.trim() }), isText ? SEARCH_MS : 0);
  });
}
at("clear").addEventListener("click", (event) => {
  event.preventDefault();
  page.filter(Object.fromEntries(FILTERS.map((name) => [name, ""])));
});
at("call").hidden = !may("acknowledge");
at("call").addEventListener("click", () => page.call());
fillDistricts(form.elements.district, [], page.parameter("district")); // That of the address: the others follow.
page.fillForm();
page.start();
watchUnreached(at("unreached"), (id) => page.choose(id));
get(`/api/v1/incidents/organisations`).then(({ items }) => at("organisations").replaceChildren(...items.map((name) => el("option", { value: nameInLanguage(name) }))), () => {});
get("/api/v1/fleet").then(({ districts }) => fillDistricts(form.elements.district, Object.keys(districts), page.parameter("district")), () => {});
