// The links to the calendar of a roster: made, shown once, and ended.

import { get, post, remove } from "../api.js";
import { el, setText } from "../element.js";
import { shortStamp } from "../time.js";
import { translate } from "../translations.js";
import { field, select } from "../form_dialog.js";

/** Open the dialog of the links to a calendar; `people` are those of the organisation. */
export async function calendarLinks(roster, people) {
  const path = `/api/v1/rosters/${roster.roster_id}/calendar-links`, list = el("ul", { class: "links" }), made = el("p", { class: "notice", role: "status", hidden: true }), problem = el("p", { class: "problem", role: "alert", hidden: true });
  const of = select("person_id", [["", translate("duty.calendar.whole")], ...people.map(({ person_id, name }) => [person_id, name])], "");
  const attempt = async (act) => {
    problem.hidden = true;
    try {
      await act();
      list.replaceChildren(...rows((await get(path)).items));
    } catch (error) {
      setText(problem, translate("act.failed", { why: error.message || translate("error.network") }));
      problem.hidden = false;
    }
  };
  const whose = (person_id) => (person_id ? people.find((each) => each.person_id === person_id)?.name ?? translate("duty.left") : translate("duty.calendar.whole"));
  const rows = (items) => items.length ? items.map(({ link_id, person_id, created_at, created_by }) => el("li", {},
    el("span", {}, translate("duty.calendar.link", { name: whose(person_id), time: shortStamp(created_at), by: created_by })),
    el("button", { type: "button", class: "quiet", click: () => attempt(() => remove(`${path}/${link_id}`)) }, translate("duty.calendar.end")))) : [el("li", { class: "faint" }, translate("duty.calendar.none"))];
  const make = () => attempt(async () => {
    const { url } = await post(path, { person_id: of.value || null });
    made.replaceChildren(translate("duty.calendar.once"), " ", el("a", { href: url.replace(/^https?:/, "webcal:") }, url));
    made.hidden = false;
  });
  const dialog = el("dialog", { class: "wide", "aria-labelledby": "calendar-title" }, el("h2", { id: "calendar-title" }, translate("duty.calendar.title", { roster: roster.name })),
    el("p", { class: "faint" }, translate("duty.calendar.why")), list, made, problem,
    el("div", { class: "row" }, field("duty.calendar.of", of)),
    el("div", { class: "ends" }, el("button", { type: "button", class: "main", click: make }, translate("duty.calendar.make")), el("button", { type: "button", click: () => dialog.close() }, translate("duty.close"))));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
  await attempt(async () => {});
}
