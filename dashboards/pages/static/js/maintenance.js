// The maintenance window of a lift: a person opens the window with its end, and may end the window early.

import { Problem, hoursAhead, post, remove, serverNow } from "./api.js";
import { setText } from "./element.js";
import { shortStamp } from "./time.js";
import { may, requireAuthor } from "./user_name.js";
import { nameInLanguage, translate } from "./translations.js";

/** Return whether a maintenance window exists and is not over. */
export const isOngoing = (works) => Boolean(works) && Date.parse(works.until) > serverNow();

/** The panel and the line in the headline. `changed(lift)` is called with the lift after a change. */
export class MaintenancePanel {
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

  /** Update the panel: a window ends by itself. */
  tick() {
    const on = isOngoing(this.works), focused = this.panel.contains(document.activeElement);
    if (this.set.hidden === on && focused) this.panel.querySelector("h2").focus();
    [this.set.hidden, this.offer.hidden, this.line.hidden] = [!on, on || !may("maintain"), !on];
    this.set.querySelector("button").hidden = !may("maintain");
    this.panel.hidden = !on && !may("maintain");
    if (!on) return;
    const { from, until, by, note, organisation } = this.works, [title, since, why] = this.set.querySelectorAll("p");
    const sentence = translate("works.until", { at: shortStamp(until, this.zone) });
    setText(title.firstChild, sentence);
    setText(this.line.lastElementChild, sentence);
    setText(since, translate("works.set", { at: shortStamp(from, this.zone), who: nameInLanguage(by ?? organisation ?? "–") }));
    setText(why, note ?? "");
  }

  async start({ hours, note, shared }) {
    const until = hoursAhead(Number(hours.value));
    await this.send((author) => post(this.address, { ...author, until, note: note.value.trim() || null, shared: Boolean(shared?.checked) }));
  }

  async end() {
    await this.send((author) => remove(`${this.address}?${new URLSearchParams(author)}`));
  }

  /** Send a change; where the server refuses, show the reason. */
  async send(action) {
    const author = await requireAuthor();
    if (!author) return;
    try {
      const lift = await action(author), waits = lift.state === "waiting"; // A change request waits for a second person.
      if (!waits) this.changed(lift);
      this.offer.open = false;
      setText(this.answer, waits ? translate("changes.waits") : "");
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem;
      setText(this.answer, translate("act.failed", { why: problem.message || translate("error.network") }));
    }
  }
}
