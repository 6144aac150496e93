// Actions on an incident. Nothing that ends a rescue is done by one key: closing asks for a reason, and can be undone.

import { Actions, assigneeField, label, noteField, optionalNote, written } from "./actions.js";
import { el } from "./element.js";
import { get, serverNow } from "./api.js";
import { holding, retractable, stagesOf } from "./incident/lift_list.js";
import { incidentField } from "./incident/other_incidents.js";
import { liftInfo } from "./lift_names.js";
import { requireAuthor } from "./user_name.js";
import { liftName, nameInLanguage, summary, translate } from "./translations.js";

export const ACTION_KEYS = { ack: "a", assign: "s", stage: "g", retract: "b", comment: "c", answer: "w", "call-out": "d", close: "r", reopen: "o", merge: "m", split: "x", link: "l" };
const VERBS = { merge: "resolve", split: "resolve", link: "acknowledge", ack: "acknowledge", answer: "acknowledge", "call-out": "acknowledge", stage: "acknowledge", retract: "acknowledge", close: "resolve", reopen: "resolve" };
const STAGES = ["confirmed", "dispatched", "on-site", "released"];
const RESCUES = ["entrapment", "alarm-call"];
const REASONS = ["released", "repaired", "false-alarm", "duplicate", "test", "other"];
const UNDO_MS = 10_000;
export const JOINS = ["merge", "split", "link"]; // Their buttons stand beside the other incidents, not in the bar.
const OF_ALL_LIFTS = ["assign", "close", "reopen", "merge", "split"]; // Not of an incident with lifts of others.

/** Return whether somebody may be inside in an incident of this kind. */
export const isRescue = ({ kind }) => RESCUES.includes(kind);

export class IncidentActions extends Actions {
  constructor(changed, outdated) {
    super({ keys: ACTION_KEYS, verbs: VERBS, apart: JOINS, adding: ["ack", "comment"], changed, outdated });
  }

  path(action) {
    return `/api/v1/incidents/${encodeURIComponent(this.item.id)}/${action}`;
  }

  /** Enable the actions that this incident allows. */
  show(incident, zone) {
    Object.assign(this, { item: incident, zone });
    const closed = incident.state === "closed", shared = incident.whole === false, whys = this.reasons(incident), disabled = { ack: closed, stage: closed || !this.stages().length, comment: false, answer: !incident.unanswered || (shared && !incident.reports?.some(({ answered }) => !answered)), "call-out": closed || !incident.rescue || (shared && !incident.lifts.some(({ holds_people }) => holds_people)), reopen: !closed || incident.merged_into !== null, split: closed || !this.canSplit(), link: false };
    for (const [action, button] of Object.entries(this.buttons)) {
      button.disabled = (disabled[action] ?? closed) || (shared && OF_ALL_LIFTS.includes(action));
      button.title = button.disabled ? whys[action] ?? (closed ? translate("act.why.closed") : "") : "";
    }
    if (this.buttons.reopen) this.buttons.reopen.hidden = !closed;
    if (this.buttons.close) this.buttons.close.hidden = closed;
    if (this.buttons["call-out"]) this.buttons["call-out"].hidden = !incident.rescue;
    if (this.buttons.retract) this.buttons.retract.hidden = !retractable(incident).length;
    if (this.buttons.answer) this.buttons.answer.hidden = !incident.unanswered;
    for (const [action, button] of Object.entries(this.buttons)) button.classList.toggle("main", action === this.next());
  }

  /** Return why actions are not possible now, by action. */
  reasons({ state, merged_into, whole }) {
    if (whole === false) return { ...Object.fromEntries([...OF_ALL_LIFTS, "call-out"].map((action) => [action, translate("act.why.shared")])), stage: translate("act.why.nobody-inside") };
    if (state === "closed") return merged_into ? { reopen: translate("act.why.merged") } : {};
    return { stage: translate("act.why.stages"), split: translate("act.why.one-alert") };
  }

  /** Return whether something can be split off: some lifts, some alerts, or all alerts where a call reported the incident too. */
  canSplit() {
    const { alerts = [], lifts = [], story = [] } = this.item;
    return lifts.length > 1 || alerts.length > (story.some(({ kind, about }) => kind === "called" || (kind === "opened" && !alerts.some(({ id }) => id === about))) ? 0 : 1);
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
    if (this.item.whole === false) return STAGES.filter((stage) => this.item.lifts.some((lift) => stagesOf(lift, this.item).includes(stage)));
    const reached = this.item.stages, last = Math.max(...STAGES.map((stage, i) => (stage in reached ? i : -1)));
    return STAGES.filter((stage, i) => i > last && (stage === "confirmed" || isRescue(this.item)));
  }

