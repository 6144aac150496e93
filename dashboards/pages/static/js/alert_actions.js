// Actions on an alert.

import { isSignedIn } from "./user_name.js";
import { Actions, assigneeField, label, noteField, optionalNote, written } from "./actions.js";
import { hoursAhead } from "./api.js";
import { el, setText } from "./element.js";
import { zonedClock } from "./time.js";
import { translate } from "./translations.js";

export const ACTION_KEYS = { ack: "a", assign: "s", comment: "c", shelve: "z", resolve: "r" };
const SHELVE_H = [0.5, 1, 4, 8];

export class AlertActions extends Actions {
  constructor(changed, outdated) {
    super({ keys: ACTION_KEYS, verbs: { ack: "acknowledge" }, adding: ["ack", "comment"], changed, outdated });
  }

  path(action) {
    return `/api/v1/alerts/${encodeURIComponent(this.item.id)}/${action}`;
  }

  /** Enable the actions that this alert allows; times are shown in the lift's `zone`. */
  show(alert, zone) {
    Object.assign(this, { item: alert, zone });
    const closed = alert.state === "closed";
    const disabled = { ack: closed || alert.acknowledged, shelve: closed || alert.severity === "critical", comment: false };
    for (const [action, button] of Object.entries(this.buttons)) button.disabled = disabled[action] ?? closed;
    const { shelve } = this.buttons;
    if (!shelve) return;
    setText(shelve.firstElementChild, translate(alert.shelved_until ? "act.unshelve" : "act.shelve"));
    shelve.title = alert.severity === "critical" ? translate("act.shelve.critical") : "";
  }

  async begin(action, author) {
    const { shelved_until } = this.item;
    if (action === "ack") await this.send("ack", author, translate("act.did.ack"));
    else if (action === "shelve" && shelved_until) await this.send("unshelve", author, translate("act.did.unshelve"), (version) => this.send("shelve", { ...author, until: shelved_until }, translate("act.did.shelve", { at: zonedClock(shelved_until, this.zone) }), null, version));
    else this.open(action, author);
  }

  fields(action) {
    if (action === "comment") return [noteField()];
    if (action === "resolve") return [el("p", { class: "faint" }, translate("act.resolve.why")), optionalNote()];
    if (action === "assign") return [assigneeField(this.item.assigned_to)];
    const choices = SHELVE_H.map((hours) => el("option", { value: hours, selected: hours === 1 }, hours < 1 ? translate("time.min", { a: 60 * hours }) : translate("time.h", { a: hours })));
    return [label(translate("act.until"), el("select", { name: "hours" }, ...choices)), isSignedIn ? noteField() : optionalNote()];
  }

  async submit(action, author, values) {
    const body = { ...author, ...written(values) };
    if (action === "assign") await this.assign(author, values.to, this.item.assigned_to);
    if (action === "comment") await this.send("comment", body, translate("act.did.comment"));
    if (action === "resolve") await this.send("resolve", body, translate("act.did.resolve"));
    if (action === "shelve") {
      const until = hoursAhead(Number(values.hours));
      await this.send("shelve", { ...body, until }, translate("act.did.shelve", { at: zonedClock(until, this.zone) }), (version) => this.send("unshelve", author, translate("act.did.unshelve"), null, version));
    }
  }
}
