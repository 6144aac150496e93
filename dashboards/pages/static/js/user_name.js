// The name of the person who acts: asked once and stored in this browser, since there is no sign-in.

import { el, setText } from "./element.js";
import { translate } from "./translations.js";

const KEY = "liftwatch.name";

export const userName = () => localStorage.getItem(KEY) ?? "";

function show() {
  const button = document.getElementById("who");
  setText(button.querySelector("span"), userName() || translate("who.nobody"));
  button.title = userName() || translate("who.nobody");
}

/** Ask for the name; resolves to the name, or to "" where the dialog is cancelled. */
function askUserName() {
  const input = el("input", { name: "name", required: true, maxlength: "60", autocomplete: "name", value: userName(), autofocus: true });
  const dialog = el("dialog", { "aria-labelledby": "who-title" },
    el("h2", { id: "who-title" }, translate("who.title")), el("p", { class: "faint" }, translate("who.why")),
    el("form", { method: "dialog" },
      el("label", {}, el("span", {}, translate("who.nobody")), input),
      el("div", { class: "ends" },
        el("button", { type: "button", click: () => dialog.close() }, translate("shell.cancel")),
        el("button", { class: "main", value: "save" }, translate("who.save")))));
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => {
    const name = input.value.trim();
    if (dialog.returnValue === "save" && name) localStorage.setItem(KEY, name);
    dialog.remove();
    show();
    resolve(dialog.returnValue === "save" ? name : "");
    document.dispatchEvent(new Event("name"));
  }));
}

export const requireUserName = async () => userName() || askUserName();

document.getElementById("who").addEventListener("click", askUserName);
show();
