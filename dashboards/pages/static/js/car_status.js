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

/** Return the status of the car as text, for screen readers and tooltips. */
export function describeCar(lift) {
  return [
    lift.floor === null ? translate("car.unknown") : translate("car.floor", { floor: lift.floor }),
    isMoving(lift) ? translate(`car.${lift.direction}`) : null,
    lift.door === null ? null : translate("car.door", { state: translate(`door.${lift.door}`) }),
    lift.presence ? translate("car.person") : null,
  ].filter(Boolean).join(", ");
}

/** Return the half-height of the door zone in metres; with a barometer, the car is always at the nearest landing. */
export const doorZoneOf = (facts) => (facts?.position_source === "barometer" ? Infinity : facts?.door_zone_m ?? 0.2);

/** Return the labels `[low, high]` of the floors around the car; null at a landing or where unknown. */
export function floorsBetween(lift, floors, zone_m = 0.2) {
  if (lift.position_m === null || !floors.length) return null;
  const nearest = Math.min(...floors.map((floor) => Math.abs(floor.height_m - lift.position_m)));
  const low = floors.findLast((floor) => floor.height_m < lift.position_m), high = floors.find((floor) => floor.height_m > lift.position_m);
  return nearest > zone_m && low && high ? [low.label, high.label] : null;
}

/** Return the location of the car as text, "" where unknown. */
export function carLocation(lift, floors, zone_m) {
  const [low, high] = floorsBetween(lift, floors, zone_m) ?? [];
  if (low) return translate("where.between", { low, high });
  return lift.floor === null ? "" : translate("where.at", { floor: lift.floor });
}
