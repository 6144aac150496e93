// DOM elements built without markup: every text is inserted as text, so that no name is parsed as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Return a new element; `attributes` that are null or false are omitted, functions become listeners. */
export function el(tag, attributes = {}, ...children) {
  return setAttributes(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return setAttributes(document.createElementNS(SVG, tag), attributes, children);
}

function setAttributes(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Return a symbol of the SVG sprite. */
export const symbol = (name) => svg("svg", { class: "sym", "aria-hidden": "true" }, svg("use", { href: `#sym-${name}` }));

/** Set the text of `node` only where it differs, which avoids a needless layout. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Highlight a changed element for two seconds. */
export function highlight(node) {
  node.classList.remove("glow");
  void node.offsetWidth;
  node.classList.add("glow");
  clearTimeout(node.glowing);
  node.glowing = setTimeout(() => node.classList.remove("glow"), 2000);
}

/** Return the placeholder of a list that is empty or could not be loaded. */
export function placeholder(title, more, ...rest) {
  return el("div", { class: "plate" }, symbol("unknown"), el("h2", {}, title), el("p", { class: "faint" }, more), ...rest);
}
