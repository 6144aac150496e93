// Why messages are refused, in words: the name of a reason and its remedy, and the refusals of one lift.

import { el } from "./element.js";
import { timeNode } from "./time.js";
import { hasTranslation, translate } from "./translations.js";

/** Return the name of a reason; its slug where the catalogue has no name. */
export const reasonName = (reason) => (hasTranslation(`reason.${reason}`) ? translate(`reason.${reason}`) : reason);

/** Return what the sender can do about a reason, null where that is not known. */
export const remedy = (reason) => (hasTranslation(`remedy.${reason}`) ? translate(`remedy.${reason}`) : null);

/** Show how many messages of a lift were refused for each reason, each with its remedy; nothing where there are none. */
export function showRefusals(section, lift_id, refused, zone) {
  section.hidden = refused.length === 0;
  const lines = refused.map(({ reason, count, last }) => el("li", {},
    el("b", {}, reasonName(reason)), el("span", { class: "number" }, translate("refused.times", { n: count })), timeNode(last, { zone }), remedy(reason) && el("p", {}, remedy(reason))));
  section.lastElementChild.replaceChildren(el("ul", { class: "refusals" }, ...lines),
    el("p", {}, el("a", { href: `/refused?${new URLSearchParams({ lift_id })}` }, translate("refused.look"))));
}
