// Charts on one time axis with one cross-hair, drawn by uPlot. What was not heard is hatched, never joined by a line.

import { el, put } from "./element.js";
import { span as spanWords } from "./time.js";
import { locale, say } from "./words.js";

const HEIGHTS = { speed: 124, position: 150, door: 56, presence: 38, vibration: 96 };
const SMALL_HEIGHT = 92, AXIS_HEIGHT = 26, AXIS_WIDTH = 58, NARROW_AXIS = 44;
const NAME_ROW = 15, NAME_ROWS = 2, SHADE = 0.08;
const NAMED_GAPS = ["speed", "position"];
const DOOR_HEIGHT = { closed: 0.12, opening: 0.55, open: 1, closing: 0.55 };

/** Colours come from the style sheet, so that a theme is one place; read anew when the theme changes. */
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const dark = matchMedia("(prefers-color-scheme: dark)");

const drawn = new Set();
dark.addEventListener("change", () => drawn.forEach((chart) => chart.restart()));

export class Chart {
  /**
   * @param box    where to draw
   * @param kind   speed, position, door, presence or vibration
   * @param shared `{key, zone, span: () => {from, to}, alerts: () => [], onZoom(from, to), small, floors, rated}`
   */
  constructor(box, kind, shared) {
    Object.assign(this, { kind, shared, channels: [], pieces: {}, gaps: [], bare: true });
    this.output = el("output", {});
    this.note = el("p", { class: "note", hidden: true });
    this.title = el("h3", {}, say(`chart.${kind}`), this.output);
    this.place = el("div", {});
    this.box = el("section", { class: "chart" }, this.title, this.place, this.note);
    box.append(this.box);
    drawn.add(this);
    new ResizeObserver(() => this.fit()).observe(this.place);
  }

  /** Show min, max and mean of channels: `{v: {t, min, max, mean}}`. */
  sampled({ columns, gaps }) {
    const names = Object.keys(columns).filter((name) => columns[name].t.length);
    this.gaps = gaps;
    this.show(names, names.length ? [columns[names[0]].t, ...names.flatMap((name) => [columns[name].max, columns[name].min, columns[name].mean])] : [[]]);
    this.say(names.length ? "" : say("chart.nothing"));
  }

  /** Show pieces of states as bands. */
  events({ channels, truncated }) {
    const { from, to } = this.shared.span();
    this.pieces = channels;
    this.gaps = unknown(Object.values(channels)[0] ?? [], from, to);
    this.show([], [[from, to], [null, null]]);
    const empty = Object.values(channels).every((pieces) => pieces.length === 0);
    this.say(empty ? say("chart.nothing") : truncated ? say("chart.truncated") : "");
  }

  fail(problem) {
    this.say(say("chart.failed", { why: problem.message || say("error.network") }));
  }

  say(text) {
    put(this.note, text);
    this.note.hidden = !text;
  }

  show(names, data) {
    this.data = data;
    const { from, to } = this.shared.span();
    if (this.plot && String(names) === String(this.channels)) {
      this.plot.batch(() => {
        this.plot.setData(data, false);
        this.plot.setScale("x", { min: from, max: to });
        if (names.length) this.plot.setScale("y", this.yRange(data));
      });
    } else {
      this.channels = names;
      this.restart();
    }
  }

  restart() {
    this.plot?.destroy();
    this.plot = null;
    if (this.data) this.plot = new window.uPlot(this.options(), this.data, this.place);
    this.keys();
  }

  /** Let go of everything outside the page that knows of this chart. */
  end() {
    drawn.delete(this);
    this.plot?.destroy();
  }

  fit() {
    if (this.plot && this.place.clientWidth && this.place.clientWidth !== this.plot.width) this.plot.setSize({ width: this.place.clientWidth, height: this.height() });
  }

  redraw() {
    this.plot?.redraw(false, false);
  }

  height() {
    return (this.shared.small ? SMALL_HEIGHT : HEIGHTS[this.kind]) + AXIS_HEIGHT * (this.shared.small || this.kind === "vibration");
  }

