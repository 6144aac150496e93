// The panel of the demonstration that injects a fault into a simulated lift for a chosen time.

import { get, post } from "./api.js";
import { el, setText } from "./element.js";
import { hasTranslation, ruleName, translate } from "./translations.js";

const causeName = (cause) => (hasTranslation(`cause.${cause}`) ? translate(`cause.${cause}`) : hasTranslation(`rule.${cause}`) ? ruleName(cause) : cause.replaceAll("-", " "));

/** Show the causes in `panel`; inject into the lift whose id `chosen` returns. */
export async function showFaultPanel(panel, chosen) {
  const form = panel.querySelector("form"), answer = panel.querySelector(".answer");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { cause, for_s } = form.elements;
    try {
      await post(`/api/v1/sim/${encodeURIComponent(chosen())}/fault`, { cause: cause.value, for_s: Number(for_s.value) });
      setText(answer, translate("fault.done"));
    } catch (problem) {
      setText(answer, translate("act.failed", { why: problem.message || translate("error.network") }));
    }
  });
  try {
    const { items } = await get("/api/v1/sim/causes");
    form.elements.cause.append(...items.map((cause) => el("option", { value: cause }, causeName(cause))));
  } catch (problem) {
    setText(answer, problem.message || translate("error.network"));
  }
}
