// Single-key shortcuts of a page with a list and a pane; the dialog of the page lists them and turns them off.

const KEYS_OFF = "liftwatch.keys-off";

/** Call the function of a key when it is pressed outside of forms. */
export function bindKeys(actions) {
  const dialog = document.getElementById("keys"), on = document.getElementById("keys-on");
  const all = { ...actions, "?": () => dialog.showModal() };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, dialog");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || localStorage.getItem(KEYS_OFF)) return;
    const act = all[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  on.checked = !localStorage.getItem(KEYS_OFF);
  on.addEventListener("change", () => on.checked ? localStorage.removeItem(KEYS_OFF) : localStorage.setItem(KEYS_OFF, "yes"));
  document.getElementById("keys-button").addEventListener("click", () => dialog.showModal());
}
