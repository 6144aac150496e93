// The page of duty: who is on duty now and next, the week of each roster, policies in words, who would be called.

import "../shell.js";
import { get, post, remove, serverNow } from "../api.js";
import { el, placeholder, setText } from "../element.js";
import { shortStamp } from "../time.js";
import { nameInLanguage, translate } from "../translations.js";
import { may } from "../user_name.js";
import { calendarLinks } from "./calendar_links.js";
import { missedText, showCalls } from "./calls_preview.js";
import { overrideForm } from "./override_form.js";
import { policyForm } from "./policy_form.js";
import { policyWords } from "./policy_words.js";
import { rosterForm } from "./roster_form.js";
import { DAY_MS, WEEK_DAYS, weekOf } from "./roster_week.js";

const at = (id) => document.getElementById(id);
const state = { week: 0, organisations: [], rosters: [], policies: [] };

/** Say what was done, or what went wrong. */
function say(id, ...content) {
  for (const each of ["did", "fault"]) at(each).hidden = each !== id;
  at(id).replaceChildren(...content);
  at(id).scrollIntoView({ block: "nearest" });
}

/** Do something, then show everything anew; a problem is said. */
export async function attempt(act, done = () => translate("duty.saved")) {
  try {
    const answer = await act();
    await show();
    say("did", ...[done(answer)].flat());
  } catch (problem) {
    say("fault", translate("act.failed", { why: problem.message || translate("error.network") }));
  }
}

const button = (key, click, kind = "") => el("button", { type: "button", class: kind, click }, translate(key));
const names = (people) => people.map(({ name }) => (name ? nameInLanguage(name) : translate("duty.left"))).join(translate("shell.comma"));

function rosterCard(roster, shifts) {
  const { now, next, timezone } = roster, several = state.organisations.length > 1;
  const acts = may("manage-duty") ? [el("div", { class: "ends" },
    button("duty.override", () => overrideForm(roster, people(roster), attempt)),
    button("duty.edit", () => rosterForm(roster, state.organisations, attempt)),
    button("duty.calendar", () => calendarLinks(roster, people(roster))), button("duty.test", () => attempt(() => post(`/api/v1/rosters/${roster.roster_id}/test`, {}), tested)))] : [];
  const on = now.is_gap ? el("p", { class: "nobody" }, translate("duty.gap.now", { until: shortStamp(now.until, timezone) }))
    : el("p", {}, el("b", {}, names(now.people)), ` ${translate("duty.now", { until: shortStamp(now.until, timezone) })}`);
  const following = next ? el("p", { class: next.is_gap ? "nobody" : "" }, translate(next.is_gap ? "duty.gap.next" : "duty.next", { names: names(next.people), from: shortStamp(next.from, timezone) })) : null;
  return el("article", { class: "roster" },
    el("h3", {}, nameInLanguage(roster.name)), el("p", { class: "faint" }, several ? `${nameInLanguage(roster.organisation)} · ` : "", translate("duty.zone", { zone: timezone })),
    el("div", { class: "on-duty" }, on, following, ...withoutWays(roster)), weekOf(shifts, timezone, weekStart(), names), overrides(roster), ...acts);
}

const people = ({ organisation_id }) => state.organisations.find((each) => each.organisation_id === organisation_id)?.people ?? [];
/** Return a warning for everybody of a roster who has no verified way. */
function withoutWays(roster) {
  const named = new Set([...roster.rotations.flatMap(({ turns }) => turns.flat()), ...roster.now.people.map(({ person_id }) => person_id)]);
  return people(roster).filter(({ person_id, ways }) => named.has(person_id) && !ways.length).map(({ name }) => el("p", { class: "nobody" }, translate("missed.no-ways.of", { name: nameInLanguage(name) })));
}

const weekStart = () => serverNow() + 7 * state.week * DAY_MS;

