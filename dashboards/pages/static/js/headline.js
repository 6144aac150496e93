// The headline of the fleet page: the lifts that need attention, as a sentence.

import { get } from "./api.js";
import { carLocation } from "./car_status.js";
import { el, setText } from "./element.js";
import { SILENT } from "./severity.js";
import { secondsSince, span, timeNode, zonedClock } from "./time.js";
import { liftName, hasTranslation, ruleName, translate } from "./translations.js";

const STALLED_S = 15; // The monitor writes each second.
const AT_MOST = 200;

/** Show in `headline` which lifts need attention, and in `subline` how many of the fleet's messages arrive. */
export async function showHeadline(headline, subline, fleet) {
  const { states, lifts } = fleet, silent = SILENT.reduce((sum, state) => sum + (state === "blind" ? 0 : states[state] ?? 0), 0);
  const worst = ["critical", "major", "minor"].find((state) => states[state]);
  const general = worst ? translate(`fleet.${worst}`, { n: states[worst] }) : withoutAlerts(fleet, silent);
  headline.replaceChildren(...(worst === "critical" ? await criticalHeadline(general, states.critical) : [general]));
  const stale_s = fleet.as_of ? secondsSince(fleet.as_of) : 0;
  const stopped = fleet.partitions.filter((each) => !each.running).map((each) => each.partition);
  subline.classList.toggle("problem", stale_s > STALLED_S || stopped.length > 0);
  if (stale_s > STALLED_S) return setText(subline, translate("fleet.stalled", { duration: span(stale_s), at: zonedClock(fleet.as_of) }));
  if (stopped.length) return setText(subline, translate("fleet.stopped", { partitions: stopped.join(translate("shell.comma")) }));
  const parts = [translate("fleet.sub", { n: lifts })];
  if (states.blind) parts.push(translate("fleet.sub.blind", { n: states.blind }));
  if (silent) parts.push(translate("fleet.sub.silent", { n: silent }));
  if (fleet.completeness.fraction !== null) parts.push(translate("fleet.sub.complete", { percent: (Math.floor(1000 * fleet.completeness.fraction) / 10) }));
  for (const each of fleet.imports) parts.push(translate("fleet.sub.import", { taken: each.taken, of: each.of }));
  return setText(subline, parts.join(" · "));
}

/** Return the headline of a fleet without alerts: all is well only where every lift is heard and judged. */
function withoutAlerts({ states, lifts, as_of, partitions }, silent) {
  if (!lifts) return translate("fleet.unwatched");
  if (!as_of || secondsSince(as_of) > STALLED_S) return translate("fleet.unknown");
  if (states["never-seen"] === lifts) return translate("fleet.unheard");
  if (silent === lifts) return translate("fleet.silent");
  if (partitions.some((each) => !each.running)) return translate("fleet.partly");
  if (states.blind) return translate("fleet.blind", { n: states.blind });
  return silent ? translate("fleet.quiet.others", { n: silent }) : translate("fleet.quiet");
}

/** Return the headline for critical lifts: a single alert or incident with its duration, or how many lifts, and in how many people may be trapped. */
async function criticalHeadline(general, count) {
  const [{ items: alerts }, { items: incidents }] = await Promise.all([
    get("/api/v1/alerts", { state: "firing", severity: "critical", limit: AT_MOST }),
    get("/api/v1/incidents", { state: "open", severity: "critical", limit: AT_MOST }),
  ]);
  const trapped = alerts.filter((alert) => hasTranslation(`here.${alert.rule}`));
  const held = incidents.flatMap((incident) => incident.lifts.filter((lift) => lift.holds_people).map((lift) => ({ ...incident, lift_id: lift.lift_id })));
  if (count === 1 && trapped.length) return singleAlert(trapped[0]);
  if (count === 1 && held.length) return singleIncident(held[0]);
  if (count === 1 && alerts.length) return singleAlert(alerts[0]);
  const n = new Set([...trapped, ...held].map(({ lift_id }) => lift_id)).size;
  if (n === count) return [translate("fleet.trapped.all", { n })];
  return [n ? translate("fleet.trapped", { sentence: general, n }) : general];
}

/** Return one critical alert as a sentence with its running duration. */
async function singleAlert(alert) {
  const found = await get(`/api/v1/lifts/${encodeURIComponent(alert.lift_id)}`), lift = liftName(found);
  const place = carLocation(found.latest);
  const sentence = hasTranslation(`here.${alert.rule}`) && place ? translate("fleet.trapped.one", { what: translate(`here.${alert.rule}`), lift, where: place }) : translate("fleet.alert.one", { lift, summary: ruleName(alert.rule) });
  return [el("a", { href: `/alerts/${encodeURIComponent(alert.id)}` }, sentence), " ", timeNode(alert.onset, { as: "for" })];
}

/** Return one incident in which somebody may be inside as a sentence with its running duration. */
async function singleIncident(incident) {
  const lift = liftName(await get(`/api/v1/lifts/${encodeURIComponent(incident.lift_id)}`));
  return [el("a", { href: `/incidents/${encodeURIComponent(incident.id)}` }, translate("fleet.alert.one", { lift, summary: translate("incident.here") })), " ", timeNode(incident.opened, { as: "for" })];
}
