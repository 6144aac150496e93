// Registers the service worker, whose offline page is kept in the language of the page.

const OFFLINE = "/offline";

/** Fetch the offline page again where it is in another language. */
async function keepLanguage() {
  const name = (await caches.keys()).find((each) => each.startsWith("shell-"));
  if (!name) return;
  const cache = await caches.open(name), page = await cache.match(OFFLINE, { ignoreVary: true });
  if (page && !(await page.text()).includes(`data-language="${document.body.dataset.language}"`)) await cache.add(OFFLINE);
}

if ("serviceWorker" in navigator) {
  navigator.serviceWorker.register("/service-worker.js").then(() => navigator.serviceWorker.ready).then(keepLanguage).catch(() => {}); // The pages work without it.
}
