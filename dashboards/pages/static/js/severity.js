// Symbols and ranks of states and severities, in the order of urgency.

import { el, symbol } from "./element.js";
import { translate } from "./translations.js";

export const SEVERITIES = ["critical", "major", "minor", "trend"];
const STATES = ["critical", "never-seen", "blind", "offline", "suspect", "major", "minor", "trend", "inspection", "out-of-service", "normal"];
export const SILENT = ["blind", "offline", "suspect", "never-seen"];
const SHAPES = { "never-seen": "unknown", offline: "unknown", suspect: "unknown", inspection: "held", "out-of-service": "held" };

export const shape = (state) => SHAPES[state] ?? state;
export const stateRank = (state) => STATES.indexOf(state);
export const severityRank = (severity) => SEVERITIES.indexOf(severity);

/** Show `state` in an existing <svg class=sym>. */
export function setSymbol(node, state) {
  const use = node.firstElementChild, href = `#sym-${shape(state)}`;
  if (use.getAttribute("href") !== href) use.setAttribute("href", href);
}

/** Return the symbol of a severity with its name for screen readers. */
export function severitySymbol(severity) {
  return el("span", {}, symbol(severity), el("span", { class: "veiled" }, translate(`severity.${severity}`)));
}
