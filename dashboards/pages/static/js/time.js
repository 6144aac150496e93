// Formatting of instants and durations: relative times, absolute times on hover, in the lift's time zone.

import { serverNow } from "./api.js";
import { el, setText } from "./element.js";
import { locale, translate } from "./translations.js";

const SPANS = [["d", 86400, "h", 3600], ["h", 3600, "min", 60], ["min", 60, "s", 1]];

/** Return a duration in its two largest units: "2 min 10 s". */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  for (const [unit, size, below, part] of SPANS) {
    if (whole < size) continue;
    const a = Math.floor(whole / size), b = Math.floor((whole % size) / part);
    return b && a < 100 ? translate(`time.${unit}.${below}`, { a, b }) : translate(`time.${unit}`, { a });
  }
  return translate("time.s", { a: whole });
}

/** Return a duration in its largest unit: "2 min". */
function roughSpan(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [unit, size] = SPANS.find(([, size]) => whole >= size) ?? ["s", 1];
  return translate(`time.${unit}`, { a: Math.floor(whole / size) });
}

export const HEARTBEAT_S = 60; // No lift promises to speak more often: past it, its readings are shown as old.

export const secondsSince = (iso) => (serverNow() - Date.parse(iso)) / 1000;

function ago(iso) {
  const seconds = secondsSince(iso);
  return seconds < 3 ? translate("time.now") : translate("time.ago", { duration: roughSpan(seconds) });
}

const formats = new Map(), ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;
let pageZone = null;

/** Set the time zone of the times that name none: on the page of a lift, the lift's. */
export function setPageZone(zone) {
  pageZone = zone ?? null;
}

/** Return the name of the zone that times are shown in; the browser's where the lift has none, or one that the browser lacks. */
export function zoneName(zone) {
  const wanted = zone ?? pageZone;
  if (!wanted) return ownZone;
  try {
    return new Intl.DateTimeFormat(locale, { timeZone: wanted }).resolvedOptions().timeZone && wanted;
  } catch {
    return ownZone;
  }
}

/** Return the sentence that names the zone of the times. */
export const zoneSentence = (zone) => translate(zone && zoneName(zone) === zone ? "zone.lift" : "zone.browser", { zone: zoneName(zone) });

function format(zone, options) {
  const key = `${zone ?? pageZone} ${JSON.stringify(options)}`;
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, { ...options, timeZone: zoneName(zone), hourCycle: "h23" }));
  return formats.get(key);
}

/** Return date and time to the second, with the name of the time zone. */
export const stamp = (when, zone) => format(zone, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
}).format(new Date(when));

/** Return date and time to the second, for a text that names the time zone elsewhere. */
export const fullStamp = (when, zone) => format(zone, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(when));

/** Return date and time to the second with the name of the time zone, for a list over several zones. */
export const zonedStamp = (when, zone) => format(zone, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" }).format(new Date(when));

/** Return a day YYYY-MM-DD of a lift's own calendar. */
export const dayText = (day) => new Intl.DateTimeFormat(locale, { month: "short", day: "numeric", timeZone: "UTC" }).format(new Date(day));

/** Return an instant as the value of a datetime-local input whose times are in `zone`; "" for a text that is no instant. */
export function inputTime(iso, zone) {
  const when = new Date(iso);
  return Number.isNaN(when.getTime()) ? "" : wallTime(when, zone).toISOString().slice(0, 16);
}

/** Return the instant of a value of a datetime-local input whose times are in `zone`. */
export function instantOf(value, zone) {
  const wanted = Date.parse(`${value}Z`), ahead = (at) => wallTime(new Date(at), zone).getTime() - at;
  return new Date(wanted - ahead(wanted - ahead(wanted))).toISOString();
}

/** Return the date whose UTC time is the time of day of `when` in `zone`, to the second. */
function wallTime(when, zone) {
  const parts = new Intl.DateTimeFormat("sv-SE", { timeZone: zoneName(zone), dateStyle: "short", timeStyle: "medium" }).format(when);
  return new Date(`${parts.replace(" ", "T")}Z`);
}

/** Return date and time without seconds. */
export const shortStamp = (when, zone) => format(zone, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }).format(new Date(when));

/** Return the time of day to the second. */
export const clock = (when, zone) => format(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(when));

/** Return the time of day with the name of the time zone, for a text beside which no zone is named. */
export const zonedClock = (when, zone) => format(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" }).format(new Date(when));

/** Return an age, "just now" for the last minute: a column of ticking seconds distracts. */
export const calm = (iso) => (secondsSince(iso) < 60 ? translate("time.now") : ago(iso));

const FORMATTERS = { ago, calm, span: (iso) => span(secondsSince(iso)), rough: (iso) => roughSpan(secondsSince(iso)), for: (iso) => translate("time.for", { duration: span(secondsSince(iso)) }) };

/** Return a <time> element that is updated every second ("ago", "span", "rough" or "for"), with a tooltip of the absolute time. */
export function timeNode(iso, { zone = null, as = "ago" } = {}) {
  return setTime(el("time", {}), iso, { zone, as });
}

export function setTime(node, iso, { zone = null, as = "ago", none = "" } = {}) {
  if (!iso) {
    node.removeAttribute("datetime");
    node.removeAttribute("title");
    setText(node, none);
    return node;
  }
  if (node.getAttribute("datetime") !== iso) {
    node.setAttribute("datetime", iso);
    node.setAttribute("title", stamp(iso, zone));
  }
  node.dataset.as = as;
  setText(node, FORMATTERS[as](iso));
  return node;
}

setInterval(() => {
  if (document.hidden) return;
  for (const node of document.querySelectorAll("time[data-as][datetime]")) setText(node, FORMATTERS[node.dataset.as](node.getAttribute("datetime")));
}, 1000);
