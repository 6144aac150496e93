// A list that the form above it filters. The address holds the filter, and Back undoes it; a link in the list with
// `data-filter="name=value"` adds one to it. Times are in the zone of the lift of the filter, else in the browser's.

import { get } from "./api.js";
import { el, placeholder, setText } from "./element.js";
import { inputTime, instantOf, zoneName } from "./time.js";
import { translate } from "./translations.js";

const PAGE = 50;
const at = (id) => document.getElementById(id), form = at("tools");

/**
 * Show the list of `path` with the filters of these names. `entry(item, zone)` returns the element of an item,
 * `headline(page, filter)` the sentence above the list, `empty(filter)` two texts for an empty list, `failed` the text for
 * one that cannot be read, `zoneText` the key of the text that names the zone; `shown(filter)` is called with each filter.
 */
export function filteredList({ path, filters, entry, headline, empty, failed, zoneText, shown = () => {} }) {
  let next = null, asked = null, zone = null, zoneOf;

  const filter = () => Object.fromEntries([...new URLSearchParams(location.search)].filter(([name, value]) => filters.includes(name) && value));

  /** Put a filter into the address and show it. */
  function go(chosen) {
    const query = new URLSearchParams(Object.entries(chosen).filter(([, value]) => value)).toString();
    history.pushState(null, "", query ? `?${query}` : location.pathname);
    show();
  }

  function fillForm(chosen) {
    for (const name of filters) fill(form.elements[name], chosen[name] ?? "", zone);
    at("clear").hidden = Object.keys(chosen).length === 0;
    setText(at("zone"), translate(zoneText, { zone: zoneName(zone) }));
  }

  /** Read the zone of the lift of the filter; null without a lift, or where the lift has none. */
  async function readZone({ lift_id }) {
    if (lift_id === zoneOf) return;
    const found = lift_id ? await get(`/api/v1/lifts/${encodeURIComponent(lift_id)}`).catch(() => null) : null;
    [zoneOf, zone] = [lift_id, found?.facts?.timezone ?? null];
  }

  async function show() {
    const chosen = filter(), list = at("list");
    asked?.abort();
    asked = new AbortController();
    const { signal } = asked;
    list.setAttribute("aria-busy", "true");
    await readZone(chosen);
    if (signal.aborted) return;
    fillForm(chosen);
    shown(chosen);
    try {
      const page = await get(path, { ...chosen, limit: PAGE }, { signal });
      const items = page.items.map((item) => entry(item, zone));
      list.replaceChildren(...(items.length ? items : [el("li", { class: "plate" }, placeholder(...empty(chosen)))]));
      setText(at("headline"), headline(page, chosen));
      keepCursor(page);
    } catch (problem) {
      if (problem.name === "AbortError") return;
      setText(at("headline"), failed);
      list.replaceChildren(el("li", { class: "plate" }, placeholder(failed, problem.message || translate("error.network"), el("button", { type: "button", click: show }, translate("shell.again")))));
      at("more").hidden = true;
    }
    list.removeAttribute("aria-busy");
  }

  function keepCursor(page) {
    next = page.next;
    at("more").hidden = !next;
  }

  async function more() {
    const page = await get(path, { ...filter(), limit: PAGE, cursor: next }).catch(() => null);
    if (!page) return;
    at("list").append(...page.items.map((item) => entry(item, zone)));
    keepCursor(page);
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(Object.fromEntries(filters.map((name) => [name, read(form.elements[name], zone)])));
  });
  for (const choice of form.querySelectorAll("select")) choice.addEventListener("change", () => form.requestSubmit());
  at("clear").addEventListener("click", (event) => { event.preventDefault(); go({}); });
  at("more").addEventListener("click", more);
  at("list").addEventListener("click", (event) => {
    const link = event.target.closest("a[data-filter]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    go({ ...filter(), ...Object.fromEntries(new URLSearchParams(link.dataset.filter)) });
  });
  addEventListener("popstate", show);
  show();
}

/** Return a link that filters the list by one more value. */
export function filterLink(name, value, text) {
  const query = new URLSearchParams({ [name]: value }).toString();
  return el("a", { href: `?${query}`, "data-filter": query }, text);
}

/** Show a value in its input; a select gets an option for a value that it lacks. */
function fill(input, value, zone) {
  if (input.options && value && ![...input.options].some((option) => option.value === value)) input.append(el("option", { value }, value));
  input.value = input.type === "datetime-local" ? inputTime(value, zone) : value;
}

/** Return the value of an input for the address. */
function read(input, zone) {
  const value = input.value.trim();
  return input.type === "datetime-local" ? value && instantOf(value, zone) : value;
}
