// The inbox: incidents with their filters. A critical one is counted in the headline, the title and the icon.

import "./shell.js";
import { get } from "./api.js";
import { fillDistricts } from "./districts.js";
import { ACTION_KEYS } from "./incident_actions.js";
import { IncidentPane, incidentSentence } from "./incident_pane.js";
import { liftInfo } from "./lift_names.js";
import { ListPage, at } from "./list_page.js";
import { severityRank } from "./severity.js";
import { districtName, incidentSummary, liftName, nameInLanguage, translate } from "./translations.js";
import { watchUnreached } from "./unreached.js";
import { isMine } from "./user_name.js";
import { Watch } from "./watch.js";

const SEARCH_MS = 300;
const FILTERS = ["district", "firm", "kind", "severity", "owner", "q"];
const form = at("tools");

const isOpen = (incident) => incident.state === "open";

class IncidentsPage extends ListPage {
  views = {
    now: isOpen,
    mine: (incident) => isOpen(incident) && isMine(incident.owner),
    over: (incident) => !isOpen(incident),
  };
  watch = new Watch(at("watch"), (id) => this.choose(id));

  filters() {
    return Object.fromEntries(FILTERS.map((name) => [name, this.parameter(name)]).filter(([, value]) => value));
  }

  query() {
    const { district, firm, kind, severity } = this.filters();
    return { district, firm, kind, severity, state: this.view === this.closedView ? "closed" : "open" };
  }

  isUrgent(incident) {
    return incident.severity === "critical" && isOpen(incident);
  }

  /** Return whether an incident belongs to the filters; the firm of its lifts is compared by the server alone. */
  passes(incident) {
    const { district, kind, severity, owner, q } = this.filters();
    return (!district || incident.district === district) && (!kind || incident.kind === kind) && (!severity || incident.severity === severity) && (!owner || incident.owner === null) && (!q || this.textOf(incident).includes(q.toLowerCase()));
  }

  /** Return the text in which the filter is searched. */
  textOf(incident) {
    const lift = liftInfo(incident.lift_id, () => this.refresh());
    return [liftName(lift), lift.address, incident.lift_id, districtName(incident.district), incident.building, incident.owner, translate(`incident.${incident.kind}`)].join(" ").toLowerCase();
  }

  /** Critical incidents are listed however many newer ones there are, unless the server alone can filter them. */
  pinned() {
    return this.view === this.closedView || this.parameter("firm") ? [] : this.criticals.values();
  }

  add(incident, known) {
    if (known || !this.parameter("firm")) super.add(incident);
    else this.readList().catch(() => {});
  }

  /** Return an incident with the lifts that are known of it: a live event has one of them alone. */
  merged(before, event) {
    const lifts = [...event.lifts, ...before.lifts.filter((lift) => !event.lifts.some(({ lift_id }) => lift_id === lift.lift_id))];
    return { ...event, lift_id: before.lift_id, district: before.district, lifts: lifts.sort((a, b) => b.holds_people - a.holds_people) };
  }

  /** Order: most severe first, then those that nobody has acknowledged, then newest first; what is over by its closing. */
  compare(a, b) {
    if (this.view === this.closedView) return (b.closed ?? "").localeCompare(a.closed ?? "");
    return severityRank(a.severity) - severityRank(b.severity) || a.acknowledged - b.acknowledged || b.opened.localeCompare(a.opened);
  }

  show() {
    super.show();
    const waiting = [...this.criticals.values()].filter((incident) => !incident.acknowledged);
    this.watch.update(new Map(waiting.map((incident) => [incident.id, incidentSentence(incident, liftInfo(incident.lift_id, () => {}))])));
    at("clear").hidden = !this.isFiltered();
  }

  isFiltered() {
    return Object.keys(this.filters()).length > 0;
  }

  emptyText() {
    return this.isFiltered() ? translate("incidents.empty.filter") : super.emptyText();
  }

  /** Return the headline: critical incidents whatever the filters are, then what the view holds. */
  headline(n) {
    const { criticals } = this, inside = [...criticals.values()].filter((incident) => incident.may_hold_people).length;
    if (!criticals.size) return this.viewSentence(n);
    const urgent = inside ? translate("incidents.inside", { n: inside }) : translate("incidents.critical", { n: criticals.size });
    return n === criticals.size && this.view === "now" ? urgent : `${urgent} · ${this.viewSentence(n)}`;
  }

  description(incident, lift) {
    const { building, closed, lifts, opened, owner, stage, unconfirmed } = incident;
    const state = [unconfirmed ? translate("incident.unconfirmed") : null, translate(`stage.${stage}`), owner ? translate("alert.assigned", { name: owner }) : translate("incidents.unassigned"), lifts.length > 1 ? translate("incident.lifts", { n: lifts.length }) : null];
    return { heading: building ? nameInLanguage(building) : liftName(lift), time: closed ?? opened, sentence: [incidentSummary(incident), building ? null : nameInLanguage(lift.address ?? "")].filter(Boolean).join(" · "), state: state.filter(Boolean).join(" · ") };
  }

  isSeen(incident) {
    return incident.acknowledged || !isOpen(incident);
  }

  readAnew() {
    this.fillForm();
    super.readAnew();
  }

  /** Show the filters of the address in the form. */
  fillForm() {
    for (const name of FILTERS) form.elements[name].value = this.parameter(name);
  }
}

const page = new IncidentsPage({ name: "incident", texts: "incidents", critical: { state: "open", severity: "critical" }, keys: ACTION_KEYS, Pane: IncidentPane });

let typing = 0;
form.addEventListener("submit", (event) => event.preventDefault());
for (const name of FILTERS) {
  const input = form.elements[name], isText = input.type === "search";
  input.addEventListener(isText ? "input" : "change", () => {
    clearTimeout(typing);
    typing = setTimeout(() => page.filter({ [name]: input.value.trim() }), isText ? SEARCH_MS : 0);
  });
}
at("clear").addEventListener("click", (event) => {
  event.preventDefault();
  page.filter(Object.fromEntries(FILTERS.map((name) => [name, ""])));
});
fillDistricts(form.elements.district, [], page.parameter("district")); // That of the address: the others follow.
page.fillForm();
page.start();
watchUnreached(at("unreached"), (id) => page.choose(id));
get("/api/v1/fleet").then(({ districts }) => fillDistricts(form.elements.district, Object.keys(districts), page.parameter("district")), () => {});
