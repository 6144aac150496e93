// The form of an escalation policy: about which incidents, its steps in their order, and what follows them.

import { get, post, put, remove, versionOf } from "../api.js";
import { el } from "../element.js";
import { translate } from "../translations.js";
import { checked, checks, field, openForm, select } from "../form_dialog.js";
import { hoursBody, hoursFields, zoneList } from "./weekdays.js";

const SEVERITIES = ["critical", "major", "minor", "trend"];
const KINDS = ["entrapment", "alarm-call", "unsafe", "out-of-order", "nuisance", "upkeep", "data"];
const ROLES = ["mechanic", "dispatcher", "manager", "administrator"];
const MINUTE_S = 60;
const EMPTY = { name: "", match: { severities: ["critical", "major"], kinds: [], districts: [], buildings: [], hours: null }, steps: [{ targets: ["on-duty"], times: 3, every_s: 60 }], delay_s: 0, repeat_from: 1, rounds: null, idle_s: 1800, quiet: null, then: null };

/** Open the form of a policy, of a new one where it is null. */
export async function policyForm(policy, state, attempt) {
  const { organisations, rosters } = state, current = policy && (await get(`/api/v1/escalation-policies/${policy.policy_id}`).catch(() => null)), version = current && versionOf(current);
  const shown = current ?? EMPTY;
  const of = el("select", { name: "organisation_id", disabled: Boolean(current) }, ...organisations.map((each) => el("option", { value: each.organisation_id, selected: each.organisation_id === shown.organisation_id }, each.name)));
  const targets = () => [
    ["on-duty", translate("duty.target.on-duty")], ...rosters.filter((each) => each.organisation_id === of.value).map((each) => [`roster:${each.roster_id}`, translate("duty.target.roster", { name: each.name })]),
    ...(organisations.find((each) => each.organisation_id === of.value)?.people ?? []).map((each) => [`person:${each.person_id}`, each.name]),
    ...ROLES.map((role) => [`role:${role}`, translate("duty.target.role", { role: translate(`role.${role}`) })]), ["everyone", translate("duty.target.everyone")],
  ];
  const steps = el("div", {}, ...shown.steps.map((step) => stepFields(step, targets)));
  of.addEventListener("change", () => steps.replaceChildren(...EMPTY.steps.map((step) => stepFields(step, targets))));
  const minutes = (name, seconds) => el("input", { name, type: "number", min: 0, max: 10080, value: seconds === null ? "" : seconds / MINUTE_S });
  const parts = [
    organisations.length > 1 ? field("duty.organisation", of) : el("div", { hidden: true }, of),
    el("div", { class: "row" }, field("duty.name", el("input", { name: "name", value: shown.name, maxlength: 200, required: true })), field("duty.position", el("input", { name: "position", type: "number", min: 1, max: 100, value: current?.position ?? 1 }))),
    checks("duty.severity", "severities", SEVERITIES.map((each) => [each, translate(`severity.${each}`)]), shown.match.severities),
    checks("duty.kinds", "kinds", KINDS.map((each) => [each, translate(`incident.${each}`)]), shown.match.kinds),
    steps, el("button", { type: "button", click: () => steps.append(stepFields({ targets: ["everyone"], times: 1, every_s: 180 }, targets)) }, translate("duty.step.add")),
    el("div", { class: "row" }, field("duty.delay", minutes("delay", shown.delay_s)), field("duty.idle", minutes("idle", shown.idle_s === "never" ? null : shown.idle_s))),
    conditions(shown.match), afterwards(shown, followers(state, of.value, current)),
  ];
  const gone = current ? [el("button", { type: "button", click: async (event) => {
    if (!confirm(translate("duty.roster.delete.sure", { name: shown.name }))) return;
    event.target.closest("dialog").close();
    await attempt(() => remove(`/api/v1/escalation-policies/${current.policy_id}`));
  } }, translate("duty.delete"))] : [];
  openForm(translate(current ? "duty.policy.edit" : "duty.policy.new"), parts, (form) => {
    const { name, position, delay, idle, districts, buildings, then, rounds, repeat_from } = form.elements, made = [...steps.children].map(stepBody);
    const match = { severities: checked(form, "severities"), kinds: checked(form, "kinds"), districts: listed(districts.value), buildings: listed(buildings.value, /\n/), hours: hoursBody(form, "hours") };
    const repeats = then.value ? { then: then.value, rounds: null, repeat_from: 1 } : { then: null, rounds: rounds.value ? Number(rounds.value) : null, repeat_from: Math.min(Number(repeat_from.value) || 1, made.length || 1) };
    const body = { name: name.value, match, steps: made, delay_s: Math.round(delay.value * MINUTE_S), ...repeats, quiet: hoursBody(form, "quiet"), idle_s: idle.value === "" ? "never" : Math.round(idle.value * MINUTE_S), position: Number(position.value) || 1 };
    return current ? put(`/api/v1/escalation-policies/${current.policy_id}`, body, version) : post("/api/v1/escalation-policies", { organisation_id: of.value, ...body });
  }, attempt, gone);
}

const listed = (text, separator = /[\s,，;；、]+/) => text.split(separator).map((each) => each.trim()).filter(Boolean);

/** Return the other policies of the organisation, which may follow the last step. */
const followers = ({ policies }, organisation_id, current) => policies.filter((each) => each.organisation_id === organisation_id && each.policy_id !== current?.policy_id);

const conditions = ({ districts, buildings, hours }) => el("details", { open: Boolean(districts.length || buildings.length || hours) }, el("summary", {}, translate("duty.conditions")), zoneList(),
  field("duty.districts", el("input", { name: "districts", value: districts.join(", "), maxlength: 2000 })),
  field("duty.buildings", el("textarea", { name: "buildings", rows: 2 }, buildings.join("\n"))),
  hoursFields("duty.hours", "hours", hours));

const afterwards = ({ repeat_from, rounds, quiet, then }, others) => el("details", { open: Boolean(rounds || quiet || then || repeat_from > 1) }, el("summary", {}, translate("duty.afterwards")),
  el("div", { class: "row" }, field("duty.then", select("then", [["", translate("duty.then.repeat")], ...others.map(({ policy_id, name }) => [policy_id, name])], then ?? "")), field("duty.repeat-from", el("input", { name: "repeat_from", type: "number", min: 1, max: 20, value: repeat_from })), field("duty.rounds", el("input", { name: "rounds", type: "number", min: 1, max: 1000, value: rounds ?? "" }))),
  hoursFields("duty.quiet", "quiet", quiet));

function stepFields(step, targets) {
  return el("fieldset", { class: "step" }, el("legend", {}, translate("duty.step")),
    checks("duty.step.targets", "targets", targets(), step.targets),
    el("div", { class: "row" }, field("duty.step.times", el("input", { name: "times", type: "number", min: 1, max: 60, value: step.times, required: true })), field("duty.step.every", el("input", { name: "every", type: "number", min: 0.5, max: 1440, step: 0.5, value: step.every_s / MINUTE_S, required: true }))),
    el("button", { type: "button", class: "quiet", click: (event) => event.target.closest("fieldset.step").remove() }, translate("duty.step.remove")));
}

const stepBody = (set) => ({ targets: checked(set, "targets"), times: Number(set.querySelector('[name="times"]').value), every_s: Math.round(set.querySelector('[name="every"]').value * MINUTE_S) });
