// What was observed at a lift: kind, time and evidence of each observation.

import { el } from "./element.js";
import { shortStamp, span, stamp } from "./time.js";
import { fixed } from "./units.js";
import { translate } from "./translations.js";

/** Return the evidence as text: durations as spans, numbers as they are, what is unknown as a dash. */
function evidence({ kind, floors, evidence: values }) {
  const shown = { floors: floors.join(translate("shell.comma")) || "–" };
  for (const [name, value] of Object.entries(values)) shown[name] = value === null ? "–" : name.endsWith("_s") ? span(value) : name.endsWith("_mps2") ? `${fixed(value)} m/s²` : value;
  return translate(`behaviour.evidence.${kind}`, shown);
}

export function showBehaviour(box, items, { facts }) {
  if (items.length === 0) return box.replaceChildren(el("p", { class: "faint" }, translate("behaviour.none")));
  const lines = items.map((one) => el("li", {},
    el("b", {}, translate(`behaviour.${one.kind}`)), " ",
    el("time", { datetime: one.start, title: stamp(one.start, facts?.timezone) }, shortStamp(one.start, facts?.timezone)),
    el("small", {}, evidence(one))));
  return box.replaceChildren(el("div", { class: "scroller", tabindex: 0, role: "group", "aria-label": translate("behaviour.title") }, el("ul", { class: "behaviour" }, ...lines)));
}
