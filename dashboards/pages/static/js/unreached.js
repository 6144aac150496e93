// The strip of the inbox that names people whom a notification has not reached, whom somebody has to call by telephone, and
// webhooks that fail.

import { get } from "./api.js";
import { el } from "./element.js";
import { lang, liftName, nameInLanguage, translate } from "./translations.js";

const EVERY_MS = 20_000;
const SHOWN_MOST = 3;

/** Return why a notification did not arrive, in the language of the page. */
export const unreachedReason = ({ text, reason }) => text[lang] || reason;

/** Keep the strip up to date; `choose(id)` opens an incident. */
export function watchUnreached(box, choose) {
  const refresh = async () => {
    const [calls, webhooks] = await Promise.all(["unreached", "webhooks"].map((name) => get(`/api/v1/notifications/${name}`).catch(() => null)));
    if (calls && webhooks) show(box, calls.items, webhooks.items, choose);
  };
  refresh();
  setInterval(refresh, EVERY_MS);
}

function show(box, items, webhooks, choose) {
  box.hidden = items.length + webhooks.length === 0;
  const rest = items.length - SHOWN_MOST;
  box.replaceChildren(
    items.length ? el("b", {}, translate("unreached.title", { n: items.length })) : "",
    el("ul", {}, ...items.slice(0, SHOWN_MOST).map((item) => el("li", {}, el("button", { type: "button", class: "quiet", click: () => choose(item.incident_id) },
      translate(item.person ? "unreached.one" : "unreached.nobody", { person: nameInLanguage(item.person ?? ""), lift: item.lift_id ? liftName({ name: item.lift_name, lift_id: item.lift_id }) : item.incident_id, reason: unreachedReason(item) }))))),
    rest > 0 ? el("p", { class: "faint" }, translate("unreached.more", { n: rest })) : "",
    ...webhooks.map((each) => el("p", {}, translate("unreached.webhook", { name: each.endpoint, reason: unreachedReason(each), waiting: each.waiting, lost: each.given_up }))));
}
