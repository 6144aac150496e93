// Charts with a shared time axis and cross-hair, drawn by uPlot. Gaps are hatched, never bridged by a line.

import { bandsHeight, colour, plotHeight, timeAxis, valueAxis, valueRange } from "./axes.js";
import { el, setText } from "./element.js";
import { NAME_ROW, NAME_ROWS, clipped, dashLimit, hatchGap, nameAlerts, nameGap, paintBands, shadeAlert } from "./chart_overlays.js";
import { fixed } from "./units.js";
import { translate } from "./translations.js";

const SHADES = ["data-3", "data-2", "data"]; // The last channel is drawn strongest: z of vibration.
const NAMED_GAPS = ["speed", "position"];
const UNITS = { speed: "m/s", position: "m", vibration: "m/s²" };
const DRAG_LEAST_PX = 8, SPREAD_LEAST = 0.005, GAP_PART = 50;

const drawn = new Set();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawn.forEach((chart) => chart.restart()));

export class Chart {
  /**
   * @param box    where to draw
   * @param kind   speed, position, door, presence or vibration
   * @param shared `{key, zone, span: () => {from, to}, alerts: () => [], onZoom(from, to), small, floors, rated}`
   */
  constructor(box, kind, shared) {
    Object.assign(this, { kind, shared, channels: [], pieces: {}, gaps: [] });
    this.output = el("output", {});
    this.note = el("p", { class: "note", hidden: true });
    this.title = el("h3", {}, translate(`chart.${kind}`), this.output);
    this.place = el("div", {});
    this.place.style.minHeight = `${plotHeight(kind, shared)}px`; // Nothing jumps when the readings arrive.
    box.append(el("section", { class: "chart" }, this.title, this.place, this.note));
    drawn.add(this);
    new ResizeObserver(() => this.fit()).observe(this.place);
  }

  /** Show minimum, maximum and mean of channels: `{t, channels: {v: {min, max, mean}}, gaps}`. */
  sampled({ t, channels, gaps }) {
    const names = t.length ? Object.keys(channels) : [];
    this.gaps = gaps;
    this.show(names, names.length ? [t, ...names.flatMap((name) => [channels[name].max, channels[name].min, channels[name].mean])] : [[]]);
    this.showNote(names.length ? "" : translate("chart.nothing"));
  }

  /** Show the intervals of states as bands. */
  events({ channels, truncated }) {
    const { from, to } = this.shared.span(), [first] = Object.values(channels);
    this.pieces = channels;
    this.gaps = unknown(first, from, to);
    this.show([], [[from, to], [null, null]]);
    const empty = Object.values(channels).every((pieces) => pieces.length === 0);
    this.showNote(empty ? translate("chart.nothing") : truncated ? translate("chart.truncated") : "");
  }

  fail(problem) {
    this.showNote(translate("chart.failed", { why: problem.message || translate("error.network") }));
  }

  showNote(text) {
    setText(this.note, text);
    this.note.hidden = !text;
  }

  show(names, data) {
    this.data = data;
    const { from, to } = this.shared.span();
    if (this.plot && String(names) === String(this.channels)) {
      this.plot.batch(() => {
        this.plot.setData(data, false);
        this.plot.setScale("x", { min: from, max: to });
        if (names.length) this.plot.setScale("y", valueRange(this.kind, this.shared, data.slice(1)));
      });
    } else {
      this.channels = names;
      this.restart();
    }
  }

  restart() {
    this.plot?.destroy();
    this.plot = this.data ? new window.uPlot(this.options(), this.data, this.place) : null;
    this.keys();
  }

  redraw() {
    this.plot?.redraw(false, false);
  }

  fit() {
    if (this.plot && this.place.clientWidth && this.place.clientWidth !== this.plot.width) this.plot.setSize({ width: this.place.clientWidth, height: plotHeight(this.kind, this.shared) });
  }

  /** Destroy the plot and remove its listeners. */
  end() {
    drawn.delete(this);
    this.plot?.destroy();
  }

