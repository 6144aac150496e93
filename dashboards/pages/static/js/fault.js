// The demonstration's panel: a fault of the simulated world, for a chosen while.

import { get, post } from "./api.js";
import { el, put } from "./element.js";
import { knows, ruleName, say } from "./words.js";

const causeName = (cause) => (knows(`cause.${cause}`) ? say(`cause.${cause}`) : knows(`rule.${cause}`) ? ruleName(cause) : cause.replaceAll("-", " "));

export async function offerFaults(panel, lift_id) {
  const form = panel.querySelector("form"), answer = panel.querySelector(".answer");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { cause, for_s } = form.elements;
    try {
      await post(`/api/v1/sim/${encodeURIComponent(lift_id)}/fault`, { cause: cause.value, for_s: Number(for_s.value) });
      put(answer, say("fault.done"));
    } catch (problem) {
      put(answer, say("act.failed", { why: problem.message || say("error.network") }));
    }
  });
  try {
    const { items } = await get("/api/v1/sim/causes");
    form.elements.cause.append(...items.map((cause) => el("option", { value: cause }, causeName(cause))));
  } catch (problem) {
    put(answer, problem.message || say("error.network"));
  }
}