  options() {
    const { shared, kind } = this, { from, to } = shared.span(), banded = this.bands();
    const lines = this.channels.flatMap((name, i) => {
      const shade = ["data", "data-2", "data-3"][this.channels.length - 1 - i] ?? "data";
      const none = { points: { show: false }, spanGaps: false, width: 0, stroke: "transparent" };
      return [none, none, { ...none, stroke: colour(shade), width: 1.5 }];
    });
    const fills = this.channels.map((name, i) => ({ series: [3 * i + 1, 3 * i + 2], fill: colour(`${["data", "data-2", "data-3"][this.channels.length - 1 - i] ?? "data"}-band`) }));
    return {
      width: this.place.clientWidth || 600, height: this.height(), padding: [this.topRoom(), 22, 2, 0],
      tzDate: (t) => window.uPlot.tzDate(new Date(1000 * t), shared.zone),
      legend: { show: false },
      scales: { x: { time: true, min: from, max: to, range: (plot, min, max) => [min, max] }, y: banded ? { range: [0, banded] } : { range: (plot, min, max) => [min, max], ...this.yRange(this.data) } },
      series: [{}, ...(lines.length ? lines : [{ show: true, points: { show: false } }])],
      bands: fills,
      axes: [this.xAxis(), banded ? this.bandAxis() : this.yAxis()],
      cursor: { sync: { key: shared.key, setSeries: false }, drag: { x: Boolean(shared.onZoom), y: false, setScale: false }, y: false, points: { show: false } },
      hooks: {
        drawAxes: [(plot) => this.drawUnder(plot)],
        draw: [(plot) => this.drawOver(plot)],
        setCursor: [(plot) => this.read(plot)],
        setSelect: [(plot) => this.zoomed(plot)],
      },
    };
  }

  // --- axes

  bands() {
    return { door: 2.4, presence: 1.2 }[this.kind] ?? 0;
  }

  topRoom() {
    return this.kind === "speed" && !this.shared.small ? NAME_ROW * NAME_ROWS + 2 : 6;
  }