  async begin(action, author) {
    if (action === "assign") this.assignees = await get(this.path("assignees")).then(({ items }) => items).catch(() => []);
    if (action === "ack") await this.send("ack", author, translate("act.did.ack"));
    else if (action === "reopen") await this.send("reopen", author, translate("act.did.reopen"));
    else this.open(action, author);
  }

  /** Open the form of the answer to a call-out. */
  async answerCallOut(action, number) {
    const author = await requireAuthor();
    if (author) this.open(action, { ...author, number });
  }

  /** Open the form of a stage with a stage and a lift chosen. */
  async enterStage(stage, lift_id) {
    const author = await requireAuthor();
    if (!author) return;
    this.open("stage", author);
    const { elements } = this.form.querySelector("form");
    if (elements.lift_id) elements.lift_id.value = lift_id;
    elements.stage.value = stage;
  }

  fields(action) {
    if (action === "call-out") return callOutFields(this.item);
    if (action === "accept") return [label(translate("act.from"), el("input", { name: "place", maxlength: 200, autocomplete: "off" })), label(translate("act.minutes"), el("input", { name: "minutes", type: "number", min: 1, max: 600, required: true, value: 15 })), optionalNote()];
    if (action === "decline") return [label(translate("act.why"), el("input", { name: "reason", maxlength: 500, required: true, autocomplete: "off" })), optionalNote()];
    if (action === "no-answer") return [optionalNote()];
    if (action === "comment") return [noteField()];
    if (action === "answer") return [answerField("note")];
    if (action === "merge") return [el("p", {}, translate("act.merge.what")), incidentField(this.item, { state: "open" }), optionalNote()];
    if (action === "link") return [incidentField(this.item, {}), optionalNote()];
    if (action === "split") return [el("p", {}, translate("act.split.what")), alertsField(this.item), optionalNote()];
    if (action === "assign") return [this.assignees.length ? personField(this.assignees, this.item.owner) : assigneeField(this.item.owner)];
    if (action === "stage") return [label(translate("act.which-stage"), choice("stage", this.stages())), ...liftField(this.item), optionalNote()];
    if (action === "retract") return [el("p", {}, translate("act.retract.what")), retractField(this.item), label(translate("act.retract.why"), el("input", { name: "note", maxlength: 4000, required: true, autocomplete: "off" }))];
    const inside = this.item.may_hold_people ? [el("p", { class: "problem" }, translate("act.close.inside"))] : [];
    return [...inside, label(translate("act.reason"), choice("reason", REASONS, "reason")), optionalNote(), ...(this.item.unanswered ? [answerField("answer")] : [])];
  }

  /** Return the values of the ticked boxes of a name. */
  chosen(name) {
    return [...this.form.querySelectorAll(`[name=${name}]:checked`)].map(({ value }) => value);
  }

  async submit(action, author, values) {
    const body = { ...author, ...written(values) };
    if (action === "comment" || action === "answer") await this.send(action, body, translate(`act.did.${action}`));
    if (action === "call-out") await this.send("call-out", { ...body, who: values.who.trim(), level: Number(values.level) }, translate("act.did.call-out", { who: nameInLanguage(values.who.trim()) }));
    if (action === "accept") await this.send("accept", { ...body, ...(values.place.trim() ? { place: values.place.trim() } : {}), expected: new Date(serverNow() + 60_000 * values.minutes).toISOString() }, translate("act.did.accept"));
    if (action === "decline") await this.send("decline", { ...body, reason: values.reason.trim() }, translate("act.did.decline"));
    if (action === "stage") await this.send("stage", { ...body, stage: values.stage, ...(values.lift_id ? { lift_id: values.lift_id } : {}) }, translate("act.did.stage", { stage: translate(`stage.${values.stage}`) }));
    if (action === "retract") {
      const [stage, lift_id] = values.what.split(" ");
      await this.send("retract", { ...body, stage, ...(lift_id ? { lift_id } : {}) }, translate("act.did.retract", { stage: translate(`stage.${stage}`) }));
    }
    if (action === "merge" || action === "link") await this.send(action, { ...body, other: values.other }, translate(`act.did.${action}`));
    if (action === "split") await this.send("split", { ...body, alerts: this.chosen("alert"), lifts: this.chosen("lift") }, translate("act.did.split"));
    if (action === "no-answer") await this.send("no-answer", body, translate("act.did.no-answer"));
    if (action === "assign") await this.assign(author, values.to, this.item.owner);
    if (action === "close") {
      await this.send("close", { ...body, reason: values.reason, ...(values.answer ? { answer: values.answer } : {}) }, translate("act.did.close"), (version) => this.send("reopen", author, translate("act.did.undo-close"), null, version));
      if (this.undo) setTimeout((undo) => this.undo === undo && this.done(translate("act.did.close.final"), null), UNDO_MS, this.undo);
    }
  }
}

