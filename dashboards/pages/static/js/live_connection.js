// The live connection: server-sent events, and the display of the connection's state.
//
//   joining ─► catching ─► live ─► lost ─(n s)─► catching ─► live
//
// After a loss the page reloads everything ("catching up") before it shows "live", so that old and new data never mix.

import { get } from "./api.js";
import { setText } from "./element.js";
import { zonedClock } from "./time.js";
import { translate } from "./translations.js";

const WAIT_LEAST_S = 2, WAIT_MOST_S = 20;
const HIDDEN_LIMIT_MS = 60_000; // A hidden page lets its connection go: a browser has only six for each server.

/**
 * Connect to the live stream. `catchUp` reloads everything and resolves when done; `on` maps event names to handlers;
 * `keeps` returns whether the connection is kept while the page is hidden. The document gets an event "link" with each state.
 */
export function followLive(parameters, { catchUp, on, keeps = () => false }) {
  const query = new URLSearchParams(parameters).toString();
  let source = null, wait_s = WAIT_LEAST_S, left_s = 0, timer = 0, since = null, why = "", hiddenTimer = 0;

  function open() {
    clearInterval(timer);
    if (since) show("lost", translate("link.trying"));
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
    source.onerror = () => {
      lose();
      if (document.body.dataset.account) get("/api/v1/me").catch(() => {}); // A session that has ended goes to sign-in.
    };
    source.addEventListener("incident", () => document.dispatchEvent(new Event("incident")));
    for (const [name, take] of Object.entries(on)) source.addEventListener(name, (event) => take(JSON.parse(event.data)));
  }

  /** Close the connection and reconnect after a delay; `problem` is the server's answer, if there was one. */
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
    show("lost", translate(why ? "link.failing" : "link.since", { at: zonedClock(since), n: left_s, why }));
    left_s -= 1;
  }

  function rest() {
    clearTimeout(hiddenTimer);
    if (document.hidden) {
      hiddenTimer = setTimeout(() => {
        if (keeps()) return;
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
  setText(link.querySelector("span"), translate(`link.${state}`));
  lost.hidden = state !== "lost";
  setText(lost.querySelector("p"), sentence);
  document.body.classList.toggle("stale", state === "lost");
  document.dispatchEvent(new CustomEvent("link", { detail: state }));
}