  xAxis() {
    const shown = this.shared.small || this.kind === "vibration";
    return { show: true, size: shown ? AXIS_HEIGHT : 0, stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: shown, stroke: colour("line") }, font: this.font(), space: innerWidth < 720 ? 62 : 84,
      values: shown ? (plot, splits) => this.timeTexts(splits) : (plot, splits) => splits.map(() => "") };
  }

  timeTexts(splits) {
    const step = splits.length > 1 ? splits[1] - splits[0] : 1, day = step >= 86400, zone = this.shared.zone;
    const parts = day ? { month: "short", day: "numeric" } : { hour: "2-digit", minute: "2-digit", ...(step < 60 ? { second: "2-digit" } : {}), hourCycle: "h23" };
    return splits.map((t) => new Date(1000 * t).toLocaleString(locale, { ...parts, timeZone: zone || undefined }));
  }

  font() {
    return `12px ${getComputedStyle(document.body).fontFamily}`;
  }

  axisWidth() {
    return innerWidth < 720 ? NARROW_AXIS : AXIS_WIDTH;
  }

  yAxis() {
    const axis = { size: this.axisWidth(), stroke: colour("soft"), grid: { stroke: colour("grid"), width: 1 }, ticks: { show: false }, font: this.font(), space: 26, gap: 4 };
    const { floors, rated, small } = this.shared;
    if (this.kind === "speed" && rated) return { ...axis, splits: () => [-rated, 0, rated], values: (plot, splits) => splits.map((v) => v.toFixed(v ? 2 : 0)) };
    if (this.kind !== "position" || !floors?.length) return axis;
    const every = Math.max(1, Math.ceil((floors.length * 18) / (small ? SMALL_HEIGHT : HEIGHTS.position))), shown = floors.filter((floor, i) => i % every === 0);
    return { ...axis, splits: () => shown.map((floor) => floor.height_m), values: () => shown.map((floor) => floor.label.slice(0, 6)) };
  }

  bandAxis() {
    return { size: this.axisWidth(), stroke: colour("soft"), grid: { show: false }, ticks: { show: false }, values: (plot, splits) => splits.map(() => "") };
  }

  /** Return the span of values with the limit in it, never narrower than what noise would fill. */
  yRange(data) {
    let low = Infinity, high = -Infinity;
    for (const column of data.slice(1)) for (const value of column) if (value !== null) [low, high] = [Math.min(low, value), Math.max(high, value)];
    const { floors, rated } = this.shared;
    if (this.kind === "position" && floors?.length) [low, high] = [Math.min(low, floors[0].height_m), Math.max(high, floors.at(-1).height_m)];
    if (this.kind === "speed" && rated) [low, high] = [Math.min(low, -rated), Math.max(high, rated)];
    if (this.kind === "vibration") [low, high] = [Math.min(low, -0.2), Math.max(high, 0.2)];
    if (low > high) return { min: 0, max: 1 };
    const room = Math.max(0.05, 0.06 * (high - low));
    return { min: low - room, max: high + room };
  }

  // --- drawing

  drawUnder(plot) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    for (const alert of this.shared.alerts()) this.shade(plot, alert);
    for (const [from, to] of this.gaps) this.hatch(plot, from, to);
    if (this.bands()) this.drawBands(plot);
    if (this.kind === "speed" && this.shared.rated) for (const v of [this.shared.rated, -this.shared.rated]) this.limit(plot, v);
    ctx.restore();
  }

  drawOver(plot) {
    if (this.kind === "speed" && !this.shared.small) this.nameAlerts(plot);
    for (const [from, to] of this.gaps) this.nameGap(plot, from, to);
  }

  extent(plot, from, to) {
    const x0 = Math.max(plot.bbox.left, plot.valToPos(from, "x", true)), x1 = Math.min(plot.bbox.left + plot.bbox.width, plot.valToPos(to, "x", true));
    return [x0, Math.max(x1 - x0, 2 * devicePixelRatio)];
  }

  shade(plot, alert) {
    const { ctx, bbox } = plot;
    const [x, width] = this.extent(plot, alert.from, alert.to);
    ctx.globalAlpha = SHADE;
    ctx.fillStyle = colour(alert.severity);
    ctx.fillRect(x, bbox.top, width, bbox.height);
    ctx.globalAlpha = 1;
    ctx.fillRect(x, bbox.top, 2 * devicePixelRatio, bbox.height);
  }

  hatch(plot, from, to) {
    const { ctx, bbox } = plot, [x, width] = this.extent(plot, from, to), step = 7 * devicePixelRatio;
    ctx.save();
    ctx.beginPath();
    ctx.rect(x, bbox.top, width, bbox.height);
    ctx.clip();
    ctx.strokeStyle = colour("hatch");
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    for (let at = x - bbox.height; at < x + width; at += step) {
      ctx.moveTo(at, bbox.top + bbox.height);
      ctx.lineTo(at + bbox.height, bbox.top);
    }
    ctx.stroke();
    ctx.restore();
  }

  drawBands(plot) {
    const rows = this.kind === "door" ? [["state", 1.2, 1], ["curtain", 0, 1]] : [["presence", 0, 1]];
    for (const [name, base, high] of rows) {
      for (const piece of this.pieces[name] ?? []) {
        const tall = name === "state" ? DOOR_HEIGHT[piece.value] : piece.value ? 1 : 0.06;
        const [x, width] = this.extent(plot, piece.from, piece.to), y0 = plot.valToPos(base, "y", true), y1 = plot.valToPos(base + high * tall, "y", true);
        plot.ctx.fillStyle = colour(name === "curtain" ? "data-2" : "data");
        plot.ctx.fillRect(x, y1, width, y0 - y1);
      }
    }
  }

  limit(plot, value) {
    const { ctx, bbox } = plot, y = plot.valToPos(value, "y", true);
    ctx.strokeStyle = colour("soft");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.setLineDash([]);
  }

  /** Write each alert's name above its span, in as many rows as needed and there are. */
  nameAlerts(plot) {
    const { ctx, bbox } = plot, ratio = devicePixelRatio, ends = Array(NAME_ROWS).fill(-Infinity);
    ctx.save();
    ctx.font = `${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
    ctx.textBaseline = "bottom";
    ctx.textAlign = "left";
    for (const alert of [...this.shared.alerts()].sort((a, b) => a.from - b.from)) {
      const [x] = this.extent(plot, alert.from, alert.to), width = ctx.measureText(alert.name).width + 12 * ratio;
      const left = Math.min(x, bbox.left + bbox.width - width), row = ends.findIndex((end) => end < left);
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

  nameGap(plot, from, to) {
    const { ctx, bbox } = plot, ratio = devicePixelRatio, [x, width] = this.extent(plot, from, to), text = say("chart.gap", { duration: spanWords(to - from) });
    ctx.save();
    ctx.font = `${12 * ratio}px ${getComputedStyle(document.body).fontFamily}`;
    const wide = ctx.measureText(text).width + 10 * ratio;
    if (wide < width && NAMED_GAPS.includes(this.kind)) {
      const middle = x + width / 2, y = bbox.top + bbox.height / 2;
      ctx.fillStyle = colour("surface");
      ctx.fillRect(middle - wide / 2, y - 10 * ratio, wide, 20 * ratio);
      ctx.fillStyle = colour("ink");
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      ctx.fillText(text, middle, y);
    }
    ctx.restore();
  }

  // --- reading

  /** Say what the keys of the chart are. */
  keys() {
    this.title.replaceChildren(say(`chart.${this.kind}`));
    const key = (name, text) => this.title.append(el("span", { class: "key" }, el("i", { class: name }), text));
    if (this.kind === "vibration") this.channels.forEach((name, i) => key(["k1", "k2", "k3"][this.channels.length - 1 - i], name));
    if (this.kind === "door") key("k2", say("chart.curtain"));
    if (this.kind === "speed" && this.shared.rated) this.title.append(el("span", { class: "key" }, `${say("chart.rated")} ${this.shared.rated.toFixed(2)} m/s`));
    this.title.append(this.output);
  }

  read(plot) {
    const i = plot.cursor.idx, t = plot.cursor.left >= 0 ? plot.posToVal(plot.cursor.left, "x") : null;
    if (t === null) return put(this.output, "");
    if (this.bands()) return put(this.output, this.readBands(t));
    const unit = { speed: "m/s", position: "m", vibration: "m/s²" }[this.kind];
    const values = this.channels.map((name, c) => {
      const [max, min, mean] = [1, 2, 3].map((k) => this.data[3 * c + k]?.[i]);
      if (mean === null || mean === undefined) return "–";
      const spread = max - min > 0.005 ? ` (${min.toFixed(2)} … ${max.toFixed(2)})` : "";
      return `${this.channels.length > 1 ? `${name} ` : ""}${mean.toFixed(2)}${spread}`;
    });
    return put(this.output, values.length ? `${values.join("  ")} ${unit}` : "");
  }

  readBands(t) {
    const words = { state: (value) => say(`door.${value}`), presence: (value) => say(value ? "now.person" : "now.nobody"), curtain: (value) => say(value ? "chart.curtain" : "chart.clear") };
    const named = this.kind === "door" ? ["state", "curtain"] : ["presence"];
    return named.map((name) => {
      const piece = (this.pieces[name] ?? []).find(({ from, to }) => from <= t && t <= to);
      return piece ? words[name](piece.value) : null;
    }).filter(Boolean).join(", ");
  }

  zoomed(plot) {
    const { left, width } = plot.select;
    if (width < 8 || !this.shared.onZoom) return;
    const from = plot.posToVal(left, "x"), to = plot.posToVal(left + width, "x");
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.shared.onZoom(from, to);
  }
}

/** Return the parts of a span before the first piece and after the last: of them nothing is known. */
function unknown(pieces, from, to) {
  if (!pieces.length) return [[from, to]];
  return [[from, pieces[0].from], [pieces.at(-1).to, to]].filter(([a, b]) => b - a > (to - from) / 50);
}