/** Return a select of the people to whom an incident can be assigned, and nobody. */
const personField = (people, owner) => label(translate("act.to"), el("select", { name: "to" }, el("option", { value: "" }, translate("act.nobody")), ...people.map(({ login, name, organisation }) => el("option", { value: login, selected: login === owner }, `${nameInLanguage(name)} · ${nameInLanguage(organisation)}`))));

/** Return the field of the lift that a stage is of, where several hold people. */
const liftField = (incident) => (incident.lifts.length < 2 && incident.whole !== false ? [] : [label(translate("act.which-lift"), el("select", { name: "lift_id" }, ...holding(incident).map(({ lift_id }) => el("option", { value: lift_id }, liftName(liftInfo(lift_id, () => {})))), incident.whole === false ? null : el("option", { value: "" }, translate("act.every-lift"))))]);

/** Return the field of the stages that can be taken back: of all lifts, or of one of several. */
const retractField = (incident) => label(translate("act.retract.which"), el("select", { name: "what", required: true }, ...retractable(incident).map(({ stage, lift_id }) => el("option", { value: [stage, lift_id].filter(Boolean).join(" ") }, lift_id ? `${translate(`stage.${stage}`)}${translate("shell.colon")}${liftName(liftInfo(lift_id, () => {}))}` : translate(`stage.${stage}`)))));

/** Return the field of the alerts, and of the lifts without alerts, that become an incident of their own. */
function alertsField({ alerts, lifts }) {
  const check = (name, value, text) => el("label", { class: "check" }, el("input", { type: "checkbox", name, value }), el("span", {}, text));
  const silent = lifts.filter(({ lift_id }) => !alerts.some((alert) => alert.lift_id === lift_id));
  return el("fieldset", {}, el("legend", {}, translate("act.which-alerts")), ...alerts.map((alert) => check("alert", alert.id, summary(alert))),
    ...silent.map(({ lift_id }) => check("lift", lift_id, translate("act.split.reports", { lift: liftName(liftInfo(lift_id, () => {})) }))));
}

/** Return the field of the answer to reports, which strangers read. */
const answerField = (name) => label(translate("act.answer.text"), el("textarea", { name, rows: 2, maxlength: 4000, required: true }));

/** Return the fields of a call-out: whom, with those who can help on the present level first, and on which level. */
function callOutFields({ helpers, rescue }) {
  const first = helpers.find(({ level }) => level === rescue.level) ?? helpers[0];
  const detail = ({ level, who, phone, distance_km }) => [translate(`rescue.level.${level}`), nameInLanguage(who), phone, distance_km === null ? null : `${distance_km} km`].filter(Boolean).join(" · ");
  const level = el("select", { name: "level" }, ...[1, 2, 3].map((value) => el("option", { value, selected: value === rescue.level }, translate(`rescue.level.${value}`))));
  const who = el("input", { name: "who", maxlength: 100, required: true, autocomplete: "off", list: "helpers", value: first?.who ?? "", change: () => {
    const known = helpers.find((each) => each.who === who.value);
    if (known) level.value = known.level;
  } });
  return [label(translate("act.whom"), who), el("datalist", { id: "helpers" }, ...helpers.map((each) => el("option", { value: each.who }, detail(each)))), label(translate("act.level"), level),
    ...(helpers.length ? [el("ul", { class: "helpers" }, ...helpers.map((each) => el("li", {}, detail(each))))] : []), optionalNote()];
}

/** Return a select of these values, each with the name that the catalogue has for it. */
const choice = (name, values, key = name) => el("select", { name, required: true }, ...values.map((value) => el("option", { value }, translate(`${key}.${value}`))));
