// The week of a roster as a table: a row for each day in the zone of the roster, its shifts along the hours, gaps hatched.

import { el } from "../element.js";
import { locale, translate } from "../translations.js";

export const DAY_MS = 86_400_000, WEEK_DAYS = 7;

/** Return the offset of a zone from UTC at an instant, in milliseconds. */
function offset(zone, at_ms) {
  const parts = Object.fromEntries(new Intl.DateTimeFormat("en-GB", { timeZone: zone, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric", second: "numeric" }).formatToParts(at_ms).map(({ type, value }) => [type, Number(value)]));
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second) - Math.floor(at_ms / 1000) * 1000;
}

/** Return the instant at which a day begins in a zone; `day` is the day as midnight UTC. */
function midnight(zone, day) {
  const guess = day - offset(zone, day);
  return day - offset(zone, guess);
}

/** Return the table of seven days from the day of `start_ms` on; `names(people)` are the names of a shift. */
export function weekOf(shifts, zone, start_ms, names) {
  const today = Math.floor((start_ms + offset(zone, start_ms)) / DAY_MS) * DAY_MS, now = Date.now();
  const title = new Intl.DateTimeFormat(locale, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
  const clock = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
  const rows = Array.from({ length: WEEK_DAYS }, (_, i) => today + i * DAY_MS).map((day) => {
    const begin = midnight(zone, day), end = midnight(zone, day + DAY_MS), track = el("div", { class: "track" });
    for (const shift of shifts) {
      const from = Math.max(Date.parse(shift.from), begin), until = Math.min(Date.parse(shift.until), end);
      if (from >= until) continue;
      const who = shift.is_gap ? translate("duty.gap") : names(shift.people), hours = `${clock.format(from)}–${until === end ? "24:00" : clock.format(until)}`;
      const node = el("div", { class: `shift ${shift.is_gap ? "gap" : shift.is_override ? "override" : ""}`, title: `${hours} ${who}` }, el("span", {}, who, el("span", { class: "veiled" }, ` ${hours}`)));
      node.style.left = `${((from - begin) / (end - begin)) * 100}%`;
      node.style.width = `${((until - from) / (end - begin)) * 100}%`;
      track.append(node);
    }
    return el("tr", { "aria-current": now >= begin && now < end ? "date" : null }, el("th", { scope: "row" }, title.format(day)), el("td", {}, track));
  });
  const hours = el("tr", { "aria-hidden": "true" }, el("td", {}), el("td", {}, el("div", { class: "hours" }, ...["00:00", "06:00", "12:00", "18:00"].map((hour) => el("span", {}, hour)))));
  return el("table", { class: "week", "aria-label": translate("duty.week") }, el("colgroup", {}, el("col", { class: "day" }), el("col", {})), el("tbody", {}, hours, ...rows));
}
