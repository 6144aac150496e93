// Units from the suffix of a quantity's name, and the pairs of evidence and limit.

export const UNITS = [["_mmps", "mm/s"], ["_min", "min"], ["_mps3", "m/s³"], ["_mps2", "m/s²"], ["_mps", "m/s"], ["_hz", "Hz"], ["_mm", "mm"], ["_kg", "kg"], ["_pct", "%"], ["_m", "m"], ["_s", "s"]];
export const SILENT_FACTS = ["lift_id", "name", "lat", "lon"];
const WHOLE = ["count", "cycles", "reversals", "landing", "transitions"];

/** Return the unit of a quantity by the suffix of its name, and the name without the suffix. */
function unitOf(name) {
  const found = UNITS.find(([ending]) => name.endsWith(ending));
  return found ? [name.slice(0, -found[0].length), found[1]] : [name, ""];
}

/** Return a number with `digits` decimals; a value that rounds to zero has no sign. */
export const fixed = (value, digits = 2) => (Math.round(value * 10 ** digits) / 10 ** digits + 0).toFixed(digits);

/** Return a number with the number of decimals that fits its quantity. */
export function figure(name, value) {
  if (value === null || value === undefined) return "–";
  if (WHOLE.some((word) => name.includes(word))) return String(Math.round(value));
  const digits = name.endsWith("_s") || name.endsWith("_mm") ? 1 : 2;
  return fixed(value, digits).replace(/\.0+$/, "");
}

/** Pair quantities with their limits: `speed_mps` with `limit_mps`, `speed_limit_mps` or `limit_speed_mps`. */
export function paired(evidence) {
  const names = Object.keys(evidence), limits = names.filter((name) => name.includes("limit")), taken = new Set();
  const rows = names.filter((name) => !limits.includes(name)).map((name) => {
    const [stem, unit] = unitOf(name), ending = name.slice(stem.length);
    const limit = [`${stem}_limit${ending}`, `limit_${name}`, `limit${ending}`].find((each) => limits.includes(each) && !taken.has(each));
    if (limit) taken.add(limit);
    return { name, stem, unit, value: evidence[name], limit: limit === undefined ? null : evidence[limit] };
  });
  const alone = limits.filter((name) => !taken.has(name)).map((name) => ({ name, stem: unitOf(name)[0], unit: unitOf(name)[1], value: evidence[name], limit: null }));
  return [...rows, ...alone];
}
