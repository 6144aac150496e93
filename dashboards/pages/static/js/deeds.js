// What people do to an alert: each with one key, undone where it can be undone, refused out loud.

import { hoursAhead, post } from "./api.js";
import { el, put } from "./element.js";
import { clock } from "./time.js";
import { myName, nameOrAsk } from "./who.js";
import { say } from "./words.js";

export const DEEDS = { ack: "a", assign: "s", comment: "c", shelve: "z", resolve: "r" };
const SHELVE_H = [0.5, 1, 4, 8];

const path = (alert, deed) => `/api/v1/alerts/${encodeURIComponent(alert.id)}/${deed}`;

/** The buttons, the form and the answer under them. `changed(alert)` hears the alert as it is then. */
export class Deeds {
  constructor(changed) {
    this.changed = changed;
    this.buttons = Object.fromEntries(Object.entries(DEEDS).map(([deed, key]) =>
      [deed, el("button", { type: "button", "data-deed": deed, "aria-keyshortcuts": key, click: () => this.start(deed) }, el("span", {}, say(`act.${deed}`)), " ", el("kbd", { "aria-hidden": "true" }, key))]));
    this.bar = el("div", { class: "acts", role: "group" }, ...Object.values(this.buttons));
    this.form = el("div", { class: "act-form" });
    this.answer = el("div", { class: "act-answer", role: "status" });
  }

  /** Show which deeds this alert allows. */
  show(alert) {
    this.alert = alert;
    const closed = alert.state === "closed";
    this.buttons.ack.disabled = closed || alert.acknowledged;
    this.buttons.assign.disabled = closed;
    this.buttons.resolve.disabled = closed;
    this.buttons.shelve.disabled = closed || alert.severity === "critical";
    put(this.buttons.shelve.firstElementChild, say(alert.shelved_until ? "act.unshelve" : "act.shelve"));
    this.buttons.shelve.title = alert.severity === "critical" ? say("act.shelve.critical") : "";
  }

  clear() {
    this.form.replaceChildren();
    this.answer.replaceChildren();
    this.undo = null;
  }

  async start(deed) {
    if (this.buttons[deed].disabled) return;
    const by = await nameOrAsk();
    if (!by) return;
    const { shelved_until } = this.alert;
    if (deed === "ack") await this.send("ack", { by }, say("act.did.ack"));
    else if (deed === "shelve" && shelved_until) await this.send("unshelve", { by }, say("act.did.unshelve"), () => this.send("shelve", { by, until: shelved_until }, say("act.did.shelve", { at: clock(shelved_until) })));
    else this.open(deed, by);
  }

  open(deed, by) {
    const field = { assign: assignField, comment: noteField, shelve: shelveField, resolve: resolveField }[deed](this.alert);
    const form = el("form", { submit: (event) => { event.preventDefault(); this.submit(deed, by, form); } }, ...field,
      el("div", { class: "ends" }, el("button", { type: "button", click: () => this.close() }, say("shell.cancel")), el("button", { class: "main" }, say(`act.${deed}`))));
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

  async submit(deed, by, form) {
    const { to, note, hours } = Object.fromEntries(new FormData(form)), before = this.alert;
    const written = note?.trim() ? { note: note.trim() } : {};
    if (deed === "assign") {
      const name = to.trim() || null;
      await this.send("assign", { by, to: name }, name ? say("act.did.assign", { name }) : say("act.did.unassign"), () => this.send("assign", { by, to: before.assigned_to }, before.assigned_to ? say("act.did.assign", { name: before.assigned_to }) : say("act.did.unassign")));
    }
    if (deed === "comment") await this.send("comment", { by, ...written }, say("act.did.comment"));
    if (deed === "resolve") await this.send("resolve", { by, ...written }, say("act.did.resolve"));
    if (deed === "shelve") {
      const end = hoursAhead(Number(hours));
      await this.send("shelve", { by, until: end, ...written }, say("act.did.shelve", { at: clock(end) }), () => this.send("unshelve", { by }, say("act.did.unshelve")));
    }
  }

  /** Do it; what the server refuses stays written here, and what was typed stays in the form. */
  async send(deed, body, done, undo = null) {
    const { id } = this.alert, stays = () => this.alert.id === id;
    try {
      const alert = await post(path(this.alert, deed), body);
      if (stays()) this.done(done, undo);
      this.changed(alert);
    } catch (problem) {
      if (stays()) this.answer.replaceChildren(el("p", { class: "problem" }, say("act.failed", { why: problem.message || say("error.network") })));
    }
  }

  done(sentence, undo) {
    const button = () => el("button", { type: "button", "aria-keyshortcuts": "u", click: () => this.revert() }, say("act.undo"), " ", el("kbd", { "aria-hidden": "true" }, "u"));
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
const noteField = () => [label(say("act.note"), el("textarea", { name: "note", rows: 3, maxlength: 4000, required: true }))];
const optionalNote = () => label(say("act.note.optional"), el("input", { name: "note", maxlength: 4000, autocomplete: "off" }));
const assignField = (alert) => [label(say("act.to"), el("input", { name: "to", maxlength: 200, autocomplete: "off", value: alert.assigned_to ?? myName(), placeholder: say("act.nobody") }))];
const resolveField = () => [el("p", { class: "faint" }, say("act.resolve.why")), optionalNote()];

function shelveField() {
  const choices = SHELVE_H.map((hours) => el("option", { value: hours, selected: hours === 1 }, hours < 1 ? say("time.min", { a: 60 * hours }) : say("time.h", { a: hours })));
  return [label(say("act.until"), el("select", { name: "hours" }, ...choices)), optionalNote()];
}
