// The live link: server-sent events, and its state for all to see.
//
//   joining ─► catching ─► live ─► lost ─(n s)─► catching ─► live
//
// After a loss the page reads everything anew ("catching up") before it calls itself live; nothing is ever half old.

import { put } from "./element.js";
import { clock } from "./time.js";
import { say } from "./words.js";

const WAIT_LEAST_S = 2, WAIT_MOST_S = 20;
const HIDDEN_LIMIT_MS = 60_000; // A hidden page lets its connection go: a browser has only six for each server.

/** Follow the live stream. `catchUp` reads everything anew and resolves when done; `on` takes events by name. */
export function follow(parameters, { catchUp, on }) {
  const query = new URLSearchParams(parameters).toString();
  let source = null, wait_s = WAIT_LEAST_S, left_s = 0, timer = 0, since = null, why = "", hiddenTimer = 0;

  function open() {
    clearInterval(timer);
    if (since) show("lost", say("link.trying"));
    source = new EventSource(`/api/v1/live${query ? `?${query}` : ""}`);
    source.onopen = async () => {
      const mine = source;
      show("catching");
      try {
        await catchUp();
      } catch (problem) {
        if (source === mine) lose(problem);
        return;
      }
      if (source !== mine) return;
      [wait_s, since] = [WAIT_LEAST_S, null];
      show("live");
    };
    source.onerror = () => lose();
    for (const [name, take] of Object.entries(on)) source.addEventListener(name, (event) => take(JSON.parse(event.data)));
  }

  /** Close, and try again by and by; `problem` is what the server said where it did answer. */
  function lose(problem = null) {
    source?.close();
    source = null;
    why = problem?.status ? problem.message : "";
    since ??= Date.now();
    left_s = Math.round(wait_s * (0.7 + 0.6 * Math.random()));
    wait_s = Math.min(WAIT_MOST_S, wait_s * 2);
    clearInterval(timer);
    timer = setInterval(count, 1000);
    count();
  }

  function count() {
    if (left_s <= 0) return open();
    show("lost", say(why ? "link.failing" : "link.since", { at: clock(since), n: left_s, why }));
    left_s -= 1;
  }

  function rest() {
    clearTimeout(hiddenTimer);
    if (document.hidden) {
      hiddenTimer = setTimeout(() => {
        clearInterval(timer);
        source?.close();
        source = null;
      }, HIDDEN_LIMIT_MS);
    } else if (!source) open();
  }

  document.getElementById("lost").querySelector("button").onclick = open;
  document.addEventListener("visibilitychange", rest);
  window.addEventListener("offline", () => source && lose());
  window.addEventListener("online", () => source || open());
  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => event.persisted && open());
  open();
}

function show(state, sentence = "") {
  const link = document.getElementById("link"), lost = document.getElementById("lost");
  link.dataset.link = state;
  put(link.querySelector("span"), say(`link.${state}`));
  lost.hidden = state !== "lost";
  put(lost.querySelector("p"), sentence);
  document.body.classList.toggle("stale", state === "lost");
}
