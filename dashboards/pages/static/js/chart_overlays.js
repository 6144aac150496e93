// Overlays of a chart: alerts with their names, gaps, bands of states, limits.

import { colour, font } from "./axes.js";
import { span as spanWords } from "./time.js";
import { translate } from "./translations.js";

export const NAME_ROW = 15, NAME_ROWS = 2;
const SHADE = 0.08, HATCH_PX = 7;
const DOOR_HEIGHT = { closed: 0.12, opening: 0.55, open: 1, closing: 0.55 };
const ROWS = { door: [["state", 1.2], ["curtain", 0]], presence: [["presence", 0]] };

/** Return the left edge and the width of a time span on the canvas, clipped to the chart. */
function extent({ bbox, valToPos }, from, to) {
  const left = Math.max(bbox.left, valToPos(from, "x", true)), right = Math.min(bbox.left + bbox.width, valToPos(to, "x", true));
  return [left, Math.max(right - left, 2 * devicePixelRatio)];
}

/** Paint clipped to the plot area. */
export function clipped({ ctx, bbox }, paint) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  paint();
  ctx.restore();
}

export function shadeAlert(plot, alert) {
  const { ctx, bbox } = plot, [left, width] = extent(plot, alert.from, alert.to);
  ctx.fillStyle = colour(alert.severity);
  ctx.globalAlpha = SHADE;
  ctx.fillRect(left, bbox.top, width, bbox.height);
  ctx.globalAlpha = 1;
  ctx.fillRect(left, bbox.top, 2 * devicePixelRatio, bbox.height);
}

export function hatchGap(plot, [from, to]) {
  const { ctx, bbox } = plot, [left, width] = extent(plot, from, to);
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, bbox.top, width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = colour("hatch");
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  for (let at = left - bbox.height; at < left + width; at += HATCH_PX * devicePixelRatio) {
    ctx.moveTo(at, bbox.top + bbox.height);
    ctx.lineTo(at + bbox.height, bbox.top);
  }
  ctx.stroke();
  ctx.restore();
}

/** Label a gap with its duration, where there is room. */
export function nameGap(plot, [from, to]) {
  const { ctx, bbox } = plot, ratio = devicePixelRatio, [left, width] = extent(plot, from, to), text = translate("chart.gap", { duration: spanWords(to - from) });
  ctx.save();
  ctx.font = font(ratio);
  const wide = ctx.measureText(text).width + 10 * ratio, middle = left + width / 2, y = bbox.top + bbox.height / 2;
  if (wide < width) {
    ctx.fillStyle = colour("surface");
    ctx.fillRect(middle - wide / 2, y - 10 * ratio, wide, 20 * ratio);
    ctx.fillStyle = colour("ink");
    [ctx.textAlign, ctx.textBaseline] = ["center", "middle"];
    ctx.fillText(text, middle, y);
  }
  ctx.restore();
}

/** Paint intervals of states as bands: how far a door is open, or whether the car is occupied. */
export function paintBands(plot, kind, pieces) {
  for (const [name, base] of ROWS[kind]) {
    plot.ctx.fillStyle = colour(name === "curtain" ? "data-2" : "data");
    for (const piece of pieces[name] ?? []) {
      const tall = name === "state" ? DOOR_HEIGHT[piece.value] : piece.value ? 1 : 0.06, [left, width] = extent(plot, piece.from, piece.to);
      const foot = plot.valToPos(base, "y", true), top = plot.valToPos(base + tall, "y", true);
      plot.ctx.fillRect(left, top, width, foot - top);
    }
  }
}

export function dashLimit({ ctx, bbox, valToPos }, value) {
  const y = valToPos(value, "y", true);
  ctx.strokeStyle = colour("soft");
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.setLineDash([]);
}

/** Write each alert's name above its span, in up to NAME_ROWS rows. */
export function nameAlerts(plot, alerts) {
  const { ctx, bbox } = plot, ratio = devicePixelRatio, ends = Array(NAME_ROWS).fill(-Infinity);
  ctx.save();
  ctx.font = font(ratio);
  [ctx.textAlign, ctx.textBaseline] = ["left", "bottom"];
  for (const alert of [...alerts].sort((a, b) => a.from - b.from)) {
    const [start] = extent(plot, alert.from, alert.to), width = ctx.measureText(alert.name).width + 12 * ratio;
    const left = Math.min(start, bbox.left + bbox.width - width), row = ends.findIndex((end) => end < left);
    if (row < 0) continue;
    ends[row] = left + width;
    const bottom = bbox.top - ratio * NAME_ROW * row;
    ctx.fillStyle = colour(alert.severity);
    ctx.fillRect(left, bottom - (NAME_ROW - 3) * ratio, 4 * ratio, (NAME_ROW - 4) * ratio);
    ctx.fillStyle = colour("ink");
    ctx.fillText(alert.name, left + 8 * ratio, bottom);
  }
  ctx.restore();
}
