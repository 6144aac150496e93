// Closing many incidents at once: those that are over, where no alert fires any more and nobody may be inside.

import { get, post } from "../api.js";
import { el, setText, symbol } from "../element.js";
import { openForm, checked, field, select } from "../form_dialog.js";
import { timeNode } from "../time.js";
import { translate } from "../translations.js";
import { requireAuthor } from "../user_name.js";

const LISTED_MOST = 200, AT_ONCE = 4, UNDO_MS = 10_000;
const REASONS = ["repaired", "false-alarm", "duplicate", "test", "other"];

export const OVER = { state: "open", condition: "over" };

const pathOf = (id, action) => `/api/v1/incidents/${encodeURIComponent(id)}/${action}`;

export class ClosingMany {
  /** `button` opens the form, `box` shows what came of it; `name(incident)` returns its sentence, `changed(incident)` takes it. */
  constructor(button, box, { name, changed }) {
    Object.assign(this, { button, box, name, changed, undo: null });
    button.addEventListener("click", () => this.start());
  }

  /** Show how many incidents are over under the filters of the page. */
  show(count, filters) {
    this.filters = filters;
    this.button.hidden = !count;
    setText(this.button.querySelector("span"), translate("many.close", { n: count }));
  }

  async start() {
    const author = !this.button.hidden && await requireAuthor();
    if (!author) return;
    const { items, next } = await get("/api/v1/incidents", { ...this.filters, ...OVER, sort: "urgency", limit: LISTED_MOST });
    const note = el("input", { name: "note", maxlength: 4000, autocomplete: "off" });
    const lines = items.map((incident) => this.line(incident));
    openForm(translate("many.title"), [
      el("p", { class: "faint" }, translate("many.what")), ...(next ? [el("p", {}, translate("many.first", { n: LISTED_MOST }))] : []),
      el("ul", { class: "many" }, ...lines), field("act.reason", select("reason", REASONS.map((reason) => [reason, translate(`reason.${reason}`)]))), field("act.note.optional", note),
    ], async (form) => [items.filter(({ id }) => checked(form, "incident").includes(id)), { ...author, reason: form.elements.reason.value, ...(note.value.trim() ? { note: note.value.trim() } : {}) }],
    async (answer) => this.close(...await answer(), author), [], translate("many.send"));
  }

  /** Return the line of an incident; one with a report that waits for an answer is closed in its own pane. */
  line(incident) {
    const waits = incident.unanswered > 0;
    return el("li", {}, el("label", { class: "check" }, el("input", { type: "checkbox", name: "incident", value: incident.id, checked: !waits, disabled: waits }), symbol(incident.severity),
      el("span", {}, this.name(incident), " ", el("small", {}, timeNode(incident.opened), waits ? ` · ${translate("many.unanswered")}` : null))));
  }

  async close(chosen, body, author) {
    const { done, failed } = await each(chosen, (incident) => post(pathOf(incident.id, "close"), body));
    for (const incident of done) this.changed(incident);
    this.report(translate("many.did", { n: done.length }), failed, done.length ? () => this.reopen(done, author) : null);
    if (this.undo) setTimeout((undo) => this.undo === undo && this.report(translate("many.did", { n: done.length }), failed), UNDO_MS, this.undo);
  }

  async reopen(incidents, author) {
    const { done, failed } = await each(incidents, ({ id }) => post(pathOf(id, "reopen"), author));
    for (const incident of done) this.changed(incident);
    this.report(translate("many.undone", { n: done.length }), failed);
  }

  /** Undo the last closing; return whether there was one to undo. */
  revert() {
    const { undo } = this;
    this.undo = null;
    undo?.();
    return undo !== null;
  }

  report(sentence, failed, undo = null) {
    this.undo = undo;
    this.box.hidden = false;
    this.box.replaceChildren(el("p", {}, el("span", {}, sentence), undo ? el("button", { type: "button", "aria-keyshortcuts": "u", click: () => this.revert() }, translate("act.undo"), " ", el("kbd", { "aria-hidden": "true" }, "u")) : null),
      ...failed.map(({ item, why }) => el("p", { class: "problem" }, `${this.name(item)}${translate("shell.colon")}${why}`)));
  }
}

/** Apply `send` to each of `items`, some at a time; resolve to what succeeded, and to what failed with the reason. */
async function each(items, send) {
  const waiting = [...items], done = [], failed = [];
  const work = async () => {
    for (let item = waiting.shift(); item; item = waiting.shift()) {
      try {
        done.push(await send(item));
      } catch (problem) {
        failed.push({ item, why: problem.status === 412 ? translate("act.changed") : problem.message || translate("error.network") });
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { done, failed };
}