  options() {
    const { shared, kind } = this, { from, to } = shared.span(), high = bandsHeight(kind), asGiven = (plot, min, max) => [min, max];
    return {
      width: this.place.clientWidth || 600, height: plotHeight(kind, shared), legend: { show: false },
      padding: [kind === "speed" && !shared.small ? NAME_ROW * NAME_ROWS + 2 : 6, 22, 2, 0],
      tzDate: (t) => window.uPlot.tzDate(new Date(1000 * t), shared.zone),
      scales: { x: { time: true, min: from, max: to, range: asGiven }, y: high ? { range: [0, high] } : { range: asGiven, ...valueRange(kind, shared, this.data.slice(1)) } },
      ...this.lines(),
      axes: [timeAxis(kind, shared), valueAxis(kind, shared)],
      cursor: { sync: { key: shared.key, setSeries: false }, drag: { x: Boolean(shared.onZoom), y: false, setScale: false }, y: false, points: { show: false } },
      hooks: { drawAxes: [(plot) => this.paintUnder(plot)], draw: [(plot) => this.paintOver(plot)], setCursor: [(plot) => this.read(plot)], setSelect: [(plot) => this.zoomed(plot)] },
    };
  }

  /** Return series and bands: for each channel a shaded band from minimum to maximum, and the mean as a line. */
  lines() {
    const shade = (i) => SHADES.at(i - this.channels.length) ?? "data", none = { points: { show: false }, spanGaps: false, width: 0, stroke: "transparent" };
    const series = this.channels.flatMap((name, i) => [none, none, { ...none, stroke: colour(shade(i)), width: 1.5 }]);
    return {
      series: [{}, ...(series.length ? series : [none])],
      bands: this.channels.map((name, i) => ({ series: [3 * i + 1, 3 * i + 2], fill: colour(`${shade(i)}-band`) })),
    };
  }

  paintUnder(plot) {
    clipped(plot, () => {
      for (const alert of this.shared.alerts()) shadeAlert(plot, alert);
      for (const gap of this.gaps) hatchGap(plot, gap);
      if (bandsHeight(this.kind)) paintBands(plot, this.kind, this.pieces);
      if (this.kind === "speed" && this.shared.rated) for (const v of [this.shared.rated, -this.shared.rated]) dashLimit(plot, v);
    });
  }

  paintOver(plot) {
    if (this.kind === "speed" && !this.shared.small) nameAlerts(plot, this.shared.alerts());
    if (NAMED_GAPS.includes(this.kind)) for (const gap of this.gaps) nameGap(plot, gap);
  }

  /** Describe the chart's keyboard shortcuts. */
  keys() {
    this.title.replaceChildren(translate(`chart.${this.kind}`));
    const key = (name, text) => this.title.append(el("span", { class: "key" }, el("i", { class: name }), text));
    if (this.kind === "vibration") this.channels.forEach((name, i) => key(["k3", "k2", "k1"].at(i - this.channels.length), name));
    if (this.kind === "door") key("k2", translate("chart.curtain"));
    if (this.kind === "speed" && this.shared.rated) this.title.append(el("span", { class: "key" }, `${translate("chart.rated")} ${fixed(this.shared.rated)} m/s`));
    this.title.append(this.output);
  }

  read(plot) {
    if (plot.cursor.left < 0) return setText(this.output, "");
    return setText(this.output, bandsHeight(this.kind) ? this.statesAt(plot.posToVal(plot.cursor.left, "x")) : this.valuesAt(plot.cursor.idx));
  }

  valuesAt(i) {
    const values = this.channels.map((name, c) => {
      const [max, min, mean] = [1, 2, 3].map((k) => this.data[3 * c + k]?.[i] ?? null);
      if (mean === null) return "–";
      const spread = max - min > SPREAD_LEAST ? ` (${fixed(min)} … ${fixed(max)})` : "";
      return `${this.channels.length > 1 ? `${name} ` : ""}${fixed(mean)}${spread}`;
    });
    return values.length ? `${values.join("  ")} ${UNITS[this.kind]}` : "";
  }

  statesAt(t) {
    const words = { state: (value) => translate(`door.${value}`), presence: (value) => translate(value ? "now.person" : "now.nobody"), curtain: (value) => translate(value ? "chart.curtain" : "chart.clear") };
    return Object.entries(this.pieces).map(([name, pieces]) => {
      const piece = pieces.find(({ from, to }) => from <= t && t <= to);
      return piece ? words[name](piece.value) : null;
    }).filter(Boolean).join(", ");
  }

  zoomed(plot) {
    const { left, width } = plot.select;
    if (width < DRAG_LEAST_PX || !this.shared.onZoom) return;
    const from = plot.posToVal(left, "x"), to = plot.posToVal(left + width, "x");
    plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
    this.shared.onZoom(from, to);
  }
}

/** Return the parts of a span before the first interval and after the last, where the state is unknown. */
function unknown(pieces, from, to) {
  if (!pieces.length) return [[from, to]];
  return [[from, pieces[0].from], [pieces.at(-1).to, to]].filter(([a, b]) => b - a > (to - from) / GAP_PART);
}
