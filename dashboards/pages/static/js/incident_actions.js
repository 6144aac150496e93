// Actions on an incident. Nothing that ends a rescue is done by one key: closing asks for a reason, and can be undone.

import { Actions, assigneeField, label, noteField, optionalNote, written } from "./actions.js";
import { el } from "./element.js";
import { translate } from "./translations.js";

export const ACTION_KEYS = { ack: "a", assign: "s", stage: "g", comment: "c", close: "r", reopen: "o" };
const VERBS = { ack: "acknowledge", stage: "acknowledge", close: "resolve", reopen: "resolve" };
const STAGES = ["confirmed", "dispatched", "on-site", "released"];
const RESCUES = ["entrapment", "alarm-call"];
const REASONS = ["released", "repaired", "false-alarm", "duplicate", "test", "other"];
const UNDO_MS = 10_000;

/** Return whether somebody may be inside in an incident of this kind. */
export const isRescue = ({ kind }) => RESCUES.includes(kind);

export class IncidentActions extends Actions {
  constructor(changed, outdated) {
    super({ keys: ACTION_KEYS, verbs: VERBS, adding: ["ack", "comment"], changed, outdated });
  }

  path(action) {
    return `/api/v1/incidents/${encodeURIComponent(this.item.id)}/${action}`;
  }

  /** Enable the actions that this incident allows. */
  show(incident, zone) {
    Object.assign(this, { item: incident, zone });
    const closed = incident.state === "closed", disabled = { ack: closed || incident.acknowledged, stage: closed || !this.stages().length, comment: false, reopen: !closed || incident.merged_into !== null };
    for (const [action, button] of Object.entries(this.buttons)) button.disabled = disabled[action] ?? closed;
    if (this.buttons.reopen) this.buttons.reopen.hidden = !closed;
    if (this.buttons.close) this.buttons.close.hidden = closed;
    for (const [action, button] of Object.entries(this.buttons)) button.classList.toggle("main", action === this.next());
  }

  /** Return the action that comes next: taking it up, then its stages, then closing it. */
  next() {
    const { acknowledged, state } = this.item;
    if (state === "closed") return null;
    if (!acknowledged) return "ack";
    return isRescue(this.item) && this.stages().length ? "stage" : "close";
  }

  /** Return the stages that can be entered now. */
  stages() {
    const reached = this.item.stages, last = Math.max(...STAGES.map((stage, i) => (stage in reached ? i : -1)));
    return STAGES.filter((stage, i) => i > last && (stage === "confirmed" || isRescue(this.item)));
  }

  async begin(action, author) {
    if (action === "ack") await this.send("ack", author, translate("act.did.ack"));
    else if (action === "reopen") await this.send("reopen", author, translate("act.did.reopen"));
    else this.open(action, author);
  }

  fields(action) {
    if (action === "comment") return [noteField()];
    if (action === "assign") return [assigneeField(this.item.owner)];
    if (action === "stage") return [label(translate("act.which-stage"), choice("stage", this.stages())), optionalNote()];
    const inside = this.item.may_hold_people ? [el("p", { class: "problem" }, translate("act.close.inside"))] : [];
    return [...inside, label(translate("act.reason"), choice("reason", REASONS, "reason")), optionalNote()];
  }

  async submit(action, author, values) {
    const body = { ...author, ...written(values) };
    if (action === "comment") await this.send("comment", body, translate("act.did.comment"));
    if (action === "stage") await this.send("stage", { ...body, stage: values.stage }, translate("act.did.stage", { stage: translate(`stage.${values.stage}`) }));
    if (action === "assign") await this.assign(author, values.to, this.item.owner);
    if (action === "close") {
      await this.send("close", { ...body, reason: values.reason }, translate("act.did.close"), (version) => this.send("reopen", author, translate("act.did.undo-close"), null, version));
      if (this.undo) setTimeout((undo) => this.undo === undo && this.done(translate("act.did.close.final"), null), UNDO_MS, this.undo);
    }
  }
}

/** Return a select of these values, each with the name that the catalogue has for it. */
const choice = (name, values, key = name) => el("select", { name, required: true }, ...values.map((value) => el("option", { value }, translate(`${key}.${value}`))));
