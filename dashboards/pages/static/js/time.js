// Instants and spans as people say them. Relative while it matters, absolute on hover, in the lift's own zone.

import { serverNow } from "./api.js";
import { el, put } from "./element.js";
import { locale, say } from "./words.js";

const SPANS = [["d", 86400, "h", 3600], ["h", 3600, "min", 60], ["min", 60, "s", 1]];

/** Return a span as its two largest units: "2 min 10 s". */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  for (const [unit, size, below, part] of SPANS) {
    if (whole < size) continue;
    const a = Math.floor(whole / size), b = Math.floor((whole % size) / part);
    return b && a < 100 ? say(`time.${unit}.${below}`, { a, b }) : say(`time.${unit}`, { a });
  }
  return say("time.s", { a: whole });
}

/** Return a span as its largest unit alone: "2 min". */
function roughSpan(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [unit, size] = SPANS.find(([, size]) => whole >= size) ?? ["s", 1];
  return say(`time.${unit}`, { a: Math.floor(whole / size) });
}

export const HEARTBEAT_S = 60; // No lift promises to speak more often: past it, its readings are shown as old.

export const secondsSince = (iso) => (serverNow() - Date.parse(iso)) / 1000;

function ago(iso) {
  const seconds = secondsSince(iso);
  return seconds < 3 ? say("time.now") : say("time.ago", { duration: roughSpan(seconds) });
}

const formats = new Map();

function format(zone, options) {
  const key = zone + JSON.stringify(options);
  if (!formats.has(key)) {
    try {
      formats.set(key, new Intl.DateTimeFormat(locale, { ...options, timeZone: zone || undefined, hourCycle: "h23" }));
    } catch {
      formats.set(key, new Intl.DateTimeFormat(locale, { ...options, hourCycle: "h23" }));
    }
  }
  return formats.get(key);
}

/** Return date and time to the second with the zone's name. */
export const stamp = (when, zone) => format(zone, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short",
}).format(new Date(when));

/** Return date and time to the second, for where the zone is said beside it. */
export const fullStamp = (when, zone) => format(zone, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(when));

/** Return date and time without seconds. */
export const shortStamp = (when, zone) => format(zone, { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" }).format(new Date(when));

/** Return the time of day to the second. */
export const clock = (when, zone) => format(zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(new Date(when));

/** Return an age, but call the last minute "just now": a column of ticking seconds is noise. */
export const calm = (iso) => (secondsSince(iso) < 60 ? say("time.now") : ago(iso));

const WORDINGS = { ago, calm, span: (iso) => span(secondsSince(iso)), rough: (iso) => roughSpan(secondsSince(iso)), for: (iso) => say("time.for", { duration: span(secondsSince(iso)) }) };

/** Return a <time> that words itself anew each second ("ago", "span", "rough" or "for"); absolute on hover. */
export function timeNode(iso, { zone = null, as = "ago" } = {}) {
  return setTime(el("time", {}), iso, { zone, as });
}

export function setTime(node, iso, { zone = null, as = "ago", none = "" } = {}) {
  if (!iso) {
    node.removeAttribute("datetime");
    node.removeAttribute("title");
    put(node, none);
    return node;
  }
  if (node.getAttribute("datetime") !== iso) {
    node.setAttribute("datetime", iso);
    node.setAttribute("title", stamp(iso, zone));
  }
  node.dataset.as = as;
  put(node, WORDINGS[as](iso));
  return node;
}

setInterval(() => {
  if (document.hidden) return;
  for (const node of document.querySelectorAll("time[data-as][datetime]")) put(node, WORDINGS[node.dataset.as](node.getAttribute("datetime")));
}, 1000);
