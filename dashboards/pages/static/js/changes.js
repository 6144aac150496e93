// The page of changes that can hide a danger: what was asked for, why, and the decision of a second person.

import "./shell.js";
import { get, post } from "./api.js";
import { el, placeholder, setText } from "./element.js";
import { fullStamp, timeNode, zoneName } from "./time.js";
import { hasTranslation, nameInLanguage, translate } from "./translations.js";
import { UNITS } from "./units.js";
import { may } from "./user_name.js";

const PAGE = 50;
const at = (id) => document.getElementById(id), list = at("list");
let next = null;

/** Return a value of a change as text: landings as label and height, others with their unit. */
function shown(name, value) {
  if (value === null) return translate("changes.novalue");
  if (name === "kind") return translate(`kind.${value}`);
  if (name === "settings") return [["second_person", "organisations.second"], ["second_factor", "organisations.second-factor"]].map(([setting, key]) => translate(key) + translate("shell.colon") + translate(value[setting] ? "fact.yes" : "fact.no")).join(translate("shell.comma"));
  if (name === "districts") return value.join(", ") || translate("changes.novalue");
  if (Array.isArray(value)) return value.map(({ label, height_m }) => `${label}: ${Number(height_m.toFixed(3))} m`).join(", ");
  if (typeof value === "boolean") return translate(value ? "fact.yes" : "fact.no");
  const unit = UNITS.find(([ending]) => name.endsWith(ending))?.[1];
  return unit ? `${value} ${unit}` : String(value);
}

/** Return the label of a value of a change, its name where there is none. */
const labelled = (name) => [`fact.${name}`, `field.${name}`].filter(hasTranslation).map((key) => translate(key))[0] ?? name;

/** Return what is changed: other organisations and another district of a lift are facts too, but no thresholds. */
function kindOf({ action, detail }) {
  if (action !== "facts") return action;
  if (["owner", "maintenance_firm"].some((fact) => fact in detail)) return "organisations";
  return Object.keys(detail).every((fact) => fact === "district") ? "district" : action;
}

/** Return a new value, after the former one where the change says it. */
function valued(name, value, former) {
  if (name === "until") return fullStamp(value);
  return former && name in former ? translate("changes.former", { before: shown(name, former[name]), after: shown(name, value) }) : shown(name, value);
}

/** Return the new values of a change, as far as they say more than its action. */
const details = ({ detail, former }) => Object.entries(detail).filter(([name]) => !["alert_id", "shared"].includes(name)).map(([name, value]) => el("p", {}, labelled(name), translate("shell.colon"), valued(name, value, former)));

/** Return what is changed: a link to the lift, or the organisation. */
function named({ lift_id, organisation_id, former }) {
  if (lift_id !== null) return el("a", { href: `/lifts/${encodeURIComponent(lift_id)}` }, lift_id);
  const name = nameInLanguage(former.name);
  return may("manage-people") ? el("a", { href: `/organisations/${organisation_id}` }, name) : name;
}

function entry(change) {
  const waits = change.state === "waiting" && may("approve"), answer = el("p", { class: "problem", role: "status" });
  const decide = (verdict) => el("button", { type: "button", class: verdict === "approve" ? "main" : "", click: () => send(change, verdict, answer) }, translate(`changes.${verdict}`));
  return el("li", { "data-state": change.state },
    el("div", { class: "when" }, el("time", { datetime: change.made }, fullStamp(change.made)), timeNode(change.made), el("b", {}, translate(`changes.state.${change.state}`))),
    el("div", {},
      el("p", {}, el("b", {}, translate(`changes.action.${kindOf(change)}`)), " ", named(change)),
      ...details(change),
      el("p", {}, change.reason ?? translate("changes.noreason")),
      el("p", { class: "detail" }, [nameInLanguage(change.by), change.organisation && nameInLanguage(change.organisation)].filter(Boolean).join(" · "), change.decided_by ? ` · ${translate("changes.decided", { who: change.decided_by })}` : ""),
      waits ? el("div", { class: "ends" }, decide("approve"), decide("decline")) : null, answer));
}

async function send(change, verdict, answer) {
  try {
    await post(`/api/v1/change-requests/${change.id}/${verdict}`, {});
    await show();
  } catch (problem) {
    setText(answer, translate("act.failed", { why: problem.message || translate("error.network") }));
  }
}

async function read(cursor) {
  const page = await get("/api/v1/change-requests", { state: new URLSearchParams(location.search).get("state"), limit: PAGE, cursor });
  next = page.next;
  at("more").hidden = !next;
  return page.items.map(entry);
}

async function show() {
  for (const link of document.querySelectorAll("#states a")) link.setAttribute("aria-current", String(link.search === location.search));
  try {
    const items = await read(null);
    list.replaceChildren(...(items.length ? items : [el("li", { class: "plate" }, placeholder(translate("changes.none"), translate("changes.none.more")))]));
  } catch (problem) {
    list.replaceChildren(el("li", { class: "plate" }, placeholder(translate("changes.failed"), problem.message || translate("error.network"), el("button", { type: "button", click: show }, translate("shell.again")))));
  }
  list.removeAttribute("aria-busy");
}

setText(at("zone"), translate("changes.zone", { zone: zoneName() }));
at("more").addEventListener("click", async () => list.append(...await read(next).catch(() => [])));
show();
