// The time range of the charts: a preset that follows the present, or two fixed instants; kept in the URL.

import { serverNow } from "./api.js";

const PRESETS_S = { "5m": 300, "15m": 900, "1h": 3600, "6h": 21600, "1d": 86400, "7d": 604800, "30d": 2592000 };
const FIRST = "15m";
const SHORTEST_S = 2, LONGEST_S = 2592000;
const STEP = 0.5, ZOOM = 2;

const now_s = () => serverNow() / 1000;

export class TimeRange {
  constructor(changed) {
    this.changed = changed;
    this.read();
    addEventListener("popstate", () => { this.read(); changed(); });
  }

  read() {
    const asked = new URL(location.href).searchParams, from = Date.parse(asked.get("from")) / 1000, to = Date.parse(asked.get("to")) / 1000;
    this.preset = PRESETS_S[asked.get("range")] ? asked.get("range") : FIRST;
    this.fixed = to - from >= SHORTEST_S && to - from <= LONGEST_S ? { from, to } : null;
  }

  get follows() {
    return this.fixed === null;
  }

  span() {
    const to = now_s();
    return this.fixed ?? { from: to - PRESETS_S[this.preset], to };
  }

  follow(preset = this.preset) {
    [this.preset, this.fixed] = [preset, null];
    this.write();
  }

  set(from, to) {
    const half = Math.min(LONGEST_S, Math.max(SHORTEST_S, to - from)) / 2, middle = (from + to) / 2;
    this.fixed = { from: middle - half, to: middle + half };
    this.write();
  }

  step(name) {
    const { from, to } = this.span(), length = to - from, middle = (from + to) / 2;
    if (name === "follow") return this.follows ? this.set(from, to) : this.follow();
    if (name === "in") return this.set(middle - length / ZOOM / 2, middle + length / ZOOM / 2);
    if (name === "out") return this.set(middle - (length * ZOOM) / 2, middle + (length * ZOOM) / 2);
    const by = name === "earlier" ? -STEP * length : STEP * length;
    return this.set(from + by, to + by);
  }

  write() {
    const here = new URL(location.href), { searchParams } = here;
    searchParams.set("range", this.preset);
    for (const end of ["from", "to"]) this.fixed ? searchParams.set(end, new Date(1000 * this.fixed[end]).toISOString()) : searchParams.delete(end);
    history.pushState(null, "", here);
    this.changed();
  }
}
