// The grades of risk above the list of lifts: how many lifts have each, as filters, and the distribution of health.

import { setText } from "./element.js";
import { translate } from "./translations.js";

const LOW_TENS = 4, HIGH_TENS = 8;

export const gradeName = (grade) => translate(`grade.${grade ?? "unknown"}`);

/** Show the distribution of a fleet; nothing where no lift has a health. */
export function showGrades(box, { grades, tens }, chosen) {
  const sum = (from, to) => tens.slice(from, to).reduce((total, n) => total + n, 0), n = sum(0, tens.length);
  box.hidden = n === 0 && !chosen;
  for (const chip of box.querySelectorAll("button")) {
    const { grade } = chip.dataset, count = grades[grade];
    setText(chip.lastElementChild, String(count));
    chip.classList.toggle("zero", count === 0);
    chip.setAttribute("aria-pressed", String(chosen === grade));
  }
  const chart = box.lastElementChild, most = Math.max(1, ...tens);
  chart.setAttribute("aria-label", translate("health.tens", { n, low: sum(0, LOW_TENS), mid: sum(LOW_TENS, HIGH_TENS), high: sum(HIGH_TENS, tens.length) }));
  chart.title = chart.getAttribute("aria-label");
  tens.forEach((count, place) => { chart.children[place].style.transform = `scaleY(${count / most})`; });
}
