// Other incidents in the pane of one: those that it is linked with or was merged into, and the choice of another one.

import { get } from "../api.js";
import { el, symbol } from "../element.js";
import { liftInfo } from "../lift_names.js";
import { timeNode } from "../time.js";
import { incidentSummary, liftName, nameInLanguage, translate } from "../translations.js";

const SHOWN_MOST = 8, TYPING_MS = 200;

const known = new Map();

const address = (id) => `/incidents/${encodeURIComponent(id)}`;

/** Return the section about other incidents: links to them, and the buttons of `actions` that join and part incidents. */
export function otherIncidents({ links, merged_into }, actions) {
  const named = [...(merged_into ? [[merged_into, "incident.merged"]] : []), ...links.filter((id) => id !== merged_into).map((id) => [id, "incident.linked"])];
  const buttons = actions.filter(Boolean);
  if (!named.length && !buttons.length) return [];
  return [
    el("h3", {}, translate("incident.others.title")),
    ...(named.length ? [el("ul", { class: "linked" }, ...named.map(([id, key]) => linked(id, key)))] : []),
    ...(buttons.length ? [el("p", { class: "ends" }, ...buttons)] : []),
    ...buttons.filter((button) => button.disabled && button.title).map((button) => el("p", { class: "faint" }, `${button.querySelector("span").textContent}${translate("shell.colon")}${button.title}`)),
  ];
}

/** Return the line of an incident that is named by its id; its sentence follows when it is loaded. */
function linked(id, key) {
  const link = el("a", { href: address(id) }, id), stage = el("span", {});
  const show = () => {
    const incident = known.get(id);
    link.replaceChildren(sentence(incident, show));
    stage.replaceChildren(` · ${translate(`stage.${incident.stage}`)}`);
  };
  if (known.has(id)) show();
  get(`/api/v1/incidents/${encodeURIComponent(id)}`).then((incident) => {
    known.set(id, incident);
    show();
  }, () => {});
  return el("li", {}, `${translate(key)}${translate("shell.colon")}`, link, stage);
}

const sentence = ({ building, lift_id, ...incident }, later) => `${building ? nameInLanguage(building) : liftName(liftInfo(lift_id, later))} · ${incidentSummary(incident)}`;

/** Return a field that chooses another incident, those near this one first; `query` restricts them, as the API's. */
export function incidentField(incident, query) {
  const search = el("input", { type: "search", autocomplete: "off", spellcheck: "false", maxlength: 200, placeholder: translate("incidents.search"), "aria-label": translate("incidents.search") });
  const list = el("div", { class: "choices", role: "radiogroup", "aria-label": translate("act.which-incident") }, el("p", { class: "faint" }, translate("inbox.reading")));
  let typing = 0, asked = 0;
  const read = async () => {
    const mine = ++asked, items = await candidates(incident, query, search.value.trim());
    if (mine !== asked) return;
    list.replaceChildren(...(items.length ? items.map(choice) : [el("p", { class: "faint" }, translate("act.no-other"))]));
  };
  search.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => read().catch(() => {}), TYPING_MS);
  });
  search.addEventListener("keydown", (event) => event.key === "Enter" && !event.ctrlKey && !event.metaKey && event.preventDefault());
  read().catch(() => list.replaceChildren(el("p", { class: "problem" }, translate("fleet.failed"))));
  return el("div", { class: "other" }, el("label", {}, el("span", {}, translate("act.which-incident")), search), list);
}

/** Return the incidents to choose from: those of the same building and lifts, then those of the district, then others. */
async function candidates(incident, query, q) {
  const near = q ? [{ q }] : [incident.building ? { q: incident.building.slice(0, 200) } : { lift_id: incident.lifts.map(({ lift_id }) => lift_id).slice(0, 50) }, { district: incident.district }, {}];
  const found = new Map();
  for (const more of near) {
    const { items } = await get("/api/v1/incidents", { ...query, ...more, limit: SHOWN_MOST + 1, sort: "urgency" });
    for (const item of items) if (item.id !== incident.id && !incident.links.includes(item.id)) found.set(item.id, item);
    if (found.size >= SHOWN_MOST) break;
  }
  return [...found.values()].slice(0, SHOWN_MOST);
}

function choice(incident) {
  const name = el("span", {}), show = () => name.replaceChildren(sentence(incident, show));
  show();
  return el("label", { class: "check" }, el("input", { type: "radio", name: "other", value: incident.id, required: true }), symbol(incident.severity),
    el("span", {}, name, " ", el("small", {}, `${translate(`stage.${incident.stage}`)} · `, timeNode(incident.opened))));
}
