// A dialog with a form, and its fields: what the forms of duty and of the inbox share.

import { el, setText } from "./element.js";
import { translate } from "./translations.js";

export const field = (key, input) => el("label", {}, el("span", {}, translate(key)), input);

export const select = (name, options, chosen) => el("select", { name }, ...options.map(([value, text]) => el("option", { value, selected: value === chosen }, text)));

export const checks = (key, name, options, chosen) => el("fieldset", {}, el("legend", {}, translate(key)), el("div", { class: "checks" }, ...options.map(([value, text]) => el("label", { class: "check" }, el("input", { type: "checkbox", name, value, checked: chosen.includes(value) }), el("span", {}, text)))));

export const checked = (form, name) => [...form.querySelectorAll(`[name="${name}"]:checked`)].map(({ value }) => value);

/** Open a form; `save(form)` returns a promise and throws a Problem, which is shown while the form stays. `sends` is the text of its button. */
export function openForm(title, parts, save, saved, extra = [], sends = translate("duty.save")) {
  const problem = el("p", { class: "problem", role: "alert", hidden: true }), cancel = el("button", { type: "button", click: () => dialog.close() }, translate("shell.cancel"));
  const form = el("form", { class: "duty-form", method: "dialog" }, ...parts, problem, el("div", { class: "ends" }, el("button", { class: "main" }, sends), cancel, ...extra));
  const dialog = el("dialog", { class: "wide", "aria-labelledby": "form-title" }, el("h2", { id: "form-title" }, title), form);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const answer = await save(form);
      dialog.close();
      await saved(async () => answer);
    } catch (error) {
      setText(problem, translate("act.failed", { why: error.message || translate("error.network") }));
      problem.hidden = false;
    }
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
