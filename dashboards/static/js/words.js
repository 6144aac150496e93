// Every text a person reads, by key; the page carries the catalogue of its own language.

const texts = JSON.parse(document.getElementById("words").textContent);

export const lang = document.documentElement.lang.startsWith("zh") ? "zh" : "en";
export const locale = lang === "zh" ? "zh-CN" : "en-GB";

export const knows = (key) => Object.hasOwn(texts, key);

/** Return the text of `key` with `{name}` filled in; `one|many` is chosen by `values.n`. */
export function say(key, values = {}) {
  const [one, many = one] = (texts[key] ?? key).split("|");
  return (values.n === 1 ? one : many).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Return the text of `key`, or of the first of `others` that the catalogue knows. */
export const sayFirst = (...keys) => say(keys.find(knows) ?? keys.at(-1));

/** Return what people call a rule; its slug where the catalogue of rules has no name for it. */
export const ruleName = (slug) => (knows(`rule.${slug}`) ? say(`rule.${slug}`) : slug);

/** Return an alert's sentence in the page's language. */
export const summary = (alert) => alert.summary[lang] || alert.summary.en || ruleName(alert.rule);
