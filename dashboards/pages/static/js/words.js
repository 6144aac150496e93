// Every text a person reads, by key; the page carries the catalogue of its own language.

const texts = JSON.parse(document.getElementById("words").textContent);

export const lang = document.body.dataset.language;
export const locale = texts["language.locale"];

export const knows = (key) => Object.hasOwn(texts, key);

/** Return the text of `key` with `{name}` filled in; `one|many` is chosen by `values.n`. */
export function say(key, values = {}) {
  const [one, many = one] = (texts[key] ?? key).split("|");
  return (values.n === 1 ? one : many).replace(/\{(\w+)\}/g, (whole, name) => shown(values[name]) ?? whole);
}

const shown = (value) => (typeof value === "number" ? value.toLocaleString(locale) : value);

/** Return the text of `key`, or of the first of `others` that the catalogue knows. */
export const sayFirst = (...keys) => say(keys.find(knows) ?? keys.at(-1));

const HAN = /\p{Script=Han}/u;

/** Return the reader's half of a name that is written in both languages ("中文 · English"), else the name. */
function ownHalf(text) {
  const halves = text.split(" · ");
  if (halves.length !== 2 || HAN.test(halves[0]) === HAN.test(halves[1])) return text;
  return halves.find((half) => HAN.test(half) === (lang === "zh"));
}

/** Return what people call a lift. */
export const callLift = (lift) => (lift.name ? ownHalf(lift.name) : lift.lift_id);

/** Return what people call a rule; its slug where the catalogue of rules has no name for it. */
export const ruleName = (slug) => (knows(`rule.${slug}`) ? say(`rule.${slug}`) : slug);

/** Return what is said beside an alert: its rule, how it stands, whose it is. */
export const standing = (alert) => [
  ruleName(alert.rule), say(`alert.${alert.state}`), alert.acknowledged ? say("alert.acknowledged") : null,
  alert.assigned_to ? say("alert.assigned", { name: alert.assigned_to }) : null,
].filter(Boolean);

/** Return an alert's sentence in the page's language. */
export const summary = (alert) => alert.summary[lang] || alert.summary.en || ruleName(alert.rule);
