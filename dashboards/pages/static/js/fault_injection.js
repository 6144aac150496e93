// The panel of the demonstration that injects a fault into a simulated lift for a chosen time.

import { get, post } from "./api.js";
import { el, setText } from "./element.js";
import { hasTranslation, lang, translate } from "./translations.js";

/** Return the short name of a cause, else the simulator's sentence. */
function causeName(cause, { [lang]: sentence = cause.replaceAll("-", " ") } = {}) {
  return hasTranslation(`cause.${cause}`) ? translate(`cause.${cause}`) : sentence[0].toUpperCase() + sentence.slice(1);
}

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
    const { items, names } = await get("/api/v1/sim/causes");
    form.elements.cause.append(...items.map((cause) => el("option", { value: cause }, causeName(cause, names[cause]))));
  } catch (problem) {
    setText(answer, problem.message || translate("error.network"));
  }
}
