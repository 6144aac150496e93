// The choice of a district, by its name.

import { el } from "./element.js";
import { districtName } from "./translations.js";

/** Add the districts that a select lacks, in the order of their slugs, and choose one. */
export function fillDistricts(select, districts, chosen) {
  const known = new Set(Array.from(select.options, (option) => option.value));
  for (const district of [...districts, chosen].sort()) {
    if (known.has(district)) continue;
    known.add(district);
    select.append(el("option", { value: district }, districtName(district)));
  }
  select.value = chosen;
}
