// "I am on watch": a sound and a notification of the browser for each critical incident that nobody has acknowledged,
// repeated until somebody does. A page may make a sound only after a click, so that the watch ends with the page.

import { setText } from "./element.js";
import { translate } from "./translations.js";

const REPEAT_MS = 30_000, TONES_HZ = [880, 660, 880], TONE_S = 0.22, GAP_S = 0.28;
const ICON = "/static/icon.svg", ICON_ALARM = "/static/icon-alarm.svg";

export class Watch {
  /** `button` starts and ends the watch; `show(id)` opens an incident. */
  constructor(button, show) {
    Object.assign(this, { button, open: show, sound: null, waiting: new Map(), timer: 0 });
    button.addEventListener("click", () => (this.sound ? this.end() : this.begin()));
    this.showState();
  }

  begin() {
    this.sound = new AudioContext();
    this.showState();
    this.alert([...this.waiting.keys()]);
    if ("Notification" in window && Notification.permission === "default") Notification.requestPermission().catch(() => {}); // The sound does not wait for the answer.
  }

  end() {
    this.sound.close();
    this.sound = null;
    clearTimeout(this.timer);
    this.showState();
  }

  showState() {
    this.button.setAttribute("aria-pressed", String(this.sound !== null));
    setText(this.button.querySelector("span"), translate(this.sound ? "watch.on" : "watch.off"));
  }

  /** Take the critical incidents that wait for somebody, by id, each with its sentence; new ones are announced at once. */
  update(waiting) {
    const added = [...waiting.keys()].filter((id) => !this.waiting.has(id));
    this.waiting = waiting;
    document.querySelector("link[rel=icon]").href = waiting.size ? ICON_ALARM : ICON;
    if (this.sound && added.length) this.alert(added);
  }

  /** Announce incidents, and all that still wait again after the repeat interval. */
  alert(ids) {
    clearTimeout(this.timer);
    if (!this.sound || !ids.length) return;
    this.play();
    for (const id of ids) this.notify(id, this.waiting.get(id));
    this.timer = setTimeout(() => this.alert([...this.waiting.keys()]), REPEAT_MS);
  }

  play() {
    const begin = this.sound.currentTime;
    for (const [i, pitch] of TONES_HZ.entries()) {
      const tone = this.sound.createOscillator(), volume = this.sound.createGain(), at = begin + i * GAP_S;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, at);
      volume.gain.exponentialRampToValueAtTime(0.4, at + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, at + TONE_S);
      tone.connect(volume).connect(this.sound.destination);
      tone.start(at);
      tone.stop(at + TONE_S);
    }
  }

  notify(id, sentence) {
    if (!("Notification" in window) || Notification.permission !== "granted") return;
    const shown = new Notification(sentence, { tag: id, renotify: true, requireInteraction: true, icon: ICON_ALARM });
    shown.addEventListener("click", () => {
      window.focus();
      this.open(id);
      shown.close();
    });
  }
}
