// "I am on watch": a sound and a notification of the browser for each critical incident that nobody has acknowledged,
// repeated until somebody does, and for a connection that stays lost. A page may make a sound only after a click, so that
// the watch ends with the page.

import { playAlarm } from "./alarm_sound.js";
import { setText } from "./element.js";
import { ALARM, showInIcon } from "./tab_icon.js";
import { zonedClock } from "./time.js";
import { translate } from "./translations.js";

const REPEAT_MS = 30_000, LOST_LIMIT_MS = 20_000;
const ON_WATCH = "liftwatch.watch";

export class Watch {
  /** `button` starts and ends the watch; `show(id)` opens an incident. */
  constructor(button, show) {
    Object.assign(this, { button, open: show, sound: null, waiting: new Map(), timer: 0, lostSince: null, lostTimer: 0 });
    document.addEventListener("link", ({ detail: state }) => this.noteLink(state));
    button.addEventListener("click", () => (this.isOn ? this.end() : this.begin()));
    this.showState();
  }

  get isOn() {
    return this.sound !== null;
  }

  begin() {
    this.sound = new AudioContext();
    sessionStorage.setItem(ON_WATCH, "yes"); // The other pages of this tab announce critical incidents too.
    this.showState();
    if (this.lostSince) this.announceLost();
    this.alert([...this.waiting.keys()]);
    if ("Notification" in window && Notification.permission === "default") Notification.requestPermission().catch(() => {}); // The sound does not wait for the answer.
  }

  end() {
    this.sound.close();
    this.sound = null;
    sessionStorage.removeItem(ON_WATCH);
    clearTimeout(this.timer);
    this.showState();
  }

  showState() {
    this.button.setAttribute("aria-pressed", String(this.isOn));
    setText(this.button.querySelector("span"), translate(this.isOn ? "watch.on" : "watch.off"));
  }

  /** Take the critical incidents that wait for somebody, by id, each with its sentence; new ones are announced at once. */
  update(waiting) {
    const added = [...waiting.keys()].filter((id) => !this.waiting.has(id));
    this.waiting = waiting;
    showInIcon(waiting.size);
    if (this.sound && added.length) this.alert(added);
  }

  /** Announce incidents, and all that still wait again after the repeat interval. */
  alert(ids) {
    clearTimeout(this.timer);
    if (!this.sound || !ids.length) return;
    playAlarm(this.sound);
    for (const id of ids) this.notify(id, this.waiting.get(id));
    this.timer = setTimeout(() => this.alert([...this.waiting.keys()]), REPEAT_MS);
  }

  /** Note the state of the live connection; one that is lost for `LOST_LIMIT_MS` is announced. */
  noteLink(state) {
    if (state === "live") this.lostSince = null;
    if (state !== "lost" || this.lostSince) return;
    this.lostSince = Date.now();
    clearTimeout(this.lostTimer);
    this.lostTimer = setTimeout(() => this.announceLost(), LOST_LIMIT_MS);
  }

  announceLost() {
    clearTimeout(this.lostTimer);
    if (!this.sound || !this.lostSince) return;
    playAlarm(this.sound);
    this.notify("link", translate("watch.lost", { at: zonedClock(this.lostSince) }));
    this.lostTimer = setTimeout(() => this.announceLost(), REPEAT_MS);
  }

  notify(id, sentence) {
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    const shown = new Notification(sentence, { tag: id, renotify: true, requireInteraction: true, icon: ALARM });
    shown.addEventListener("click", () => {
      window.focus();
      if (this.waiting.has(id)) this.open(id);
      shown.close();
    });
  }
}
