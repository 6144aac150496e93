// A drawing of the shaft to scale: floors, the car (animated between readings), its door and a person in it.

import { isMoving } from "./car_status.js";
import { el, svg, symbol } from "./element.js";
import { setSymbol } from "./severity.js";
import { fixed } from "./units.js";
import { translate } from "./translations.js";

const CAR_HEIGHT_M = 2.4;
const LABEL_PX = 15; // Landings closer together than this name every second, third, ... floor.
const GLIDE_LEAST_S = 0.2, GLIDE_MOST_S = 2, JUMP_S = 5;

export class Shaft {
  /** @param box where to draw; floors `[{label, height_m}]` from the lowest up, empty where unknown */
  constructor(box, floors) {
    Object.assign(this, { box, floors, at_ms: 0, position_m: null });
    this.low = floors[0]?.height_m ?? 0;
    this.high = (floors.at(-1)?.height_m ?? 30) + 1.25 * CAR_HEIGHT_M;
    this.car = el("div", { class: "car", "data-door": "unknown" }, el("i", { class: "leaf left" }), el("i", { class: "leaf right" }), person());
    [this.arrow, this.height] = [symbol("up"), el("span", {})];
    this.tag = el("div", { class: "tag" }, this.height, this.arrow);
    this.landings = floors.map((floor) => el("div", { class: "landing" }, el("b", { title: `${floor.label}, ${fixed(floor.height_m)} m` }, floor.label)));
    box.replaceChildren(el("div", { class: "well" }), el("div", { class: "rope" }), ...this.landings, this.car, this.tag);
    new ResizeObserver(() => this.scale()).observe(box);
    this.scale();
  }

  px(height_m) {
    return ((height_m - this.low) / (this.high - this.low)) * this.box.clientHeight;
  }

  scale() {
    const step = (this.px(this.high) - this.px(this.low)) / Math.max(1, this.floors.length), every = Math.max(1, Math.ceil(LABEL_PX / step));
    this.landings.forEach((landing, i) => {
      landing.style.bottom = `${this.px(this.floors[i].height_m)}px`;
      landing.classList.toggle("dense", i % every !== 0);
    });
    this.car.style.height = `${Math.max(22, this.px(this.low + CAR_HEIGHT_M))}px`;
    this.move(0);
  }

  /** Show an item of the list; the car moves smoothly for the time between two readings. */
  show(lift) {
    const now = performance.now(), apart_s = (now - this.at_ms) / 1000;
    const glide_s = apart_s > JUMP_S ? 0 : Math.min(GLIDE_MOST_S, Math.max(GLIDE_LEAST_S, apart_s));
    this.at_ms = now;
    this.box.classList.toggle("unknown", lift.position_m === null);
    this.car.dataset.door = lift.door ?? "unknown";
    this.car.dataset.person = lift.presence ? "yes" : "no";
    this.car.dataset.state = lift.state;
    this.arrow.classList.toggle("moving", isMoving(lift));
    if (isMoving(lift)) setSymbol(this.arrow, lift.direction);
    this.landings.forEach((landing, i) => landing.classList.toggle("here", this.floors[i].label === lift.floor));
    if (lift.position_m !== null) {
      this.position_m = lift.position_m;
      this.height.textContent = `${fixed(lift.position_m)} m`;
      this.move(glide_s);
    }
  }

  move(glide_s) {
    if (this.position_m === null) return;
    const up = this.px(this.position_m);
    for (const node of [this.car, this.tag]) {
      node.style.transitionDuration = `${glide_s}s`;
      node.style.transform = `translateY(${-up}px)`;
    }
  }
}

const person = () => svg("svg", { class: "body", viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("use", { href: "#sym-person" }));

/** Return location and motion of the car as a sentence. */
export function carSentence(lift) {
  const parts = [whereabouts(lift)];
  if (lift.door !== null) parts.push(translate("lift.door", { state: translate(`door.${lift.door}`) }));
  if (lift.presence !== null) parts.push(translate(lift.presence ? "lift.person" : "lift.nobody"));
  return parts.join(translate("shell.comma"));
}

function whereabouts(lift) {
  if (lift.position_m === null) return translate("lift.nowhere");
  const speed = fixed(Math.abs(lift.speed_mps ?? 0)), floor = lift.floor ?? `${fixed(lift.position_m, 1)} m`;
  if (isMoving(lift)) return translate(`lift.${lift.direction}`, { floor, speed });
  const [low, high] = lift.between ?? [];
  if (low) return translate("lift.between", { low, high });
  return translate("lift.at", { floor });
}
