// The evidence of an alert: its figures with their limits, and charts of the readings around its onset.

import { Problem } from "./api.js";
import { Chart } from "./charts.js";
import { el } from "./element.js";
import { bands, sampled } from "./series.js";
import { zoneName } from "./time.js";
import { figure, paired } from "./units.js";
import { hasTranslation, ruleName, translate } from "./translations.js";

const BEFORE_S = 30, AFTER_S = 60;
const POINTS = 300;
const SMALL = ["speed", "position", "door", "presence"];

export class AlertEvidence {
  constructor() {
    Object.assign(this, { id: null, charts: [], figures: el("section", { class: "p-evidence" }), streams: el("section", { class: "p-streams" }) });
  }

  /** Show the evidence of an alert of a lift; the charts are drawn once for each alert. */
  show(alert, lift) {
    const another = alert.id !== this.id;
    Object.assign(this, { id: alert.id, alert, lift });
    this.drawFigures();
    if (another) this.drawStreams();
  }

  /** Remove what is shown. */
  clear() {
    for (const chart of this.charts) chart.end();
    Object.assign(this, { id: null, charts: [] });
    this.figures.replaceChildren();
    this.streams.replaceChildren();
  }

  drawFigures() {
    const rows = paired(this.alert.evidence).map(({ name, stem, unit, value, limit }) => el("div", {},
      el("dt", {}, evidenceName(name, stem)),
      el("dd", {}, `${figure(name, value)} ${unit}`.trim(), limit === null ? null : el("small", {}, `${translate("shell.comma")}${translate("alert.limit", { limit: figure(name, limit) })}`))));
    const codes = Object.entries(this.alert.codes).map(([name, code]) => `${hasTranslation(`code.${name}`) ? translate(`code.${name}`) : name} ${code}`).join(translate("shell.comma"));
    this.figures.replaceChildren(el("h3", {}, translate("alert.evidence")),
      rows.length ? el("dl", { class: "evidence" }, ...rows) : el("p", { class: "faint" }, translate("alert.noevidence")),
      ...(codes ? [el("p", { class: "faint" }, `${translate("alert.codes")}${translate("shell.colon")}${codes}`)] : []));
  }

  async drawStreams() {
    const { alert, lift, id } = this, onset = Date.parse(alert.onset) / 1000, span = { from: onset - BEFORE_S, to: onset + AFTER_S };
    const box = el("div", { class: "small-charts" });
    this.streams.replaceChildren(el("h3", {}, translate("alert.streams")), box);
    const end = Date.parse(alert.cleared ?? alert.closed ?? "9999-01-01") / 1000;
    const shared = { key: `alert-${id}`, zone: zoneName(lift.facts?.timezone ?? null), floors: lift.facts?.floors, rated: lift.facts?.rated_speed_mps ?? null, small: true, span: () => span, alerts: () => [{ severity: alert.severity, name: ruleName(alert.rule), from: onset, to: end }] };
    const heard_to = Date.parse(lift.latest?.last_seen) / 1000 || 0;
    for (const chart of this.charts) chart.end();
    this.charts = SMALL.map((kind) => new Chart(box, kind, shared));
    const [speed, position, ...banded] = this.charts, fill = (charts, read) => read.catch((problem) => {
      for (const chart of charts) chart.fail(problem);
      if (!(problem instanceof Problem)) reportError(problem);
    });
    await Promise.all([
      fill([speed], sampled(alert.lift_id, "speed", span, POINTS).then((read) => speed.sampled(read))),
      fill([position], sampled(alert.lift_id, "displacement", span, POINTS).then((read) => position.sampled(read))),
      fill(banded, bands(alert.lift_id, span, heard_to).then((read) => banded.forEach((chart) => chart.events(read[chart.kind])))),
    ]);
    // The minute after a new alert is not over yet: draw again when it is.
    const left_s = onset + AFTER_S + 2 - Date.now() / 1000;
    if (left_s > 0) setTimeout(() => this.id === id && this.drawStreams(), 1000 * Math.min(left_s, AFTER_S));
  }
}

/** Return the name of a quantity of the evidence. */
function evidenceName(name, stem) {
  if (hasTranslation(`evidence.${name}`)) return translate(`evidence.${name}`);
  return name.includes("limit") ? translate("evidence.limit") : stem.replaceAll("_", " ").replace(/^./, (first) => first.toUpperCase());
}
