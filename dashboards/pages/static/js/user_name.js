// The name of the person who acts: that of the signed-in account; without sign-in it is asked once and stored in this
// browser. And what the account may do.

import { el, setText } from "./element.js";
import { nameInLanguage, translate } from "./translations.js";

const KEY = "liftwatch.name";

const { account, login, verbs } = document.body.dataset;

export const isSignedIn = Boolean(account);

export const userName = () => account || (localStorage.getItem(KEY) ?? "");

/** Return the names under which the person who looks is assigned something. */
export const myNames = () => [...new Set([login, userName()].filter(Boolean))];

/** Return whether an assignee, a login or a name, is the person who looks. */
export const isMine = (assignee) => Boolean(assignee) && myNames().includes(assignee);

/** Return whether the role of the account includes a verb (docs/roles.md). */
export const may = (verb) => verbs.split(" ").includes(verb);

function show() {
  const button = document.getElementById("who");
  if (!button) return;
  setText(button.querySelector("span"), nameInLanguage(userName()) || translate("who.nobody"));
  button.title = nameInLanguage(userName()) || translate("who.nobody");
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

/** Resolve to the fields of a body that name who acts, none of a signed-in account; to null where nobody is named. */
export async function requireAuthor() {
  if (account) return {};
  const by = userName() || (await askUserName());
  return by ? { by } : null;
}

if (!account) {
  document.getElementById("who")?.addEventListener("click", askUserName);
  show();
}
