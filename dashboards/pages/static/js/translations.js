// The texts of the page by key; the page contains the catalogue of its language.

const texts = JSON.parse(document.getElementById("translations").textContent);

export const lang = document.body.dataset.language;
export const locale = texts["language.locale"];

export const hasTranslation = (key) => Object.hasOwn(texts, key);

/** Return the text of `key` with `{name}` filled in; `one|many` is chosen by `values.n`. */
export function translate(key, values = {}) {
  const [one, many = one] = (texts[key] ?? key).split("|");
  return (values.n === 1 ? one : many).replace(/\{(\w+)\}/g, (whole, name) => shown(values[name]) ?? whole);
}

const shown = (value) => (typeof value === "number" ? value.toLocaleString(locale) : value);

/** Return the text of the first of `keys` that the catalogue contains. */
export const translateFirst = (...keys) => translate(keys.find(hasTranslation) ?? keys.at(-1));

const HAN = /\p{Script=Han}/u;

/** Return the half of a bilingual name ("中文 · English") in the page's language, else the whole name; as `registry/lift_facts.py`. */
export function nameInLanguage(text) {
  const halves = text.split(" · ");
  if (halves.length !== 2 || HAN.test(halves[0]) === HAN.test(halves[1])) return text;
  return halves.find((half) => HAN.test(half) === (lang === "zh"));
}

/** Return the name of a district: that of its outline, else its slug. */
export const districtName = (slug) => (hasTranslation(`district.${slug}`) ? translate(`district.${slug}`) : slug);

/** Return the display name of a lift. */
export const liftName = (lift) => (lift.name ? nameInLanguage(lift.name) : lift.lift_id);

/** Return the name of a rule; its slug where the catalogue has no name. */
export const ruleName = (slug) => (hasTranslation(`rule.${slug}`) ? translate(`rule.${slug}`) : slug);

/** Return the status of an alert as texts: rule, state, acknowledgement, assignee. */
export const alertStatus = (alert) => [
  ruleName(alert.rule), translate(`alert.${alert.state}`), alert.acknowledged ? translate("alert.acknowledged") : null,
  alert.assigned_to ? translate("alert.assigned", { name: nameInLanguage(alert.assigned_to) }) : null,
].filter(Boolean);

/** Return what an incident is about: the sentence of its most urgent alert, or its kind. */
export const incidentSummary = ({ summary: said, kind }) => said?.[lang] || said?.en || translate(`incident.${kind}`);

/** Return what the open incident of a lift says about it: that somebody may be inside, or its kind. */
export const incidentHere = ({ kind, holds_people }) => translate(holds_people ? "incident.here" : `incident.${kind}`);

/** Return the summary of an alert in the page's language. */
export const summary = (alert) => alert.summary[lang] || alert.summary.en || ruleName(alert.rule);
