// Who acts: asked once and kept in this browser, until there is a sign-in.

import { el, put } from "./element.js";
import { say } from "./words.js";

const KEY = "liftwatch.name";

export const myName = () => localStorage.getItem(KEY) ?? "";

function show() {
  const button = document.getElementById("who");
  put(button.querySelector("span"), myName() || say("who.nobody"));
  button.title = myName() || say("who.nobody");
}

/** Ask for the name; resolves to it, or to "" where it was not given. */
function askName() {
  const input = el("input", { name: "name", required: true, maxlength: "60", autocomplete: "name", value: myName(), autofocus: true });
  const dialog = el("dialog", { "aria-labelledby": "who-title" },
    el("h2", { id: "who-title" }, say("who.title")), el("p", { class: "faint" }, say("who.why")),
    el("form", { method: "dialog" },
      el("label", {}, el("span", {}, say("who.nobody")), input),
      el("div", { class: "ends" },
        el("button", { type: "button", click: () => dialog.close() }, say("shell.cancel")),
        el("button", { class: "main", value: "save" }, say("who.save")))));
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

export const nameOrAsk = async () => myName() || askName();

document.getElementById("who").addEventListener("click", askName);
show();
