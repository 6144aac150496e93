// The health of a lift: its sentence, its parts with 90 days of each, and what grows.

import { get } from "./api.js";
import { el, svg } from "./element.js";
import { dayText } from "./time.js";
import { gradeName } from "./grades.js";
import { lang, translate } from "./translations.js";

const WIDTH = 300, HEIGHT = 72, SPARK_WIDTH = 120, SPARK_HEIGHT = 22;
const GRADES_FROM = [40, 60, 80];
const DAY_MS = 86_400_000;

/** Return the swatch of a grade with its name for screen readers. */
export function gradeSwatch(grade) {
  return el("span", { class: "grade", "data-grade": grade ?? "unknown" }, el("span", { class: "veiled" }, gradeName(grade)));
}

/** Read the health of a lift and show it in a box. */
export async function showHealth(box, base) {
  try {
    box.replaceChildren(...healthNodes(await get(`${base}/health`), base));
  } catch (problem) {
    box.replaceChildren(el("p", { class: "problem" }, problem.message || translate("error.network")));
  }
}

function healthNodes(found, base) {
  const said = found.reason?.[lang] ?? translate(`health.unknown.${found.unknown ?? "never-seen"}`);
  const number = found.health === null ? translate("health.none") : String(found.health);
  const headline = el("p", { class: "health-now" }, gradeSwatch(found.grade), el("b", {}, number), " ", said);
  const span = daysShown(found.days), nodes = [headline];
  if (span) nodes.push(curve(found.days, span));
  if (found.parts.length) nodes.push(partsTable(found, span));
  if (found.trends.length) nodes.push(el("h3", {}, translate("health.trends")), el("ul", { class: "trends" }, ...found.trends.map((trend) => el("li", {}, trend.reason[lang] ?? trend.reason.en))));
  nodes.push(el("p", { class: "elsewhere" }, el("a", { href: `${base}/health?format=csv`, download: "" }, translate("health.csv"))));
  return nodes;
}

/** Return the first and the last day in milliseconds; null with fewer than two days. */
function daysShown(days) {
  return days.length < 2 ? null : [days[0], days.at(-1)].map(({ day }) => Date.parse(day));
}

/** Return the points of a line as lists without gaps: an unknown value or a missing day ends one. */
function lines(days, valueOf, [from, to], width, height) {
  const found = [[]];
  let before = null;
  for (const each of days) {
    const at = Date.parse(each.day), value = valueOf(each);
    if (before !== null && at - before > 1.5 * DAY_MS) found.push([]);
    before = at;
    if (value === null || value === undefined) found.push([]);
    else found.at(-1).push(`${((at - from) / Math.max(DAY_MS, to - from) * (width - 4) + 2).toFixed(1)},${((1 - value / 100) * (height - 4) + 2).toFixed(1)}`);
  }
  return found.filter((line) => line.length);
}

function polylines(days, valueOf, span, width, height) {
  return lines(days, valueOf, span, width, height).map((line) => (line.length === 1 ? svg("circle", { cx: line[0].split(",")[0], cy: line[0].split(",")[1], r: 1.5 }) : svg("polyline", { points: line.join(" ") })));
}

function curve(days, span) {
  const levels = GRADES_FROM.map((level) => svg("line", { x1: 0, x2: WIDTH, y1: (1 - level / 100) * (HEIGHT - 4) + 2, y2: (1 - level / 100) * (HEIGHT - 4) + 2 }));
  const known = days.filter(({ health }) => health !== null).map(({ health }) => health);
  const label = known.length ? translate("health.curve", { n: days.length, low: Math.min(...known), high: Math.max(...known) }) : translate("health.curve.none");
  const drawing = svg("svg", { class: "health-curve", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img", "aria-label": label }, ...levels, ...polylines(days, ({ health }) => health, span, WIDTH, HEIGHT));
  const axis = el("div", { class: "health-axis", "aria-hidden": "true" }, el("span", {}, "100"), el("span", {}, "0"));
  const ends = el("p", { class: "health-ends" }, el("span", {}, dayText(days[0].day)), el("span", {}, dayText(days.at(-1).day)));
  return el("div", { class: "health-chart" }, axis, drawing, ends);
}

function partsTable(found, span) {
  const rows = found.parts.map(({ part, health, reason }) => el("tr", {},
    el("th", { scope: "row" }, translate(`part.${part}`)),
    el("td", { class: "number" }, health === null ? "–" : String(health)),
    el("td", {}, span ? svg("svg", { class: "health-spark", viewBox: `0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...polylines(found.days, ({ parts }) => parts[part], span, SPARK_WIDTH, SPARK_HEIGHT)) : ""),
    el("td", {}, reason[lang] ?? reason.en)));
  const heads = [["part"], ["now", "number"], ["days"], ["reason"]].map(([name, kind]) => el("th", { scope: "col", class: kind }, translate(`health.${name}`)));
  return el("table", { class: "health-parts" }, el("thead", {}, el("tr", {}, ...heads)), el("tbody", {}, ...rows));
}
