// Maintenance of the lift: somebody says until when they work on it, and may end it before its time.

import { Problem, hoursAhead, post, remove, serverNow } from "./api.js";
import { put } from "./element.js";
import { shortStamp } from "./time.js";
import { nameOrAsk } from "./who.js";
import { say } from "./words.js";

/** Whether a window is there and not over. */
export const isOn = (works) => Boolean(works) && Date.parse(works.until) > serverNow();

/** The panel and the line in the headline. `changed(lift)` hears the lift as it is then. */
export class Works {
  constructor(panel, line, address, changed) {
    Object.assign(this, { panel, line, address, changed, works: null, zone: null });
    [this.set, this.offer, this.answer] = [".set", "details", ".answer"].map((name) => panel.querySelector(name));
    panel.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); this.start(event.target.elements); });
    this.set.querySelector("button").addEventListener("click", () => this.end());
  }

  show(works, zone) {
    Object.assign(this, { works, zone });
    this.tick();
  }

  /** Show what is so now: a window ends by itself. */
  tick() {
    const on = isOn(this.works), focused = this.panel.contains(document.activeElement);
    if (this.set.hidden === on && focused) this.panel.querySelector("h2").focus();
    [this.set.hidden, this.offer.hidden, this.line.hidden] = [!on, on, !on];
    if (!on) return;
    const { from, until, by, note } = this.works, [title, since, why] = this.set.querySelectorAll("p");
    const sentence = say("works.until", { at: shortStamp(until, this.zone) });
    put(title.firstChild, sentence);
    put(this.line.lastElementChild, sentence);
    put(since, say("works.set", { at: shortStamp(from, this.zone), who: by }));
    put(why, note ?? "");
  }

  async start({ hours, note }) {
    const until = hoursAhead(Number(hours.value));
    await this.send((by) => post(this.address, { by, until, note: note.value.trim() || null }));
  }

  async end() {
    await this.send((by) => remove(`${this.address}?${new URLSearchParams({ by })}`));
  }

  /** Do it; what the server refuses stays written here. */
  async send(deed) {
    const by = await nameOrAsk();
    if (!by) return;
    try {
      this.changed(await deed(by));
      this.offer.open = false;
      put(this.answer, "");
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      put(this.answer, say("act.failed", { why: problem.message || say("error.network") }));
    }
  }
}
