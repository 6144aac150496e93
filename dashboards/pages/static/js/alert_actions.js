// Actions on an alert: each has a keyboard shortcut and, where possible, an undo; refusals are shown.
// An action that replaces what somebody set is refused where the alert has changed since it was read.

import { hoursAhead, post, versionOf } from "./api.js";
import { el, setText } from "./element.js";
import { zonedClock } from "./time.js";
import { may, requireAuthor, userName } from "./user_name.js";
import { translate } from "./translations.js";

export const ACTION_KEYS = { ack: "a", assign: "s", comment: "c", shelve: "z", resolve: "r" };
const VERBS = { ack: "acknowledge" }; // The other actions have the name of their verb.
const ADDING = ["ack", "comment"]; // They overwrite nothing.
const SHELVE_H = [0.5, 1, 4, 8];

const path = (alert, action) => `/api/v1/alerts/${encodeURIComponent(alert.id)}/${action}`;

/**
 * The buttons, the form and the server's answer. `changed(alert)` is called with the alert after an action, and
 * `outdated()` where the alert that is shown is not the newest.
 */
export class AlertActions {
  constructor(changed, outdated) {
    Object.assign(this, { changed, outdated });
    this.buttons = Object.fromEntries(Object.entries(ACTION_KEYS).filter(([action]) => may(VERBS[action] ?? action)).map(([action, key]) =>
      [action, el("button", { type: "button", "data-deed": action, "aria-keyshortcuts": key, click: () => this.start(action) }, el("span", {}, translate(`act.${action}`)), " ", el("kbd", { "aria-hidden": "true" }, key))]));
    this.bar = el("div", { class: "acts", role: "group" }, ...Object.values(this.buttons));
    this.form = el("div", { class: "act-form" });
    this.answer = el("div", { class: "act-answer", role: "status" });
  }

  /** Enable the actions that this alert allows; times are shown in the lift's `zone`. */
  show(alert, zone) {
    Object.assign(this, { alert, zone });
    const closed = alert.state === "closed";
    const disabled = { ack: closed || alert.acknowledged, shelve: closed || alert.severity === "critical", comment: false };
    for (const [action, button] of Object.entries(this.buttons)) button.disabled = disabled[action] ?? closed;
    const { shelve } = this.buttons;
    if (!shelve) return;
    setText(shelve.firstElementChild, translate(alert.shelved_until ? "act.unshelve" : "act.shelve"));
    shelve.title = alert.severity === "critical" ? translate("act.shelve.critical") : "";
  }

  clear() {
    this.form.replaceChildren();
    this.answer.replaceChildren();
    this.undo = null;
  }

  async start(action) {
    if (this.buttons[action]?.disabled ?? true) return;
    const author = await requireAuthor();
    if (!author) return;
    const { shelved_until } = this.alert;
    if (action === "ack") await this.send("ack", author, translate("act.did.ack"));
    else if (action === "shelve" && shelved_until) await this.send("unshelve", author, translate("act.did.unshelve"), (version) => this.send("shelve", { ...author, until: shelved_until }, translate("act.did.shelve", { at: zonedClock(shelved_until, this.zone) }), null, version));
    else this.open(action, author);
  }

  open(action, author) {
    const field = { assign: assignField, comment: noteField, shelve: shelveField, resolve: resolveField }[action](this.alert);
    const form = el("form", { submit: (event) => { event.preventDefault(); this.submit(action, author, form); } }, ...field,
      el("div", { class: "ends" }, el("button", { type: "button", click: () => this.close() }, translate("shell.cancel")), el("button", { class: "main" }, translate(`act.${action}`))));
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    this.form.replaceChildren(form);
    form.querySelector("input, textarea, select").focus();
  }

  close() {
    this.form.replaceChildren();
    document.getElementById("pane").focus({ preventScroll: true });
  }

  async submit(action, author, form) {
    const { to, note, hours } = Object.fromEntries(new FormData(form)), before = this.alert;
    const written = note?.trim() ? { note: note.trim() } : {};
    if (action === "assign") {
      const name = to.trim() || null;
      await this.send("assign", { ...author, to: name }, name ? translate("act.did.assign", { name }) : translate("act.did.unassign"), (version) => this.send("assign", { ...author, to: before.assigned_to }, before.assigned_to ? translate("act.did.assign", { name: before.assigned_to }) : translate("act.did.unassign"), null, version));
    }
    if (action === "comment") await this.send("comment", { ...author, ...written }, translate("act.did.comment"));
    if (action === "resolve") await this.send("resolve", { ...author, ...written }, translate("act.did.resolve"));
    if (action === "shelve") {
      const end = hoursAhead(Number(hours));
      await this.send("shelve", { ...author, until: end, ...written }, translate("act.did.shelve", { at: zonedClock(end, this.zone) }), (version) => this.send("unshelve", author, translate("act.did.unshelve"), null, version));
    }
  }

  /** Send an action on this version; where the server refuses, show the reason and keep the form's input. */
  async send(action, body, done, undo = null, version = versionOf(this.alert)) {
    const { id } = this.alert, stays = () => this.alert.id === id;
    try {
      const alert = await post(path(this.alert, action), body, ADDING.includes(action) ? null : version);
      if (alert.state === "waiting") { // A change request: it waits for a second person.
        if (stays()) this.done(translate("changes.waits"), null);
        return;
      }
      if (stays()) {
        this.show(alert, this.zone);
        this.done(done, undo && (() => undo(versionOf(alert))));
      }
      this.changed(alert);
    } catch (problem) {
      const why = problem.status === 412 ? translate("act.changed") : problem.message || translate("error.network");
      if (stays()) this.answer.replaceChildren(el("p", { class: "problem" }, translate("act.failed", { why })));
      if (problem.status === 412) this.outdated();
    }
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

const label = (text, field) => el("label", {}, el("span", {}, text), field);
const noteField = () => [label(translate("act.note"), el("textarea", { name: "note", rows: 3, maxlength: 4000, required: true }))];
const optionalNote = () => label(translate("act.note.optional"), el("input", { name: "note", maxlength: 4000, autocomplete: "off" }));
const assignField = (alert) => [label(translate("act.to"), el("input", { name: "to", maxlength: 200, autocomplete: "off", value: alert.assigned_to ?? userName(), placeholder: translate("act.nobody") }))];
const resolveField = () => [el("p", { class: "faint" }, translate("act.resolve.why")), optionalNote()];

function shelveField() {
  const choices = SHELVE_H.map((hours) => el("option", { value: hours, selected: hours === 1 }, hours < 1 ? translate("time.min", { a: 60 * hours }) : translate("time.h", { a: hours })));
  return [label(translate("act.until"), el("select", { name: "hours" }, ...choices)), optionalNote()];
}