/** Return the overrides of a roster that are not over, each with a button that removes it. */
function overrides(roster) {
  const ahead = roster.overrides.filter(({ until }) => Date.parse(until) > serverNow());
  if (!ahead.length) return null;
  return el("ul", {}, ...ahead.map((each) => el("li", {},
    translate(each.people.length ? (each.replaces ? "duty.override.instead" : "duty.override.all") : "duty.override.absent", { names: names(each.people), other: nameInLanguage(each.replaces?.name ?? ""), from: shortStamp(each.from, roster.timezone), until: shortStamp(each.until, roster.timezone) }),
    each.note ? ` · ${each.note} ` : " ",
    may("manage-duty") ? button("duty.remove", () => attempt(() => remove(`/api/v1/rosters/${roster.roster_id}/overrides/${each.override_id}`)), "quiet") : null)));
}

const tested = ({ called, missed }) => [called.length ? translate("duty.tested", { names: names(called) }) : translate("duty.tested.nobody"), ...missed.map((each) => ` ${missedText(each)}`)].join("");

async function show() {
  const from = new Date(weekStart() - DAY_MS).toISOString(), to = new Date(weekStart() + (WEEK_DAYS + 1) * DAY_MS).toISOString();
  const [overview, rosters, policies] = await Promise.all(["/api/v1/duty", "/api/v1/rosters", "/api/v1/escalation-policies"].map((path) => get(path)));
  Object.assign(state, { organisations: overview.items, rosters: rosters.items, policies: policies.items });
  for (const id of ["new-roster", "new-policy"]) at(id)?.removeAttribute("disabled"); // their forms offer what was loaded
  const shifts = await Promise.all(state.rosters.map(({ roster_id }) => get(`/api/v1/rosters/${roster_id}/shifts`, { from, to })));
  at("rosters").replaceChildren(...(state.rosters.length ? state.rosters.map((each, i) => rosterCard(each, shifts[i].items)) : [placeholder(translate("duty.none"), translate("duty.none.more"))]));
  at("policies").replaceChildren(...policyCards());
  at("rosters").removeAttribute("aria-busy");
  const gaps = state.rosters.filter(({ now }) => now.is_gap).length, on = state.rosters.flatMap(({ now }) => now.people);
  setText(at("subline"), gaps ? translate("duty.headline.gaps", { n: gaps }) : on.length ? translate("duty.headline", { names: names(on) }) : translate("duty.none.more"));
}

function policyCards() {
  const card = (policy) => el("article", { class: "policy" }, el("h3", {}, policy.name), state.organisations.length > 1 ? el("p", { class: "faint" }, nameInLanguage(policy.organisation)) : null, ...policyWords(policy, state),
    may("manage-duty") ? el("div", { class: "ends" }, button("duty.edit", () => policyForm(policy, state, attempt)), button("duty.test", () => attempt(() => post(`/api/v1/escalation-policies/${policy.policy_id}/test`, {}), tested))) : null);
  const fallback = el("article", { class: "policy" }, el("h3", {}, translate("duty.policy.default")), el("p", {}, translate("duty.policy.default.words")));
  return [...state.policies.map(card), fallback];
}

async function first() {
  try {
    await show();
  } catch (problem) {
    at("rosters").replaceChildren(placeholder(translate("duty.failed"), problem.message || translate("error.network"), button("shell.again", first)));
  }
}

const turn = (weeks) => () => {
  state.week = weeks === 0 ? 0 : state.week + weeks;
  first();
};
at("earlier").addEventListener("click", turn(-1));
at("this-week").addEventListener("click", turn(0));
at("later").addEventListener("click", turn(1));
at("new-roster")?.addEventListener("click", () => rosterForm(null, state.organisations, attempt));
at("new-policy")?.addEventListener("click", () => policyForm(null, state, attempt));
at("calls-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const { lift_id, kind, severity } = event.target.elements;
  showCalls(at("calls"), lift_id.value.trim(), kind.value, severity.value);
});
first();
