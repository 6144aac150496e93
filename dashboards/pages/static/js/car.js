// The car in words and as a small drawing: floor, direction, door, person.

import { svg } from "./element.js";
import { say } from "./words.js";

/** Return a small door of two leaves with a person behind it. */
export function doorDrawing() {
  return svg("svg", { class: "door", viewBox: "0 0 22 26", "aria-hidden": "true", "data-door": "unknown" },
    svg("rect", { class: "leaf left", x: 2, y: 2, width: 8.5, height: 22 }), svg("rect", { class: "leaf right", x: 11.5, y: 2, width: 8.5, height: 22 }),
    svg("path", { class: "body", d: "M6.8 24c0-6 1.4-9.6 4.2-9.6s4.2 3.6 4.2 9.6z" }), svg("circle", { class: "body", cx: 11, cy: 10, r: 2.8 }),
    svg("rect", { class: "frame", x: 1, y: 1, width: 20, height: 24 }));
}

/** Set what is drawn; `lift` is an item of the list. */
export function setDoor(drawing, lift) {
  drawing.dataset.door = lift.door ?? "unknown";
  drawing.dataset.person = lift.presence ? "yes" : "no";
}

/** Return whether the car moves, as far as is known. */
export const moves = (lift) => lift.direction === "up" || lift.direction === "down";

/** Return the car's state in words, for those who cannot see the drawing and on hover. */
export function carWords(lift) {
  return [
    lift.floor === null ? say("car.unknown") : say("car.floor", { floor: lift.floor }),
    moves(lift) ? say(`car.${lift.direction}`) : null,
    lift.door === null ? null : say("car.door", { state: say(`door.${lift.door}`) }),
    lift.presence ? say("car.person") : null,
  ].filter(Boolean).join(", ");
}

/** Return how far from a landing a car is at it: anywhere nearer than the next one where a barometer tells its position. */
export const zoneOf = (facts) => (facts?.position_source === "barometer" ? Infinity : facts?.door_zone_m ?? 0.2);

/** Return the floors that the car stands between, `[low, high]`; null at a landing or where it is not known. */
export function between(lift, floors, zone_m = 0.2) {
  if (lift.position_m === null || !floors.length) return null;
  const nearest = Math.min(...floors.map((floor) => Math.abs(floor.height_m - lift.position_m)));
  const low = floors.findLast((floor) => floor.height_m < lift.position_m), high = floors.find((floor) => floor.height_m > lift.position_m);
  return nearest > zone_m && low && high ? [low.label, high.label] : null;
}

/** Return where the car stands in words, "" where it is not known. */
export function where(lift, floors, zone_m) {
  const [low, high] = between(lift, floors, zone_m) ?? [];
  if (low) return say("where.between", { low, high });
  return lift.floor === null ? "" : say("where.at", { floor: lift.floor });
}
