// The form of an override: who is on duty for a time, instead of everybody or of one person.

import { post, serverNow } from "../api.js";
import { el } from "../element.js";
import { zoneName } from "../time.js";
import { translate } from "../translations.js";
import { checked, checks, field, openForm, select } from "../form_dialog.js";

/** Return an instant as a field of date and time has it, in the zone of the browser. */
const local = (ms) => new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);

export function overrideForm(roster, people, attempt) {
  const hour = Math.ceil(serverNow() / 3_600_000) * 3_600_000, options = people.map(({ person_id, name }) => [person_id, name]);
  const parts = [
    el("p", { class: "faint" }, translate("duty.override.why", { zone: zoneName(null) })),
    el("div", { class: "row" }, field("duty.from", el("input", { type: "datetime-local", name: "from", value: local(hour), required: true })), field("duty.until", el("input", { type: "datetime-local", name: "until", value: local(hour + 8 * 3_600_000), required: true }))),
    checks("duty.override.who", "people", options, []),
    field("duty.override.for", select("replaces", [["", translate("duty.everybody")], ...options], "")),
    field("act.note.optional", el("input", { name: "note", maxlength: 200 })),
  ];
  openForm(translate("duty.override.title", { roster: roster.name }), parts, (form) => {
    const { from, until, replaces, note } = form.elements;
    return post(`/api/v1/rosters/${roster.roster_id}/overrides`, { from: new Date(from.value).toISOString(), until: new Date(until.value).toISOString(), people: checked(form, "people"), replaces: replaces.value || null, note: note.value || null });
  }, attempt);
}
