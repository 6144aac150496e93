// The page of the audit log: who did what, with the values before and after.

import "./shell.js";
import { el } from "./element.js";
import { filteredList, filterLink } from "./filtered_list.js";
import { stamp, timeNode } from "./time.js";
import { hasTranslation, nameInLanguage, translate } from "./translations.js";

const SHOWN_VALUES = 4; // More values than these are shown on demand: all facts of a new lift, for example.

const actionName = (action) => (hasTranslation(`audit.action.${action}`) ? translate(`audit.action.${action}`) : action);

/** Return the name of a field: that of the audit log, else that of a fact of a lift. */
const fieldName = (name) => translate([`audit.field.${name}`, `fact.${name}`].find(hasTranslation) ?? name);

function headline(page, { lift_id, who }) {
  const count = page.next ? translate("audit.atleast", { n: page.items.length }) : translate("audit.count", { n: page.items.length });
  const about = [who, lift_id].filter(Boolean).join(translate("shell.comma"));
  return about ? translate("refused.of", { count, lift: about }) : count;
}

/** Return an action: when, who, as what, what to what, from where, and what it changed. */
function entry(row, zone) {
  const { by } = row, isRefused = row.outcome === "refused";
  const role = [by.role && (hasTranslation(`role.${by.role}`) ? translate(`role.${by.role}`) : by.role), by.organisation && nameInLanguage(by.organisation)].filter(Boolean).join(translate("shell.comma"));
  return el("li", { class: isRefused ? "is-refused" : null },
    el("div", { class: "when" }, el("time", { datetime: row.time }, stamp(row.time, zone)), timeNode(row.time, { zone })),
    el("div", {},
      el("p", {}, filterLink("who", by.account ?? by.name, nameInLanguage(by.name)), role && el("span", { class: "faint" }, ` (${role})`), " ",
        el("b", {}, actionName(row.action)), isRefused ? el("span", { class: "tag" }, translate("audit.refused")) : null),
      el("p", { class: "topic" }, row.names[row.subject] ? el("span", { title: row.subject }, nameInLanguage(row.names[row.subject])) : el("code", {}, row.subject), row.lift_id && filterLink("lift_id", row.lift_id, translate("refused.only", { lift: row.lift_id }))),
      ...values(row),
      el("p", { class: "detail number" }, translate("audit.row", { id: String(row.id) }), by.address && ` · ${by.address}`, el("span", { title: row.hash }, ` · ${row.hash.slice(0, 12)}…`))));
}

/** Return what was asked, and the changed values; collapsed where there are many. */
function values({ detail, before, after, names: known }) {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  const changed = names.map((name) => el("li", {}, el("span", { title: name }, fieldName(name)), translate("shell.colon"), before && el("del", {}, text(name, before[name])), before && after && " → ", after && el("ins", {}, text(name, after[name]))));
  const asked = Object.entries(detail ?? {}).filter(([, value]) => value !== null).map(([name, value]) => el("li", {}, el("span", { title: name }, fieldName(name)), translate("shell.colon"), text(name, known[value] ?? value)));
  const lines = [...asked, ...changed];
  if (!lines.length) return [];
  const list = el("ul", { class: "values" }, ...lines);
  return [lines.length <= SHOWN_VALUES ? list : el("details", {}, el("summary", {}, translate("audit.values", { n: lines.length })), list)];
}

/** Return a value as text: times as times, unknown values as a word. */
function text(name, value) {
  if (value === null || value === undefined) return translate("shell.none");
  if (name.endsWith("_ns") && typeof value === "number") return stamp(value / 1e6);
  if (typeof value === "object") return JSON.stringify(value);
  const key = [`role.${value}`, `${name}.${value}`].find(hasTranslation); // `severity.critical`, `stage.released`
  return key ? translate(key) : nameInLanguage(String(value));
}

filteredList({
  path: "/api/v1/audit", filters: ["who", "action", "lift_id", "outcome", "from", "to"], entry, headline,
  empty: () => [translate("audit.none"), translate("audit.none.more")],
  failed: translate("audit.failed"), zoneText: "audit.zone",
  shown: (filter) => { document.getElementById("export").href = `/api/v1/audit?${new URLSearchParams({ ...filter, format: "csv" })}`; },
});
