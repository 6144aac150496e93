// The form of a telephone call about a lift: the code on the wall, typed, scanned or found by the address; what is
// reported; the number to call back.

import { get, post, Problem } from "../api.js";
import { el } from "../element.js";
import { field, openForm } from "../form_dialog.js";
import { liftName, nameInLanguage, translate } from "../translations.js";

const KINDS = ["entrapment", "unsafe", "out-of-order", "nuisance"];
const CODE = /\/code\/([A-Za-z0-9_-]{1,64})(?:[/?#]|$)/; // What a scanner types: the address in the code.
const FOUND_MOST = 6, TYPING_MS = 200;

/** Return the lift that a text names: the code itself, or the one in the address that the code has. */
export const codeIn = (text) => CODE.exec(text.trim())?.[1] ?? text.trim();

/** Open the form; `opened(incident)` is called with the incident that has the call. */
export function openCallForm(author, opened) {
  const lift = liftField(), kinds = KINDS.map((kind) => el("label", { class: "check" }, el("input", { type: "radio", name: "what", value: kind, required: true }), el("span", {}, translate(`incident.${kind}`))));
  const callback = el("input", { name: "callback", type: "tel", maxlength: 40, pattern: "[0-9+\\(\\)#* \\-]{3,40}", autocomplete: "off", title: translate("call.back.form") });
  const dialog = openForm(translate("call.title"), [lift.node, el("fieldset", {}, el("legend", {}, translate("call.what")), ...kinds), field("call.back", callback)],
    async (form) => post("/api/v1/incidents", { ...author, lift_id: await lift.chosen(), what: form.elements.what.value, ...(callback.value.trim() ? { callback: callback.value.trim() } : {}) }),
    async (answer) => opened(await answer()), [], translate("call.enter"));
  dialog.querySelector("input").focus();
}

/** Return the field of the lift, with the lifts that match what is typed; `chosen()` resolves to the one that is meant. */
function liftField() {
  const input = el("input", { name: "lift", required: true, maxlength: 300, autocomplete: "off", spellcheck: "false", placeholder: translate("call.lift.how") });
  const found = el("ul", { class: "found", "aria-live": "polite" });
  let typing = 0, asked = 0, matches = [];
  const line = (lift) => el("li", {}, el("button", { type: "button", class: "quiet", "aria-pressed": String(lift.lift_id === codeIn(input.value)), click: () => take(lift) }, el("b", {}, liftName(lift)), " ", el("span", { class: "faint" }, [lift.lift_id, nameInLanguage(lift.address ?? "")].filter(Boolean).join(" · "))));
  const show = () => found.replaceChildren(...(matches.length ? matches.map(line) : input.value.trim() ? [el("li", { class: "faint" }, translate("call.lift.none"))] : []));
  const take = (lift) => {
    Object.assign(input, { value: lift.lift_id });
    matches = [lift];
    show();
  };
  const search = async () => {
    const mine = ++asked, text = codeIn(input.value);
    const { items } = text ? await get("/api/v1/lifts", { q: text, limit: FOUND_MOST, sort: "lift_id" }) : { items: [] };
    if (mine !== asked) return;
    const exact = items.filter(({ lift_id }) => lift_id === text);
    matches = exact.length ? exact : items;
    show();
  };
  input.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => search().catch(() => {}), TYPING_MS);
  });
  return {
    node: el("div", {}, field("call.lift", input), found),
    async chosen() {
      clearTimeout(typing);
      await search();
      if (matches.length === 1) {
        take(matches[0]);
        return matches[0].lift_id;
      }
      input.focus();
      throw new Problem(0, translate(matches.length ? "call.lift.several" : "call.lift.none"));
    },
  };
}
