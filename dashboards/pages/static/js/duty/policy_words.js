// An escalation policy in words: about which incidents, whom it calls step by step, and what follows the last step.

import { el } from "../element.js";
import { span } from "../time.js";
import { translate } from "../translations.js";

/** Return a target of a step as text. */
export function targetText(target, { organisations, rosters }) {
  const [kind, name] = target.split(/:(.*)/);
  if (kind === "roster") return translate("duty.target.roster", { name: rosters.find(({ roster_id }) => roster_id === name)?.name ?? translate("duty.left") });
  if (kind === "person") return organisations.flatMap(({ people }) => people).find(({ person_id }) => person_id === name)?.name ?? translate("duty.left");
  if (kind === "role") return translate("duty.target.role", { role: translate(`role.${name}`) });
  return translate(`duty.target.${kind}`);
}

const hours = ({ from, until, timezone }) => `${from}–${until} (${timezone})`;

/** Return the elements that say what a policy does. */
export function policyWords(policy, state) {
  const { match } = policy, list = (items) => items.join(translate("shell.comma"));
  const about = [list([...match.severities.map((each) => translate(`severity.${each}`))]), list(match.kinds.map((each) => translate(`incident.${each}`))), list(match.districts), list(match.buildings), match.hours ? hours(match.hours) : ""].filter(Boolean);
  const step = ({ targets, times, every_s }) => el("li", {}, translate("duty.step.words", { targets: list(targets.map((each) => targetText(each, state))), n: times, duration: span(every_s) }));
  const then = policy.then ? translate("duty.then.policy", { name: state.policies.find(({ policy_id }) => policy_id === policy.then)?.name ?? "–" })
    : policy.rounds ? translate("duty.then.rounds", { n: policy.rounds }) : translate("duty.then.again", { step: policy.repeat_from });
  return [
    el("p", {}, about.length ? translate("duty.about", { about: about.join(" · ") }) : translate("duty.about.all")),
    policy.delay_s ? el("p", {}, translate("duty.delay.words", { duration: span(policy.delay_s) })) : null,
    el("ol", {}, ...policy.steps.map(step)),
    el("p", { class: "faint" }, then, " ", policy.idle_s === "never" ? "" : translate("duty.idle.words", { duration: span(policy.idle_s) }), policy.quiet ? ` ${translate("duty.quiet.words", { hours: hours(policy.quiet) })}` : ""),
  ].filter(Boolean);
}
