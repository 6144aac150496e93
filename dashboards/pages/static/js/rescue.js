// The rescue of an incident in the reading pane: timers, level, who was called out and comes, whether doors may be opened,
// what telemetry proposes, and what to say to the passenger in both languages.

import { el } from "./element.js";
import { isRescue } from "./incident_actions.js";
import { liftInfo } from "./lift_names.js";
import { fullStamp, secondsSince, span, stamp } from "./time.js";
import { hasTranslation, liftName, nameInLanguage, translate } from "./translations.js";

const STAGES = ["suspected", "confirmed", "notified", "acknowledged", "dispatched", "on-site", "released", "closed"];
const RESCUE_ONLY = ["dispatched", "on-site", "released"];
const DUE = { acknowledged: "answer_due", "on-site": "arrive_due" };
const SILL_LIMIT_M = 0.6; // Above it, nobody is helped out through the doors.
const STALE_S = 120;
const VOICE = { english: "en", chinese: "zh-Hans" };

/** Return the stages of an incident with their times; the timers of a rescue that runs count down. */
export function clockRows(incident, zone) {
  const rescue = isRescue(incident), { stages, state, timers } = incident;
  return STAGES.filter((stage) => stage in stages || (rescue && state === "open" && RESCUE_ONLY.includes(stage)) || stage === "acknowledged").map((stage) => {
    const at = stages[stage], due = rescue && timers ? timers[DUE[stage]] : null;
    const late_s = due ? (at ? (Date.parse(at) - Date.parse(due)) / 1000 : secondsSince(due)) : 0;
    return el("li", { class: at ? "reached" : late_s > 0 ? "late" : "ahead" },
      el("span", {}, translate(`stage.${stage}`)),
      at ? el("time", { datetime: at, title: stamp(at, zone) }, fullStamp(at, zone)) : el("span", { class: "faint" }, translate("incident.not-yet")),
      due && !(at && late_s <= 0) && (state === "open" || at) ? el("small", {}, translate(late_s > 0 ? "rescue.late" : "rescue.left", { duration: span(Math.abs(late_s)) })) : null);
  });
}

/** Return the closing report of an incident: what took how long, counted from its beginning, and a button that prints. */
export function closingReport({ rescue, stages, opened, closed_by, reason, state }, zone) {
  if (state !== "closed") return [];
  const begun = Date.parse(rescue?.since ?? opened), rows = ["acknowledged", "dispatched", "on-site", "released", "closed"].filter((stage) => stages[stage]);
  return [
    el("h3", {}, translate("report.closing")),
    el("dl", { class: "closing" }, ...rows.map((stage) => el("div", {}, el("dt", {}, translate(`stage.${stage}`)), el("dd", {}, translate("report.after", { duration: span(Math.max(0, (Date.parse(stages[stage]) - begun) / 1000)), at: fullStamp(stages[stage], zone) }))))),
    el("p", {}, [closed_by ? translate("report.by", { name: nameInLanguage(closed_by) }) : translate("report.by-monitor"), reason ? translate(`reason.${reason}`) : null, rescue?.automatic ? translate("report.automatic") : null].filter(Boolean).join(" · ")),
    el("button", { type: "button", class: "print", click: () => print() }, translate("report.print")),
  ];
}

/** Return what a section about a running rescue shows; `answer(action, number)` opens the form of an answer. */
export function rescueParts(incident, lift, zone, answer) {
  const { rescue, state } = incident;
  if (!rescue) return [];
  const open = state === "open";
  return [
    el("h3", {}, translate("rescue.title", { level: translate(`rescue.level.${rescue.level}`) })),
    ...rescue.overdue.map((timer) => el("p", { class: "problem" }, translate(`rescue.overdue.${timer}`))),
    rescue.call_outs.length ? el("ul", { class: "call-outs" }, ...rescue.call_outs.map((each) => callOut(each, zone, open && incident.answerable?.includes(each.number), answer))) : el("p", { class: "faint" }, translate(open ? "rescue.nobody" : "rescue.nobody.was")),
    ...provenPlaces(incident).map((place) => el("p", {}, place)),
    rescue.release_seen ? el("p", { class: "proposal" }, translate(rescue.automatic ? "rescue.seen" : "rescue.seen.confirmed", { at: fullStamp(rescue.release_seen, zone) })) : null,
    ...(open ? [el("p", { class: "sill" }, sillSentence(lift)), voice()] : []),
  ].filter(Boolean);
}

/** Return where the code was scanned on arrival, as sentences; those of several lifts name the lift. */
function provenPlaces({ rescue, lifts }) {
  const at = lifts.length > 1 ? lifts.filter(({ proven }) => proven) : [];
  if (at.length) return at.map(({ lift_id, proven }) => `${translate(`rescue.proven.${proven}`)}${translate("shell.colon")}${liftName(liftInfo(lift_id, () => {}))}`);
  return rescue.proven ? [translate(`rescue.proven.${rescue.proven}`)] : [];
}

function callOut({ number, level, who, called, answer: given, answered, reason, place, expected, arrived }, zone, answerable, answer) {
  const said = given ? translate(`rescue.${given}`) : translate("rescue.waiting");
  const more = [place ? translate("rescue.from", { place: nameInLanguage(place) }) : null, expected ? translate("rescue.expected", { at: fullStamp(expected, zone) }) : null, arrived ? translate("rescue.arrived", { at: fullStamp(arrived, zone) }) : null, reason].filter(Boolean);
  const button = (action) => el("button", { type: "button", click: () => answer(action, number) }, translate(`act.${action}`));
  return el("li", {}, el("b", {}, nameInLanguage(who)), " ", el("small", {}, `${translate(`rescue.level.${level}`)} · ${translate("rescue.called", { at: fullStamp(called, zone) })}`),
    el("p", {}, [said, answered ? fullStamp(answered, zone) : null, ...more].filter(Boolean).join(" · ")),
    answerable && !arrived ? el("p", { class: "ends" }, ...(given === "accepted" ? [button("decline")] : [button("accept"), ...(given === "declined" ? [] : [button("decline")]), ...(given ? [] : [button("no-answer")])])) : null);
}

/** Return whether the doors may be opened: the height of the car's floor over the nearest landing, where it is known. */
export function sillSentence({ facts, latest }) {
  const floors = facts?.floors ?? [], height = latest?.position_m, old = !latest?.last_seen || secondsSince(latest.last_seen) > STALE_S;
  if (!floors.length || height === null || height === undefined || old || facts.position_source === "barometer") return translate("rescue.sill.unknown", { limit: SILL_LIMIT_M.toFixed(2) });
  const nearest = floors.reduce((best, each) => (Math.abs(each.height_m - height) < Math.abs(best.height_m - height) ? each : best));
  const difference = Math.round(1000 * (height - nearest.height_m)) / 1000, side = difference < 0 ? "below" : "above";
  const where = translate(`rescue.sill.${side}`, { metres: Math.abs(difference).toFixed(2), floor: nearest.label });
  return translate(Math.abs(difference) <= SILL_LIMIT_M ? "rescue.sill.open" : "rescue.sill.closed", { where, limit: SILL_LIMIT_M.toFixed(2) });
}

/** Return what to say to the passenger, in both languages. */
function voice() {
  return el("details", { class: "voice" }, el("summary", {}, translate("rescue.voice")), ...Object.entries(VOICE).map(([name, lang]) => el("ul", { lang }, ...[1, 2, 3, 4, 5].map((i) => `voice.${name}.${i}`).filter(hasTranslation).map((key) => el("li", {}, translate(key))))));
}
