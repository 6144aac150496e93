// Who is on duty for an incident, with numbers that dial, in its pane.

import { get } from "../api.js";
import { el } from "../element.js";
import { shortStamp } from "../time.js";
import { nameInLanguage, translate } from "../translations.js";

const kept = new Map();

const phone = (number) => el("a", { class: "phone", href: `tel:${number.replaceAll(" ", "")}` }, number);

/** Fill `box` with who is on duty for an incident; what was read before is shown until then. */
export async function showDuty(box, { id }) {
  if (kept.has(id)) draw(box, kept.get(id));
  try {
    const calls = await get(`/api/v1/incidents/${encodeURIComponent(id)}/on-duty`);
    kept.clear();
    kept.set(id, calls);
    draw(box, calls);
  } catch {
    // The firm and the owner stay: their numbers are in the facts of the lift.
  }
}

function draw(box, { on_duty, telephones }) {
  const rosters = on_duty.map(({ organisation, roster, until, people }) => people.length
    ? el("li", {}, el("span", { class: "faint" }, translate("incident.on-duty", { roster: nameInLanguage(roster), organisation: nameInLanguage(organisation), until: shortStamp(until) })), ...people.map(({ name, telephones: numbers }) => el("div", {}, el("b", {}, name ? nameInLanguage(name) : translate("duty.left")), " ", ...(numbers.length ? numbers.map(phone) : [el("span", { class: "faint" }, translate("incident.no-number"))]))))
    : el("li", {}, el("b", {}, translate("incident.on-duty.nobody", { roster: nameInLanguage(roster), organisation: nameInLanguage(organisation) }))));
  const lines = telephones.map(({ organisation, telephone }) => el("li", {}, `${translate("incident.duty-line", { organisation: nameInLanguage(organisation) })}: `, phone(telephone)));
  box.replaceChildren(...(rosters.length || lines.length ? [el("ul", { class: "people" }, ...rosters, ...lines)] : []));
}
