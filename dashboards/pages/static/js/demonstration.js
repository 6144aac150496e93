// The fleet page of the demonstration: an invitation to watch a rescue that is under way, and the fault panel.

import { get } from "./api.js";
import { el, setText } from "./element.js";
import { showFaultPanel } from "./fault_injection.js";
import { liftName, translate } from "./translations.js";

const LOOK_EVERY_MS = 4000, LIFTS_MOST = 200;

const banner = document.getElementById("rescue"), panel = document.getElementById("fault");

/** Show the newest rescue that is under way, with the link to it. */
async function showRescue() {
  const { items } = await get("/api/v1/incidents", { state: "open", severity: "critical" });
  const incident = items.find((each) => each.may_hold_people);
  banner.hidden = !incident;
  if (!incident) return;
  const lift = await get(`/api/v1/lifts/${encodeURIComponent(incident.lift_id)}`);
  setText(banner.querySelector("span"), translate("demo.rescue", { lift: liftName(lift) }));
  banner.querySelector("a").href = `/incidents/${encodeURIComponent(incident.id)}`;
}

async function showLifts(select) {
  const { items } = await get("/api/v1/lifts", { sort: "name", limit: LIFTS_MOST });
  select.append(...items.map((lift) => el("option", { value: lift.lift_id }, `${liftName(lift)} (${lift.lift_id})`)));
}

showRescue().catch(() => {});
setInterval(() => { if (!document.hidden) showRescue().catch(() => {}); }, LOOK_EVERY_MS);
if (panel) {
  const { lift } = panel.querySelector("form").elements;
  showLifts(lift).catch(() => {});
  showFaultPanel(panel, () => lift.value);
}
