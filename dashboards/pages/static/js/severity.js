// States and severities: shape, colour and word together; the order is that of urgency.

import { el, symbol } from "./element.js";
import { say } from "./words.js";

export const SEVERITIES = ["critical", "major", "minor", "trend"];
const STATES = ["critical", "never-seen", "offline", "suspect", "major", "minor", "trend", "inspection", "out-of-service", "normal"];
export const SILENT = ["offline", "suspect", "never-seen"];
const SHAPES = { "never-seen": "unknown", offline: "unknown", suspect: "unknown", inspection: "held", "out-of-service": "held" };

const shape = (state) => SHAPES[state] ?? state;
export const urgency = (state) => STATES.indexOf(state);
export const gravity = (severity) => SEVERITIES.indexOf(severity);

/** Show `state` in a <svg class=sym> that already stands there. */
export function setSymbol(node, state) {
  const use = node.firstElementChild, href = `#sym-${shape(state)}`;
  if (use.getAttribute("href") !== href) use.setAttribute("href", href);
}

/** Return the symbol of a severity that says its word to those who cannot see it. */
export function severityMark(severity) {
  return el("span", {}, symbol(severity), el("span", { class: "veiled" }, say(`severity.${severity}`)));
}
