// The page of refused messages: filtered by lift, reason and time.

import "./shell.js";
import { el } from "./element.js";
import { filteredList, filterLink } from "./filtered_list.js";
import { reasonName, remedy } from "./refusals.js";
import { timeNode, zonedStamp } from "./time.js";
import { lang, translate } from "./translations.js";

function headline(page, { lift_id }) {
  const count = page.next ? translate("refused.atleast", { n: page.items.length }) : translate("refused.count", { n: page.items.length });
  return lift_id ? translate("refused.of", { count, lift: lift_id }) : count;
}

/** Return a refused message: when, why, what to do, from where, and its payload as text or hex. */
function entry(letter, zone) {
  const lift = letter.lift_id && filterLink("lift_id", letter.lift_id, translate("refused.only", { lift: letter.lift_id }));
  const shown = letter.payload_hex ?? letter.payload, advice = remedy(letter.reason), at_zone = letter.timezone ?? zone;
  return el("li", {},
    el("div", { class: "when" }, el("time", { datetime: letter.arrived }, zonedStamp(letter.arrived, at_zone)), timeNode(letter.arrived, { zone: at_zone })),
    el("div", {},
      el("p", {}, el("b", {}, reasonName(letter.reason)), advice && ` – ${advice}`),
      el("p", { class: "detail" }, letter.text[lang] ?? letter.detail),
      el("p", { class: "topic" }, el("code", {}, letter.topic), lift),
      el("details", {}, el("summary", {}, translate(letter.payload_hex ? "refused.payload.hex" : "refused.payload", { n: letter.payload_bytes })),
        el("pre", { tabindex: 0 }, shown, isCut(letter) ? " …" : ""))));
}

/** Return whether only the beginning of the payload was kept. */
const isCut = ({ payload, payload_hex, payload_bytes }) => payload_bytes > (payload_hex ? (payload_hex.length + 1) / 3 : new TextEncoder().encode(payload).length + 3);

filteredList({
  path: "/api/v1/dead-letters", filters: ["lift_id", "reason", "from", "to"], entry, headline,
  empty: ({ lift_id }) => [translate("refused.none"), translate(lift_id ? "refused.none.lift" : "refused.none.more")],
  failed: translate("refused.failed"), zoneText: "refused.zone",
});
