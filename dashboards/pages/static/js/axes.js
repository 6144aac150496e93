// The axes of a chart: time in the lift's time zone, floors by label, speeds relative to the rated speed.

import { locale } from "./translations.js";

const HEIGHTS = { speed: 124, position: 150, door: 56, presence: 38, vibration: 96 };
const SMALL_HEIGHT = 92, AXIS_HEIGHT = 26;
const WIDTH = 58, NARROW_WIDTH = 44, APART = 84, NARROW_APART = 62, FLOOR_APART = 18;
const BANDS_HEIGHT = { door: 2.4, presence: 1.2 };
const STEPS_S = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 345600, 604800];
const QUIET_MPS2 = 0.2; // What noise does shall not fill a chart of vibration.

const narrow = () => innerWidth < 720;

/** Return the upper end of the value axis of a chart of states, 0 for a chart of numbers. */
export const bandsHeight = (kind) => BANDS_HEIGHT[kind] ?? 0;

/** Return whether a chart has a time axis: the small charts, and the lowest of the five. */
const showsTime = (kind, shared) => Boolean(shared.small) || kind === "vibration";

export const plotHeight = (kind, shared) => (shared.small ? SMALL_HEIGHT : HEIGHTS[kind]) + (showsTime(kind, shared) ? AXIS_HEIGHT : 0);

export const font = (ratio = 1) => `${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;

/** Return a colour of the theme, read from the style sheet. */
export const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

export function timeAxis(kind, shared) {
  const shown = showsTime(kind, shared), axis = { stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: shown, stroke: colour("line") }, font: font(), space: narrow() ? NARROW_APART : APART, incrs: STEPS_S };
  return { ...axis, size: shown ? AXIS_HEIGHT : 0, values: (plot, splits) => (shown ? timeTexts(splits, shared.zone) : splits.map(() => "")) };
}

function timeTexts(splits, zone) {
  const step_s = splits.length > 1 ? splits[1] - splits[0] : 1;
  const parts = step_s >= 86400 ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit", ...(step_s < 60 ? { second: "2-digit" } : {}), hourCycle: "h23" };
  return splits.map((t) => new Date(1000 * t).toLocaleString(locale, { ...parts, timeZone: zone }));
}

export function valueAxis(kind, { floors, rated, small }) {
  const axis = { size: narrow() ? NARROW_WIDTH : WIDTH, stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, font: font(), space: 26, gap: 4 };
  if (bandsHeight(kind)) return { ...axis, grid: { show: false }, values: (plot, splits) => splits.map(() => "") };
  if (kind === "speed" && rated) return { ...axis, splits: () => [-rated, 0, rated], values: (plot, splits) => splits.map((v) => v.toFixed(v ? 2 : 0)) };
  if (kind !== "position" || !floors?.length) return axis;
  const every = Math.max(1, Math.ceil((floors.length * FLOOR_APART) / (small ? SMALL_HEIGHT : HEIGHTS.position))), named = floors.filter((floor, i) => i % every === 0);
  return { ...axis, splits: () => named.map((floor) => floor.height_m), values: () => named.map((floor) => floor.label.slice(0, 6)) };
}

/** Return `{min, max}` of the values and the limit, never narrower than the noise of the sensor. */
export function valueRange(kind, { floors, rated }, columns) {
  let low = Infinity, high = -Infinity;
  const hold = (...values) => { for (const value of values) if (value !== null) [low, high] = [Math.min(low, value), Math.max(high, value)]; };
  for (const column of columns) for (const value of column) hold(value);
  if (kind === "position" && floors?.length) hold(floors[0].height_m, floors.at(-1).height_m);
  if (kind === "speed" && rated) hold(-rated, rated);
  if (kind === "vibration") hold(-QUIET_MPS2, QUIET_MPS2);
  if (low > high) return { min: 0, max: 1 };
  const room = Math.max(0.05, 0.06 * (high - low));
  return { min: low - room, max: high + room };
}
