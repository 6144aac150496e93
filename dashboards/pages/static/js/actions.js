// Actions on an alert or an incident: each has a keyboard shortcut and, where possible, an undo; refusals are shown.
// An action that replaces what somebody set is refused where the item has changed since it was read.

import { post, versionOf } from "./api.js";
import { el } from "./element.js";
import { isSignedIn, may, requireAuthor, userName } from "./user_name.js";
import { nameInLanguage, translate } from "./translations.js";

/**
 * The buttons, the form and the server's answer. A subclass has `path(action)`, `fields(action)`, which returns the
 * fields of the form of an action, `begin(action, author)`, which sends the action or opens its form, and
 * `submit(action, author, values)`, which sends what the form has.
 */
export class Actions {
  /**
   * `keys` has the key of each action, `verbs` the verb (docs/roles.md) of an action that has not its name; the buttons of
   * those that are `apart` are not in the bar. `changed(item)`
   * is called with the item after an action, and `outdated()` where the item that is shown is not the newest.
   */
  constructor({ keys, verbs, apart = [], adding, changed, outdated }) {
    Object.assign(this, { adding, changed, outdated });
    this.buttons = Object.fromEntries(Object.entries(keys).filter(([action]) => may(verbs[action] ?? action)).map(([action, key]) =>
      [action, el("button", { type: "button", "data-deed": action, "aria-keyshortcuts": key, click: () => this.start(action) }, el("span", {}, translate(`act.${action}`)), " ", el("kbd", { "aria-hidden": "true" }, key))]));
    this.bar = el("div", { class: "acts", role: "group" }, ...Object.entries(this.buttons).filter(([action]) => !apart.includes(action)).map(([, button]) => button));
    this.form = el("div", { class: "act-form" });
    this.answer = el("div", { class: "act-answer", role: "status" });
  }

  clear() {
    this.form.replaceChildren();
    this.answer.replaceChildren();
    this.undo = null;
  }

  async start(action) {
    if (this.buttons[action]?.disabled ?? true) return;
    const author = await requireAuthor();
    if (author) await this.begin(action, author);
  }

  open(action, author) {
    const form = el("form", { submit: (event) => { event.preventDefault(); this.submit(action, author, Object.fromEntries(new FormData(form))); } }, ...this.fields(action),
      el("div", { class: "ends" }, el("button", { type: "button", click: () => this.close() }, translate("shell.cancel")), el("button", { class: "main" }, translate(`act.${action}`))));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    this.form.replaceChildren(form);
    form.querySelector("input, textarea, select").focus();
    form.scrollIntoView({ block: "nearest" });
  }

  close() {
    this.form.replaceChildren();
    document.getElementById("pane").focus({ preventScroll: true });
  }

  /** Send an action on this version; where the server refuses, show the reason and keep the form's input. */
  async send(action, body, done, undo = null, version = versionOf(this.item)) {
    const { id } = this.item, stays = () => this.item.id === id;
    try {
      const item = await post(this.path(action), body, this.adding.includes(action) ? null : version);
      if (item.state === "waiting") { // A change request: it waits for a second person.
        if (stays()) this.done(translate("changes.waits"), null);
        return;
      }
      if (stays()) {
        if (item.id === id) this.show(item, this.zone); // The answer to a split is the new incident.
        this.done(done, undo && (() => undo(versionOf(item))));
      }
      this.changed(item);
    } catch (problem) {
      const why = problem.status === 412 ? translate("act.changed") : problem.message || translate("error.network");
      if (stays()) this.answer.replaceChildren(el("p", { class: "problem" }, translate("act.failed", { why })));
      if (problem.status === 412) this.outdated();
    }
  }

  /** Assign the item to a person, or to nobody where the name is blank; the undo assigns it as before. */
  async assign(author, name, before) {
    const to = name.trim() || null, said = (assignee) => (assignee ? translate("act.did.assign", { name: nameInLanguage(assignee) }) : translate("act.did.unassign"));
    await this.send("assign", { ...author, to }, said(to), (version) => this.send("assign", { ...author, to: before }, said(before), null, version));
  }

  done(sentence, undo) {
    const button = () => el("button", { type: "button", "aria-keyshortcuts": "u", click: () => this.revert() }, translate("act.undo"), " ", el("kbd", { "aria-hidden": "true" }, "u"));
    this.undo = undo;
    this.form.replaceChildren();
    this.answer.replaceChildren(el("span", {}, sentence), ...(undo ? [button()] : []));
  }

  async revert() {
    const undo = this.undo;
    this.undo = null;
    await undo?.();
  }
}

export const label = (text, field) => el("label", {}, el("span", {}, text), field);
export const assigneeField = (assignee) => label(translate("act.to"), el("input", { name: "to", maxlength: 200, autocomplete: "off", value: assignee ?? userName(), placeholder: translate("act.nobody") }));
export const noteField = () => el("div", {}, label(translate("act.note"), el("textarea", { name: "note", rows: 3, maxlength: 4000, required: true })), sharing());
export const optionalNote = () => el("div", {}, label(translate("act.note.optional"), el("input", { name: "note", maxlength: 4000, autocomplete: "off" })), sharing());

/** Return the box by which other organisations may read a note; null without sign-in, where all notes are read. */
const sharing = () => (isSignedIn ? el("label", { class: "check" }, el("input", { type: "checkbox", name: "shared", value: "true" }), el("span", {}, translate("act.shared"))) : null);

/** Return the note of a form, and whether it is shared, as fields of a body; no field where the note is empty. */
export const written = ({ note, shared }) => (note?.trim() ? { note: note.trim(), ...(shared ? { shared: true } : {}) } : {});
