// The reading pane of a page with a list: its frame, and what the panes of alerts and of incidents share.

import { AlertEvidence } from "./alert_evidence.js";
import { get } from "./api.js";
import { el, placeholder } from "./element.js";
import { fullStamp, stamp } from "./time.js";
import { nameInLanguage, translate } from "./translations.js";

const BY_LINK = ["by link", "通过链接"]; // The notes of answers by a link of a notification.
const BEFORE_MS = 300_000, AFTER_MS = 600_000;

/** A subclass has `draw()`, which fills its `parts`; `parts.story` and the evidence come last. */
export class Pane {
  /** `names` are the parts in their order; the actions stand after the first of them. */
  constructor(box, actions, names) {
    Object.assign(this, { box, actions, id: null, evidence: new AlertEvidence() });
    this.parts = Object.fromEntries([...names, "story"].map((name) => [name, el("section", { class: `p-${name}` })]));
  }

  /** Show an item and its lift; input in the form of the same item is kept. */
  show(item, lift, back) {
    if (item.id !== this.id) {
      this.actions.clear();
      this.evidence.clear();
      const { story, ...parts } = this.parts, [head, ...rest] = Object.values(parts);
      this.box.replaceChildren(el("button", { type: "button", class: "quiet back", click: back }, `‹ ${translate("inbox.back")}`), head, this.actions.bar, this.actions.form, this.actions.answer, ...rest, this.evidence.figures, this.evidence.streams, story);
    }
    Object.assign(this, { id: item.id, item, lift, zone: lift.facts?.timezone ?? null });
    this.actions.show(item, this.zone);
    this.draw();
  }

  empty(title, more = "") {
    this.id = null;
    this.evidence.clear();
    this.box.replaceChildren(placeholder(title, more));
  }

  /** Show the entries of a history, the newest first; `text(entry)` returns what happened. */
  showStory(entries, text) {
    this.parts.story.replaceChildren(el("h3", {}, translate("alert.story")), el("ol", { class: "story" }, ...[...entries].reverse().map((entry) => el("li", {},
      el("time", { datetime: entry.at, title: stamp(entry.at, this.zone) }, fullStamp(entry.at, this.zone)),
      el("div", {}, el("span", {}, translate("story.by", { what: text(entry), who: entry.by ? nameInLanguage(entry.by) : translate("alert.monitor") })), entry.note ? el("q", {}, BY_LINK.includes(entry.note) ? translate("answer.by-link") : entry.note) : null)))));
  }
}

/** Return an assignment as text. */
export const assignment = (name) => (name ? translate("story.assigned.to", { name: nameInLanguage(name) }) : translate("story.assigned.nobody"));

/** Return the list items of the firm and the owner of a lift. */
export const organisations = (facts) => ["maintenance_firm", "owner"].filter((name) => facts?.[name]).map((name) => el("li", {}, `${translate(`fact.${name}`)}${translate("shell.colon")}${nameInLanguage(facts[name])}`));

/** Return a telephone number as a link that dials it. */
export const phone = (number) => el("a", { class: "phone", href: `tel:${number.replaceAll(" ", "")}` }, number);

/** Return the URL of a lift's page with the charts from 5 minutes before an instant to 10 minutes after it. */
export function liftUrl(lift_id, iso) {
  const at = Date.parse(iso), span = new URLSearchParams({ from: new Date(at - BEFORE_MS).toISOString(), to: new Date(at + AFTER_MS).toISOString() });
  return `/lifts/${encodeURIComponent(lift_id)}?${span}`;
}

/** Load an item of the API and its lift, which may have been deleted. */
export async function readWithLift(path) {
  const item = await get(path);
  const lift = await get(`/api/v1/lifts/${encodeURIComponent(item.lift_id)}`).catch(() => ({ lift_id: item.lift_id, name: null, facts: null, latest: null }));
  return [item, lift];
}
