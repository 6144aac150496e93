// The form of a roster: name, zone, and its rotations with their turns of people.

import { get, post, put, remove, versionOf } from "../api.js";
import { el } from "../element.js";
import { translate } from "../translations.js";
import { checked, field, openForm, select } from "../form_dialog.js";
import { DAYS, dayChecks, zoneList } from "./weekdays.js";

const today = () => new Date().toISOString().slice(0, 10);
const EMPTY = { name: "", turns: [[""]], starts_on: today(), turn: "week", every: 1, hand_over: ["08:00"], until: null, weekdays: DAYS, on_holidays: "included", ends_on: null };

/** Open the form of a roster, of a new one where it is null. */
export async function rosterForm(roster, organisations, attempt) {
  const current = roster && (await get(`/api/v1/rosters/${roster.roster_id}`).catch(() => null)), version = current && versionOf(current);
  const shown = current ?? { name: "", timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, holidays: null, rotations: [EMPTY] };
  const of = el("select", { name: "organisation_id", disabled: Boolean(current) }, ...organisations.map((each) => el("option", { value: each.organisation_id, selected: each.organisation_id === shown.organisation_id }, each.name)));
  const people = () => organisations.find((each) => each.organisation_id === of.value)?.people ?? [];
  const rotations = el("div", {}, ...shown.rotations.map((each) => rotationFields(each, people)));
  of.addEventListener("change", () => rotations.replaceChildren(rotationFields(EMPTY, people)));
  const parts = [
    organisations.length > 1 ? field("duty.organisation", of) : el("div", { hidden: true }, of),
    el("div", { class: "row" }, field("duty.name", el("input", { name: "name", value: shown.name, maxlength: 200, required: true })), field("duty.timezone", el("input", { name: "timezone", value: shown.timezone, list: "zones", required: true })), zoneList()),
    field("duty.holidays", el("input", { name: "holidays", value: shown.holidays ?? "", maxlength: 20, placeholder: "CN" })),
    rotations,
    el("button", { type: "button", click: () => rotations.append(rotationFields({ ...EMPTY, turns: [[""]] }, people)) }, translate("duty.rotation.add")),
  ];
  const gone = current ? [el("button", { type: "button", click: async (event) => {
    if (!confirm(translate("duty.roster.delete.sure", { name: shown.name }))) return;
    event.target.closest("dialog").close();
    await attempt(() => remove(`/api/v1/rosters/${current.roster_id}`));
  } }, translate("duty.delete"))] : [];
  openForm(translate(current ? "duty.roster.edit" : "duty.roster.new"), parts, (form) => {
    const { name, timezone, holidays } = form.elements;
    const body = { name: name.value, timezone: timezone.value, holidays: holidays.value || null, extra_holidays: current?.extra_holidays ?? [], rotations: [...rotations.children].map(rotationBody) };
    return current ? put(`/api/v1/rosters/${current.roster_id}`, body, version) : post("/api/v1/rosters", { organisation_id: of.value, ...body });
  }, attempt, gone);
}

function rotationFields(rotation, people) {
  const turns = el("div", { class: "turns" }, ...rotation.turns.map((team) => turnFields(team, people)));
  const number = () => [...turns.children].forEach((each, i) => { each.querySelector("b").textContent = `${i + 1}.`; });
  turns.addEventListener("turn", number);
  const set = el("fieldset", { class: "rotation" }, el("legend", {}, translate("duty.rotation")),
    el("div", { class: "row" }, field("duty.name", el("input", { name: "rotation", value: rotation.name || translate("duty.rotation.first"), maxlength: 200, required: true })), field("duty.turn", select("turn", ["day", "week", "shift"].map((each) => [each, translate(`duty.turn.${each}`)]), rotation.turn)), field("duty.every", el("input", { name: "every", type: "number", min: 1, max: 366, value: rotation.every })), field("duty.starts", el("input", { name: "starts_on", type: "date", value: rotation.starts_on, required: true }))),
    field("duty.handover", el("input", { name: "hand_over", value: rotation.hand_over.join(", "), pattern: "\\s*\\d\\d:\\d\\d(\\s*[,，]\\s*\\d\\d:\\d\\d)*\\s*", required: true })),
    el("p", {}, translate("duty.turns")), turns,
    el("button", { type: "button", click: () => { turns.append(turnFields([""], people)); number(); } }, translate("duty.turn.add")),
    el("details", {}, el("summary", {}, translate("duty.more")), dayChecks("weekdays", rotation.weekdays),
      el("div", { class: "row" }, field("duty.day-ends", el("input", { name: "until", type: "time", value: rotation.until ?? "" })), field("duty.on-holidays", select("on_holidays", ["included", "excluded", "only"].map((each) => [each, translate(`duty.on-holidays.${each}`)]), rotation.on_holidays)), field("duty.ends", el("input", { name: "ends_on", type: "date", value: rotation.ends_on ?? "" })))),
    el("button", { type: "button", class: "quiet", click: (event) => event.target.closest("fieldset").remove() }, translate("duty.rotation.remove")));
  number();
  return set;
}

function turnFields(team, people) {
  const one = (chosen) => field("duty.person", select("person", [["", "–"], ...people().map(({ person_id, name, ways }) => [person_id, ways.length ? name : `${name} · ${translate("duty.no-way")}`])], chosen));
  const row = el("div", { class: "turn" }, el("b", {}, ""), ...team.map(one),
    el("button", { type: "button", class: "quiet", "aria-label": translate("duty.person.add"), click: () => row.lastElementChild.previousElementSibling.before(one("")) }, "+"),
    el("button", { type: "button", class: "quiet", "aria-label": translate("duty.turn.remove"), click: () => { const { parentElement } = row; row.remove(); parentElement.dispatchEvent(new Event("turn")); } }, "×"));
  return row;
}

function rotationBody(set) {
  const value = (name) => set.querySelector(`[name="${name}"]`).value;
  const turns = [...set.querySelectorAll(".turn")].map((row) => [...row.querySelectorAll("select")].map((each) => each.value).filter(Boolean)).filter((team) => team.length);
  return {
    name: value("rotation"), turns, starts_on: value("starts_on"), turn: value("turn"), every: Number(value("every")) || 1,
    hand_over: value("hand_over").split(/[,，]/).map((each) => each.trim()), until: value("until") || null,
    weekdays: checked(set, "weekdays"), on_holidays: value("on_holidays"), ends_on: value("ends_on") || null,
  };
}
