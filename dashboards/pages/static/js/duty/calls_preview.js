// Who would be called about an incident of a lift, in which order and by which ways: on the page of duty and of a lift.

import { get } from "../api.js";
import { el, placeholder } from "../element.js";
import { span } from "../time.js";
import { nameInLanguage, translate, translateFirst } from "../translations.js";

/** Fill `box` with the calls of an incident of this kind and severity that is opened now. */
export async function showCalls(box, lift_id, kind, severity) {
  try {
    const { items } = await get(`/api/v1/lifts/${encodeURIComponent(lift_id)}/calls`, { kind, severity });
    box.replaceChildren(...(items.length ? items.map(organisation) : [el("p", { class: "faint" }, translate("duty.calls.none"))]));
  } catch (problem) {
    box.replaceChildren(placeholder(translate("duty.failed"), problem.message || translate("error.network")));
  }
}

/** Show the calls of a lift for the kind and the severity that are chosen in a form, now and at every choice. */
export function watchCalls(form, box, lift_id) {
  const show = () => showCalls(box, lift_id, form.elements.kind.value, form.elements.severity.value);
  form.addEventListener("change", show);
  return show();
}

function organisation(each) {
  const head = el("h3", {}, each.policy ? translate("duty.calls.by", { organisation: nameInLanguage(each.organisation), policy: policyName(each) }) : nameInLanguage(each.organisation));
  if (!each.policy || !each.calls.length) return el("div", { class: "calls-list" }, head, el("p", { class: "faint" }, translate("duty.calls.nobody")));
  const again = each.is_repeated ? [el("li", {}, el("span", {}), el("span", { class: "faint" }, translate("duty.calls.again")))] : [];
  return el("div", { class: "calls-list" }, head, el("ol", {}, ...grouped(each.calls).map(calls), ...again));
}

export const policyName = ({ policy_id, policy }) => (policy_id === "default" ? translate("duty.policy.default") : policy);

/** Return calls with the times of those that follow each other and are the same as one. */
function grouped(made) {
  const groups = [], key = ({ people, missed }) => JSON.stringify([people.map(({ person_id, instead }) => [person_id, instead]), missed]);
  for (const each of made) {
    if (groups.length && key(groups.at(-1)) === key(each)) groups.at(-1).times_s.push(each.after_s);
    else groups.push({ ...each, times_s: [each.after_s] });
  }
  return groups;
}

const time = (after_s) => (after_s === 0 ? translate("duty.calls.at-once") : translate("duty.calls.after", { duration: span(after_s) }));

function calls({ times_s, people, missed }) {
  const instead = people.some((each) => each.instead);
  return el("li", {}, el("span", {}, times_s.map(time).join(translate("shell.comma"))), el("div", {},
    ...missed.map((each) => el("p", { class: "nobody" }, missedText(each))),
    people.length ? el("p", {}, instead ? `${translate("duty.calls.instead")} ` : "", people.map(person).join(translate("shell.comma"))) : el("p", { class: "nobody" }, translate("duty.calls.unreached"))));
}

const person = ({ name, ways }) => `${nameInLanguage(name)} (${ways.map((way) => translateFirst(`way.${way}`, way)).join(" → ")})`;

/** Return why a target cannot be called, as a sentence. */
export function missedText({ target, reason, name }) {
  const role = target.startsWith("role:") && !name ? translate(`role.${target.slice(5)}`) : null;
  return translate(name || role ? `missed.${reason}.of` : `missed.${reason}`, { name: name ? nameInLanguage(name) : role });
}
