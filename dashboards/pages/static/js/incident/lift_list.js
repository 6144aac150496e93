// The lifts of an incident of several, those that hold people first, each with its stages and the buttons that enter them.

import { carLocation } from "../car_status.js";
import { el, symbol } from "../element.js";
import { liftInfo } from "../lift_names.js";
import { fullStamp } from "../time.js";
import { liftName, translate } from "../translations.js";

const STAGES = ["dispatched", "on-site", "released"];

/** Return the stages that a lift has reached, with their times: its own, and those of the whole incident. */
const reached = (lift, incident) => STAGES.map((stage) => [stage, lift.stages?.[stage] ?? (lift.holds_people ? incident.stages[stage] : null)]).filter(([, at]) => at);

/** Return the stages that can be entered for a lift now. */
export const stagesOf = (lift, incident) => {
  const last = Math.max(-1, ...reached(lift, incident).map(([stage]) => STAGES.indexOf(stage)));
  return lift.holds_people && incident.state === "open" ? STAGES.slice(last + 1) : [];
};

/** Return the lifts that a stage can be entered for. */
export const holding = (incident) => incident.lifts.filter((lift) => stagesOf(lift, incident).length);

/** Return the stages that can be taken back: the last of the incident, and the last of each of several lifts. */
export function retractable(incident) {
  if (incident.state !== "open" || !incident.rescue) return [];
  const last = (stages) => STAGES.findLast((stage) => stage in stages), whole = incident.whole === false ? null : last(incident.stages);
  const lifts = incident.lifts.map(({ lift_id, stages = {} }) => ({ stage: last(stages), lift_id })).filter(({ stage }) => stage);
  return [...(whole ? [{ stage: whole }] : []), ...lifts];
}

/** Return the section about the lifts of an incident; `enter(stage, lift_id)` opens the form, null where nobody may. */
export function liftList(incident, zone, enter, later) {
  if (incident.lifts.length < 2) return [];
  return [el("h3", {}, translate("incident.lifts.title", { n: incident.lifts.length })), el("ul", { class: "lifts-of" }, ...incident.lifts.map((lift) => {
    const known = liftInfo(lift.lift_id, later), place = lift.holds_people && carLocation(known, "place"), next = enter ? stagesOf(lift, incident) : [];
    const said = [lift.holds_people ? [translate("incident.holds"), place].filter(Boolean).join(" ") : null, ...reached(lift, incident).map(([stage, at]) => `${translate(`stage.${stage}`)} ${fullStamp(at, zone)}`)];
    return el("li", {}, lift.holds_people ? symbol("critical") : symbol("lift"), el("div", {}, el("a", { href: `/lifts/${encodeURIComponent(lift.lift_id)}` }, liftName(known)), el("small", {}, said.filter(Boolean).join(" · "))),
      el("p", { class: "ends" }, ...next.map((stage) => el("button", { type: "button", click: () => enter(stage, lift.lift_id) }, translate(`stage.${stage}`)))));
  }))];
}
