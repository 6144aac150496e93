// Elements without markup: every text goes in as text, so that no name of a lift is ever interpreted.

const SVG = "http://www.w3.org/2000/svg";

/** Return a new element; `attributes` that are null or false are left out, functions are listeners. */
export function el(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), attributes, children);
}

function dress(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Return a symbol of the sprite. */
export const symbol = (name) => svg("svg", { class: "sym", "aria-hidden": "true" }, svg("use", { href: `#sym-${name}` }));

/** Put `text` into `node` only where it differs, so that nothing is laid out anew for nothing. */
export function put(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Let what changed glow for two seconds. */
export function glow(node) {
  node.classList.remove("glow");
  void node.offsetWidth;
  node.classList.add("glow");
  clearTimeout(node.glowing);
  node.glowing = setTimeout(() => node.classList.remove("glow"), 2000);
}

/** Return the plate that stands where a list is empty or could not be read. */
export function plate(title, more, ...rest) {
  return el("div", { class: "plate" }, symbol("unknown"), el("h2", {}, title), el("p", { class: "faint" }, more), ...rest);
}
