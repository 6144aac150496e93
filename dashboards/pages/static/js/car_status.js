// The status of the car as text and as a small drawing: floor, direction, door, person.

import { svg } from "./element.js";
import { translate } from "./translations.js";

/** Return a drawing of a door with two leaves and a person behind them. */
export function doorDrawing() {
  return svg("svg", { class: "door", viewBox: "0 0 22 26", "aria-hidden": "true", "data-door": "unknown" },
    svg("rect", { class: "leaf left", x: 2, y: 2, width: 8.5, height: 22 }), svg("rect", { class: "leaf right", x: 11.5, y: 2, width: 8.5, height: 22 }),
    svg("path", { class: "body", d: "M6.8 24c0-6 1.4-9.6 4.2-9.6s4.2 3.6 4.2 9.6z" }), svg("circle", { class: "body", cx: 11, cy: 10, r: 2.8 }),
    svg("rect", { class: "frame", x: 1, y: 1, width: 20, height: 24 }));
}

/** Update the drawing; `lift` is an item of the list of lifts. */
export function updateDoorDrawing(drawing, lift) {
  drawing.dataset.door = lift.door ?? "unknown";
  drawing.dataset.person = lift.presence ? "yes" : "no";
}

/** Return whether the last known direction of the car is up or down. */
export const isMoving = (lift) => lift.direction === "up" || lift.direction === "down";

/** Return the floor of the car, of a standing car between landings both floors; null where unknown. */
export function carFloor(lift) {
  const [low, high] = (!isMoving(lift) && lift.between) || [];
  if (low) return translate("car.between", { low, high });
  return lift.floor === null ? null : translate("car.floor", { floor: lift.floor });
}

/** Return the status of the car as text, for screen readers and tooltips. */
export function describeCar(lift) {
  return [
    carFloor(lift) ?? translate("car.unknown"),
    isMoving(lift) ? translate(`car.${lift.direction}`) : null,
    lift.door === null ? null : translate("car.door", { state: translate(`door.${lift.door}`) }),
    lift.presence ? translate("car.person") : null,
  ].filter(Boolean).join(", ");
}

/** Return the location of the car as text, "" where unknown; `texts` are "where" behind a name, or "place" alone. */
export function carLocation(lift, texts = "where") {
  const [low, high] = lift.between ?? [];
  if (low) return translate(`${texts}.between`, { low, high });
  return (lift.floor ?? null) === null ? "" : translate(`${texts}.at`, { floor: lift.floor });
}
