// The number of open critical incidents in the navigation of every page. Outside the inbox those that wait for somebody
// are also in the title, the icon and a note at the foot, and sound where the watch was begun in this tab.

import { playAlarm } from "./alarm_sound.js";
import { ALARM, showInIcon } from "./tab_icon.js";

const EVERY_MS = 15_000, SOON_MS = 300, REPEAT_MS = 30_000;
const ON_WATCH = "liftwatch.watch";
const badge = document.getElementById("criticals"), note = document.getElementById("critical-note");
const announces = document.body.dataset.page !== "inbox"; // The inbox names each of them itself.
let waiting = 0, known = false, soon = 0, sound = null, soundedAt = 0;

async function count() {
  const answer = await fetch("/api/v1/incidents/counts?state=open&severity=critical").catch(() => null);
  if (answer?.ok) show(await answer.json());
}

function show(counts) {
  badge.hidden = counts.total === 0;
  badge.querySelector("b").textContent = counts.total;
  badge.title = badge.dataset.title.replace("{n}", counts.total);
  if (!announces) return;
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = counts.total ? `(${counts.total}) ${title}` : title;
  showInIcon(counts.waiting);
  note.hidden = counts.waiting === 0;
  const sentence = note.dataset.text.replace("{n}", counts.waiting);
  if (note.firstElementChild.textContent !== sentence) note.firstElementChild.textContent = sentence;
  const more = known && counts.waiting > waiting;
  [waiting, known] = [counts.waiting, true];
  if (more || (waiting && Date.now() - soundedAt >= REPEAT_MS)) announce(sentence);
}

/** Sound and notify where this tab is on watch; a browser lets a page sound once somebody has clicked in it. */
function announce(sentence) {
  if (!sessionStorage.getItem(ON_WATCH)) return;
  if (navigator.userActivation?.hasBeenActive) {
    soundedAt = Date.now();
    sound ??= new AudioContext();
    playAlarm(sound);
  }
  if (!("Notification" in window) || Notification.permission !== "granted") return;
  const shown = new Notification(sentence, { tag: "criticals", renotify: true, requireInteraction: true, icon: ALARM });
  shown.addEventListener("click", () => {
    window.focus();
    location.href = "/incidents";
  });
}

document.addEventListener("incident", () => {
  clearTimeout(soon);
  soon = setTimeout(count, SOON_MS);
});
document.addEventListener("visibilitychange", () => document.hidden || count());
setInterval(() => (document.hidden && !sessionStorage.getItem(ON_WATCH)) || count(), EVERY_MS);
count();
