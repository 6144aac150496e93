// Names of lifts for lists that contain only ids: loaded once for the most urgent lifts, then together for those that are shown.

import { get } from "./api.js";

const FIRST = 100, AT_ONCE = 50, GATHERED_MS = 20;
const lifts = new Map(), waiting = new Map();
let gathering = false;

/** Load the most urgent lifts, which are the lifts that alerts refer to. */
export async function loadLiftNames() {
  for (const lift of (await get("/api/v1/lifts", { limit: FIRST })).items) lifts.set(lift.lift_id, lift);
}

/** Return the known data of a lift; `later` is called when the lift has been loaded. */
export function liftInfo(lift_id, later) {
  if (!lifts.has(lift_id)) {
    lifts.set(lift_id, { lift_id, name: null, address: null, timezone: null });
    waiting.set(lift_id, []);
    gather();
  }
  waiting.get(lift_id)?.push(later);
  return lifts.get(lift_id);
}

/** Load the lifts that are asked for within a short time by one request. */
function gather() {
  if (gathering) return;
  gathering = true;
  setTimeout(async () => {
    gathering = false;
    const asked = [...waiting].slice(0, AT_ONCE), ids = asked.map(([lift_id]) => lift_id);
    for (const lift_id of ids) waiting.delete(lift_id);
    if (waiting.size) gather();
    const found = await get("/api/v1/lifts", { lift_id: ids, limit: AT_ONCE }).catch(() => ({ items: [] }));
    for (const lift of found.items) lifts.set(lift.lift_id, lift);
    for (const later of new Set(asked.flatMap(([, callbacks]) => callbacks))) later();
  }, GATHERED_MS);
}
