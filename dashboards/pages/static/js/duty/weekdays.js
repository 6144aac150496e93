// The days of the week and hours of it, as fields of the forms of rosters and policies.

import { el } from "../element.js";
import { locale, translate } from "../translations.js";
import { checked, checks, field } from "../form_dialog.js";

export const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

const MONDAY_MS = Date.UTC(2024, 0, 1), DAY_MS = 86_400_000;

const dayName = (i) => new Intl.DateTimeFormat(locale, { weekday: "short", timeZone: "UTC" }).format(MONDAY_MS + i * DAY_MS);

/** Return the days of the week as boxes to tick. */
export const dayChecks = (name, chosen) => checks("duty.weekdays", name, DAYS.map((each, i) => [each, dayName(i)]), chosen);

/** Return the names of the time zones that the browser knows, for the fields with this list. */
export const zoneList = () => el("datalist", { id: "zones" }, ...(Intl.supportedValuesOf?.("timeZone") ?? []).map((zone) => el("option", { value: zone })));

/** Return the fields of hours, empty where they are null: from, until, the zone and the days. */
export function hoursFields(key, name, hours) {
  const zone = hours?.timezone ?? Intl.DateTimeFormat().resolvedOptions().timeZone, time = (part) => el("input", { type: "time", name: `${name}-${part}`, value: hours?.[part] ?? "" });
  return el("fieldset", {}, el("legend", {}, translate(key)),
    el("div", { class: "row" }, field("duty.from", time("from")), field("duty.until", time("until")), field("duty.timezone", el("input", { name: `${name}-timezone`, value: zone, list: "zones" }))),
    dayChecks(`${name}-weekdays`, hours?.weekdays ?? DAYS));
}

/** Return the hours of a form, null where no time is entered. */
export function hoursBody(form, name) {
  const [from, until, timezone] = ["from", "until", "timezone"].map((part) => form.elements[`${name}-${part}`].value);
  return from || until ? { from, until, timezone, weekdays: checked(form, `${name}-weekdays`) } : null;
}
