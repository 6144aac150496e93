// The offline page: open incidents and the number of lifts as they were when the server was last reached, with their age.

import { el, placeholder, setText, symbol } from "./element.js";
import { SEVERITIES, severityRank } from "./severity.js";
import { span, stamp } from "./time.js";
import { hasTranslation, liftName, nameInLanguage, translate } from "./translations.js";

const KEPT_MS = 24 * 3_600_000, EVERY_MS = 1000;
const at = (id) => document.getElementById(id);
let from = null;

/** Return a kept answer of the API and its time in milliseconds, null where there is none that is recent enough. */
async function snapshot(path) {
  const answer = await caches.match(path, { cacheName: "snapshot", ignoreVary: true });
  const time = answer && Date.parse(answer.headers.get("Date"));
  return answer && Date.now() - time < KEPT_MS ? { body: await answer.json(), time } : null;
}

async function show() {
  const [incidents, fleet, lifts] = await Promise.all(["/api/v1/incidents", "/api/v1/fleet", "/api/v1/lifts"].map(snapshot));
  const known = [incidents, fleet].filter(Boolean);
  if (!known.length) return at("kept").replaceChildren(placeholder(translate("offline.nothing"), translate("offline.nothing.more")));
  from = Math.min(...known.map(({ time }) => time));
  const named = new Map((lifts?.body.items ?? []).map((lift) => [lift.lift_id, lift]));
  at("kept").replaceChildren(...(fleet ? [counts(fleet.body)] : []), ...(incidents ? [list(incidents.body.items, named)] : []));
  count();
  setInterval(count, EVERY_MS);
}

/** Show the age of what is shown. */
function count() {
  setText(at("age"), translate("offline.age", { at: stamp(new Date(from).toISOString(), null), age: span((Date.now() - from) / 1000) }));
}

function counts(fleet) {
  const open = SEVERITIES.filter((severity) => fleet.states[severity]).map((severity) => `${translate(`state.${severity}`)} ${fleet.states[severity]}`);
  return el("p", {}, [translate("offline.lifts", { n: fleet.lifts }), ...open].join(" · "));
}

function list(incidents, named) {
  if (!incidents.length) return el("p", {}, translate("offline.none"));
  const ordered = [...incidents].sort((a, b) => severityRank(a.severity) - severityRank(b.severity) || b.opened.localeCompare(a.opened));
  return el("ul", {}, ...ordered.map((incident) => {
    const lift = named.get(incident.lift_id) ?? { lift_id: incident.lift_id };
    const stage = hasTranslation(`stage.${incident.stage}`) ? translate(`stage.${incident.stage}`) : incident.stage;
    return el("li", {}, symbol(incident.severity), el("b", {}, `${liftName(lift)}${translate("shell.colon")}${translate(`incident.${incident.kind}`)}`),
      el("small", {}, [nameInLanguage(lift.address ?? ""), stage, stamp(incident.opened, lift.timezone ?? null)].filter(Boolean).join(" · ")));
  }));
}

at("again").addEventListener("click", () => location.reload());
addEventListener("online", () => location.reload());
show();
