// Names of lifts for lists that contain only ids: loaded once for the most urgent lifts, then one by one.

import { get } from "./api.js";

const FIRST = 100, AT_ONCE = 3;
const lifts = new Map(), waiting = [];
let busy = 0;

/** Load the most urgent lifts, which are the lifts that alerts refer to. */
export async function loadLiftNames() {
  for (const lift of (await get("/api/v1/lifts", { limit: FIRST })).items) lifts.set(lift.lift_id, lift);
}

/** Return the known data of a lift; `later` is called when the lift has been loaded. */
export function liftInfo(lift_id, later) {
  if (!lifts.has(lift_id)) {
    lifts.set(lift_id, { lift_id, name: null, address: null, timezone: null });
    waiting.push([lift_id, later]);
    work();
  }
  return lifts.get(lift_id);
}

async function work() {
  while (waiting.length && busy < AT_ONCE) {
    const [lift_id, later] = waiting.shift();
    busy += 1;
    get(`/api/v1/lifts/${encodeURIComponent(lift_id)}`).then((found) => { lifts.set(lift_id, found.latest); later(); }, () => {}).finally(() => { busy -= 1; work(); });
  }
}
