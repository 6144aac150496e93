// The page of refused messages: filtered by lift, reason and time; the address holds the filter.

import "./shell.js";
import { get } from "./api.js";
import { el, placeholder, setText } from "./element.js";
import { reasonName, remedy } from "./refusals.js";
import { inputTime, instantOf, timeNode, zonedStamp, zoneName } from "./time.js";
import { lang, translate } from "./translations.js";

const PAGE = 50;
const FILTERS = ["lift_id", "reason", "from", "to"];
const at = (id) => document.getElementById(id), form = at("tools");
let next = null, asked = null, zone = null, zoneOf;

/** Return the filter of the address; only what it names. */
const filter = () => Object.fromEntries([...new URLSearchParams(location.search)].filter(([name, value]) => FILTERS.includes(name) && value));

function fillForm() {
  const chosen = filter();
  for (const name of FILTERS) {
    const input = form.elements[name], value = chosen[name] ?? "";
    if (name === "reason" && value && ![...input.options].some((option) => option.value === value)) input.append(el("option", { value }, value));
    input.value = name === "from" || name === "to" ? inputTime(value, zone) : value;
  }
  at("clear").hidden = Object.keys(chosen).length === 0;
  setText(at("zone"), translate("refused.zone", { zone: zoneName(zone) }));
}

/** Read the zone of the lift of the filter, in which "from" and "to" are; the browser's without a lift, or where the lift has none. */
async function readZone({ lift_id }) {
  if (lift_id === zoneOf) return;
  const found = lift_id ? await get(`/api/v1/lifts/${encodeURIComponent(lift_id)}`).catch(() => null) : null;
  [zoneOf, zone] = [lift_id, found?.facts?.timezone ?? null];
}

/** Put the filter into the address and show it; Back undoes it. */
function go(chosen) {
  const query = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value)).toString();
  history.pushState(null, "", query ? `?${query}` : location.pathname);
  show();
}

async function show() {
  asked?.abort();
  asked = new AbortController();
  const chosen = filter(), list = at("list"), { signal } = asked;
  list.setAttribute("aria-busy", "true");
  await readZone(chosen);
  if (signal.aborted) return;
  fillForm();
  try {
    const page = await get("/api/v1/dead-letters", { ...chosen, limit: PAGE }, { signal });
    const items = page.items.map(entry);
    list.replaceChildren(...(items.length ? items : [el("li", { class: "plate" }, placeholder(translate("refused.none"), translate(chosen.lift_id ? "refused.none.lift" : "refused.none.more")))]));
    setText(at("headline"), headline(page, chosen));
    keepCursor(page);
  } catch (problem) {
    if (problem.name === "AbortError") return;
    setText(at("headline"), translate("shell.refused"));
    list.replaceChildren(el("li", { class: "plate" }, placeholder(translate("refused.failed"), problem.message || translate("error.network"), el("button", { type: "button", click: show }, translate("shell.again")))));
    at("more").hidden = true;
  }
  list.removeAttribute("aria-busy");
}

function headline(page, { lift_id }) {
  const count = page.next ? translate("refused.atleast", { n: page.items.length }) : translate("refused.count", { n: page.items.length });
  return lift_id ? translate("refused.of", { count, lift: lift_id }) : count;
}

function keepCursor(page) {
  next = page.next;
  at("more").hidden = !next;
}

async function more() {
  const page = await get("/api/v1/dead-letters", { ...filter(), limit: PAGE, cursor: next }).catch(() => null);
  if (!page) return;
  at("list").append(...page.items.map(entry));
  keepCursor(page);
}

/** Return a refused message: when, why, what to do, from where, and its payload as text or hex. */
function entry(letter) {
  const lift = letter.lift_id && el("a", { href: `?${new URLSearchParams({ lift_id: letter.lift_id })}`, "data-lift": letter.lift_id }, translate("refused.only", { lift: letter.lift_id }));
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

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const { lift_id, reason, from, to } = form.elements, instant = ({ value }) => value && instantOf(value, zone);
  go({ lift_id: lift_id.value.trim(), reason: reason.value, from: instant(from), to: instant(to) });
});
form.elements.reason.addEventListener("change", () => form.requestSubmit());
at("clear").addEventListener("click", (event) => { event.preventDefault(); go({}); });
at("more").addEventListener("click", more);
at("list").addEventListener("click", (event) => {
  const link = event.target.closest("a[data-lift]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  go({ ...filter(), lift_id: link.dataset.lift });
});
addEventListener("popstate", show);
show();
