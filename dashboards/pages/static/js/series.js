// Readings for charts: a stream over a time span, as columns with gaps.

import { get } from "./api.js";

const GAP_LEAST_S = 5; // Closer readings belong together; deployed lifts speak at least each second while they move.
const GAP_BUCKETS = 2.5;

const path = (lift_id) => `/api/v1/lifts/${encodeURIComponent(lift_id)}/series`;
const iso = (seconds) => new Date(1000 * seconds).toISOString();
const seconds = (text) => Date.parse(text) / 1000;

/** Return a sampled stream as `{bucket_s, t, channels: {v: {min, max, mean}}, gaps: [[from, to]]}`. */
export async function sampled(lift_id, stream, span, points, options) {
  const answer = await get(path(lift_id), { stream, from: iso(span.from), to: iso(span.to), points }, options);
  const middles = answer.t.map((begin) => seconds(begin) + answer.bucket_s / 2), gap_s = Math.max(GAP_LEAST_S, GAP_BUCKETS * answer.bucket_s);
  return { bucket_s: answer.bucket_s, ...joined(middles, channelsOf(answer), gap_s) };
}

/** Return the channels of a response; each is a property next to `t`. */
const channelsOf = (answer) => Object.fromEntries(Object.entries(answer).filter(([, value]) => value?.mean));

/** Omit empty buckets inside continuous readings, and keep one null in each gap. */
function joined(middles, said, gap_s) {
  const columns = Object.values(said), rows = middles.flatMap((t, i) => (columns.some(({ mean }) => mean[i] !== null) ? [i] : []));
  const gaps = [], order = [];
  rows.forEach((row, k) => {
    if (k > 0 && middles[row] - middles[rows[k - 1]] > gap_s) {
      gaps.push([middles[rows[k - 1]], middles[row]]);
      order.push(null);
    }
    order.push(row);
  });
  const pick = (column) => order.map((row) => (row === null ? null : column[row]));
  const t = order.map((row, k) => (row === null ? (middles[order[k - 1]] + middles[order[k + 1]]) / 2 : middles[row]));
  const channels = Object.fromEntries(Object.entries(said).map(([name, { min, max, mean }]) => [name, { min: pick(min), max: pick(max), mean: pick(mean) }]));
  return { t, channels, gaps };
}

/**
 * Return an event stream as `{truncated, channels: {state: [{from, to, value}]}}`; `known_to` is the last known instant.
 * A value holds until the next event; the first event may be older than the span and still apply.
 */
async function events(lift_id, stream, span, known_to, options) {
  const answer = await get(path(lift_id), { stream, from: iso(span.from), to: iso(span.to) }, options);
  const at = answer.at.map(seconds), channels = {};
  const end = answer.truncated ? at.at(-1) : Math.min(span.to, known_to); // what follows the last event is unknown then
  for (const name of Object.keys(answer).filter((key) => Array.isArray(answer[key]) && key !== "at")) {
    const pieces = [];
    answer[name].forEach((value, i) => {
      if (value === null || value === pieces.at(-1)?.value) return;
      if (pieces.length) pieces.at(-1).to = at[i];
      pieces.push({ from: at[i], to: Math.max(end, at[i]), value });
    });
    channels[name] = pieces.filter((piece) => piece.to > span.from);
  }
  return { truncated: answer.truncated, channels };
}

/** Return the intervals for the two charts of states: door with light curtain, and presence. */
export async function bands(lift_id, span, known_to, options) {
  const [door, infrared] = await Promise.all(["door", "infrared"].map((stream) => events(lift_id, stream, span, known_to, options)));
  return {
    door: { truncated: door.truncated, channels: { state: door.channels.state ?? [], curtain: infrared.channels.curtain ?? [] } },
    presence: { truncated: infrared.truncated, channels: { presence: infrared.channels.presence ?? [] } },
  };
}
