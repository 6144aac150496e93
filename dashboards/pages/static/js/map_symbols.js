// The symbols of the page's sprite as images for the map, so that both have the same shapes and colours.

const VIEW = 20, SIZE = 22, SCALE = 2;

/** Return the image of a symbol of the sprite for `map.addImage`. */
export function symbolImage(name) {
  const canvas = document.createElement("canvas"), pixels = SIZE * SCALE;
  canvas.width = canvas.height = pixels;
  const context = canvas.getContext("2d");
  context.scale(pixels / VIEW, pixels / VIEW);
  for (const shape of document.getElementById(`sym-${name}`).children) drawShape(context, shape);
  return [context.getImageData(0, 0, pixels, pixels), { pixelRatio: SCALE }];
}

function drawShape(context, shape) {
  const style = getComputedStyle(shape), path = pathOf(shape), width = parseFloat(style.strokeWidth) || 1;
  const isHatched = style.fill.startsWith("url");
  context.lineCap = context.lineJoin = "round";
  halo(context, path, width);
  if (isHatched) hatch(context, path, style.stroke);
  else if (style.fill !== "none") {
    context.fillStyle = style.fill;
    context.fill(path);
  }
  if (style.stroke === "none") return;
  context.lineWidth = width;
  context.strokeStyle = style.stroke;
  context.stroke(path);
}

/** Draw the surface's colour around and behind a shape: the ground of a map may have any colour. */
function halo(context, path, width) {
  const surface = getComputedStyle(document.documentElement).getPropertyValue("--surface");
  context.globalCompositeOperation = "destination-over";
  [context.strokeStyle, context.fillStyle, context.lineWidth] = [surface, surface, width + 1.6];
  context.stroke(path);
  context.fill(path);
  context.globalCompositeOperation = "source-over";
}

function hatch(context, path, colour) {
  context.save();
  context.clip(path);
  [context.strokeStyle, context.lineWidth] = [colour, 1.2];
  for (let x = -VIEW; x < VIEW; x += 4) context.stroke(new Path2D(`M${x} ${VIEW} L${x + VIEW} 0`));
  context.restore();
}

function pathOf(shape) {
  const number = (name) => Number(shape.getAttribute(name) ?? 0), path = new Path2D(shape.getAttribute("d") ?? "");
  if (shape.localName === "circle") path.arc(number("cx"), number("cy"), number("r"), 0, 2 * Math.PI);
  if (shape.localName === "rect") path.roundRect(number("x"), number("y"), number("width"), number("height"), number("rx"));
  return path;
}
