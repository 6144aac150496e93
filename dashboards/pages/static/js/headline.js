// The fleet's headline: who needs someone now, as a sentence.

import { get } from "./api.js";
import { where, zoneOf } from "./car.js";
import { el, put } from "./element.js";
import { SILENT } from "./severity.js";
import { clock, secondsSince, span, timeNode } from "./time.js";
import { callLift, knows, ruleName, say } from "./words.js";

const STALLED_S = 15; // The monitor writes each second.
const ALERTS_MOST = 200;

/** Say in `headline` who needs someone now, and in `subline` how well the fleet is heard. */
export async function showHeadline(headline, subline, fleet) {
  const { states, lifts } = fleet, silent = SILENT.reduce((sum, state) => sum + (states[state] ?? 0), 0);
  const worst = ["critical", "major", "minor"].find((state) => states[state]);
  const general = worst ? say(`fleet.${worst}`, { n: states[worst] }) : say(lifts && silent === lifts ? "fleet.silent" : "fleet.quiet");
  headline.replaceChildren(...(worst === "critical" ? await criticalHeadline(general, states.critical) : [general]));
  const stale_s = fleet.as_of ? secondsSince(fleet.as_of) : 0;
  subline.classList.toggle("problem", stale_s > STALLED_S);
  if (stale_s > STALLED_S) return put(subline, say("fleet.stalled", { duration: span(stale_s), at: clock(fleet.as_of) }));
  const parts = [say("fleet.sub", { n: lifts })];
  if (silent) parts.push(say("fleet.sub.silent", { n: silent }));
  if (fleet.completeness.fraction !== null) parts.push(say("fleet.sub.complete", { percent: (Math.floor(1000 * fleet.completeness.fraction) / 10) }));
  return put(subline, parts.join(" · "));
}

/** Return the headline where lifts are critical: the one with its time, or how many and in how many people may be trapped. */
async function criticalHeadline(general, count) {
  const { items: alerts } = await get("/api/v1/alerts", { state: "firing", severity: "critical", limit: ALERTS_MOST });
  const trapped = alerts.filter((alert) => knows(`here.${alert.rule}`));
  if (count === 1 && alerts.length) return theOne(trapped[0] ?? alerts[0]);
  const n = new Set(trapped.map((alert) => alert.lift_id)).size;
  if (n === count) return [say("fleet.trapped.all", { n })];
  return [n ? say("fleet.trapped", { sentence: general, n }) : general];
}

/** Return one critical alert as a sentence that counts its time. */
async function theOne(alert) {
  const found = await get(`/api/v1/lifts/${encodeURIComponent(alert.lift_id)}`), lift = callLift(found);
  const place = where(found.latest, found.facts?.floors ?? [], zoneOf(found.facts));
  const sentence = knows(`here.${alert.rule}`) && place ? say("fleet.trapped.one", { what: say(`here.${alert.rule}`), lift, where: place }) : say("fleet.alert.one", { lift, summary: ruleName(alert.rule) });
  return [el("a", { href: `/alerts/${encodeURIComponent(alert.id)}` }, sentence), " ", timeNode(alert.onset, { as: "for" })];
}
