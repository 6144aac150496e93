// The button on the page of the account by which this browser becomes a way of kind `push`.
//
//   click ─► permission ─► subscription with the server's key ─► form of the ways ─► a code arrives as a notification
//
// The form is shown only where the browser can subscribe: on iOS that is only an installed page.

import "./installed_page.js";
import { setText } from "./element.js";

const form = document.getElementById("push");

/** Return a subscription with the server's key; one with another key, of an earlier key of the server, is replaced. */
async function subscribe(key) {
  const { pushManager } = await navigator.serviceWorker.ready, wanted = bytes(key);
  const before = await pushManager.getSubscription();
  if (before && !sameBytes(new Uint8Array(before.options.applicationServerKey), wanted)) await before.unsubscribe();
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: wanted });
}

const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
const sameBytes = (one, other) => one.length === other.length && one.every((value, i) => value === other[i]);

async function add(event) {
  if (form.elements.address.value) return; // The browser sends the form.
  event.preventDefault();
  const answer = form.querySelector("[role=status]");
  try {
    if ((await Notification.requestPermission()) !== "granted") return setText(answer, form.dataset.denied);
    form.elements.address.value = JSON.stringify(await subscribe(form.dataset.key));
    form.requestSubmit();
  } catch (error) {
    setText(answer, `${form.dataset.failed} (${error.message})`);
  }
}

if (form && "serviceWorker" in navigator && "PushManager" in window && "Notification" in window) {
  form.hidden = false;
  form.addEventListener("submit", add);
}
