// What people call lifts, for lists that know only their ids: read once, then one at a time for those who are missing.

import { get } from "./api.js";

const FIRST = 100, AT_ONCE = 4;
const lifts = new Map(), waiting = [];
let busy = 0;

/** Learn the lifts that need someone, who are those that lists of alerts are about. */
export async function learnNames() {
  for (const lift of (await get("/api/v1/lifts", { limit: FIRST })).items) lifts.set(lift.lift_id, lift);
}

/** Return what is known of a lift; `later` is called once more is known. */
export function known(lift_id, later) {
  if (!lifts.has(lift_id)) {
    lifts.set(lift_id, { lift_id, name: null, address: null });
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
