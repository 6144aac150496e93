// A row of the fleet table: state, name and address, car, last trip, alerts, since when, maintenance firm.

import { carFloor, describeCar, doorDrawing, isMoving, updateDoorDrawing } from "./car_status.js";
import { el, highlight, setText, symbol } from "./element.js";
import { gradeName } from "./grades.js";
import { SEVERITIES, SILENT, setSymbol, severitySymbol } from "./severity.js";
import { HEARTBEAT_S, secondsSince, setTime } from "./time.js";
import { districtName, incidentHere, lang, liftName, nameInLanguage, ruleName, translate, translateFirst } from "./translations.js";
import { isOngoing } from "./maintenance.js";

/** Return an empty row. */
export function makeRow() {
  const cell = (name, ...children) => el("span", { role: "cell", class: `c-${name}` }, ...children);
  const row = el("div", { role: "row", class: "row live" },
    cell("state", symbol("unknown"), el("span"), el("small")),
    cell("name", el("a", { href: "#" }), el("small")),
    cell("car", doorDrawing(), el("span", { class: "floor" }), arrow(), el("span", { class: "veiled" })),
    cell("trip", el("time", { "data-label": translate("col.trip") })),
    cell("health", el("span", { class: "health" }, el("i")), el("b"), el("span", { class: "veiled" })),
    cell("alerts", ...SEVERITIES.map((severity) => el("span", { "data-severity": severity, hidden: true }, severitySymbol(severity), el("b")))),
    cell("since", el("time")), cell("firm", el("a", { href: "?" })));
  row.find = Object.fromEntries(Array.from(row.children, (child) => [child.className.slice(2), child]));
  return row;
}

function arrow() {
  const drawing = symbol("up");
  drawing.classList.add("arrow");
  return drawing;
}

/** Show a lift in a row; undefined is a lift that is not loaded yet. */
export function fillRow(row, lift) {
  const { state, name, car, trip, health, alerts, since, firm } = row.find;
  row.classList.toggle("abnormal", lift?.state === "critical");
  row.classList.toggle("silent", lift ? SILENT.includes(lift.state) || secondsSince(lift.last_seen) > HEARTBEAT_S : false);
  if (!lift) return blank(row);
  setSymbol(state.firstChild, lift.state);
  setText(state.children[1], translate(`state.${lift.state}`));
  const why = lift.state === "blind" ? translateFirst(`blind.${lift.blind.reason}`, "blind.refused") : "";
  state.title = lift.blind?.text[lang] ?? "";
  setText(state.lastChild, [why, lift.incident && incidentHere(lift.incident), lift.worst_rule && ruleName(lift.worst_rule), isOngoing(lift.maintenance) && translate("works.row")].filter(Boolean).join(" · "));
  const href = `/lifts/${encodeURIComponent(lift.lift_id)}`;
  if (name.firstChild.getAttribute("href") !== href) name.firstChild.setAttribute("href", href);
  setText(name.firstChild, liftName(lift));
  name.title = lift.name ?? "";
  setText(name.lastChild, [lift.lift_id, lift.registered ? lift.address ? nameInLanguage(lift.address) : districtName(lift.district) : translate("fleet.unregistered")].filter(Boolean).join(" · "));
  fillCar(car, lift);
  row.classList.toggle("calm", !lift.since);
  setTime(trip.firstChild, lift.last_trip, { zone: lift.timezone, as: "calm", none: "–" });
  fillHealth(health, lift);
  for (const mark of alerts.children) {
    const n = lift.open_alerts[mark.dataset.severity];
    mark.hidden = n === 0;
    setText(mark.lastChild, String(n));
  }
  setTime(since.firstChild, lift.since, { zone: lift.timezone, as: "rough" });
  setText(firm.firstChild, nameInLanguage(lift.maintenance_firm ?? ""));
  firm.firstChild.href = `?${new URLSearchParams({ firm: lift.maintenance_firm ?? "" })}`;
  if (lift.glows) highlight(row);
  lift.glows = false;
}

function fillHealth(cell, { health, grade, health_reason }) {
  const [bar, number, words] = cell.children;
  cell.title = health === null ? translate("health.unknown.row") : health_reason[lang] ?? health_reason.en;
  bar.dataset.grade = grade ?? "unknown";
  bar.firstChild.style.transform = `scaleX(${(health ?? 0) / 100})`;
  setText(number, health === null ? "–" : String(health));
  setText(words, gradeName(grade));
}

function fillCar(car, lift) {
  const [door, floor, direction, words] = car.children;
  updateDoorDrawing(door, lift);
  setText(floor, carFloor(lift) ?? "–");
  if (isMoving(lift)) {
    direction.dataset.dir = lift.direction;
    setSymbol(direction, lift.direction);
  } else delete direction.dataset.dir;
  const said = describeCar(lift);
  setText(words, said);
  car.title = said;
}

function blank(row) {
  for (const node of row.querySelectorAll("a, small, time, b, .floor, .veiled")) setText(node, "");
  setText(row.find.state.children[1], translate("shell.reading"));
  setSymbol(row.find.state.firstChild, "unknown");
}
