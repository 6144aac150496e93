// The service worker of the installed page: an offline shell, a snapshot that says how old it is, and notifications.
//
//   page ──► network; without it the offline page      API ──► network alone; the newest SNAPSHOTS are kept with their Date
//   push ──► notification ──► its link
//
// The server puts VERSION, which names the content of the offline page, before this text. A snapshot is what the offline page shows;
// no other page ever receives one. It is removed when the server no longer knows the session, and by signing out.

/* global VERSION */

const SHELL = `shell-${VERSION}`, SNAPSHOT = "snapshot", OFFLINE = "/offline", SIGN_IN = "/sign-in";
const FILES = [
  OFFLINE, "/static/icon.svg", "/static/css/tokens.css", "/static/css/shell.css", "/static/css/offline.css", "/static/js/offline.js",
  "/static/js/api.js", "/static/js/element.js", "/static/js/severity.js", "/static/js/time.js", "/static/js/translations.js",
];
const SNAPSHOTS = { "/api/v1/fleet": "", "/api/v1/lifts": "", "/api/v1/incidents": "state=open&sort=urgency" }; // Path and query, but for limit.
const ACTIONS_MOST = 2;

self.addEventListener("install", (event) => event.waitUntil(caches.open(SHELL).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting())));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (![SHELL, SNAPSHOT].includes(name)) await caches.delete(name);
  await self.clients.claim();
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(page(request, url));
  else if (FILES.includes(url.pathname)) event.respondWith(fetch(request).catch(() => kept(url.pathname)));
  else if (isSnapshot(url)) event.respondWith(keep(event, url));
});

const kept = async (path) => (await caches.match(path, { cacheName: SHELL, ignoreVary: true })) ?? Response.error();

async function page(request, url) {
  if (url.pathname === SIGN_IN) await caches.delete(SNAPSHOT);
  try {
    return await fetch(request);
  } catch {
    return kept(OFFLINE);
  }
}

function isSnapshot({ pathname, searchParams }) {
  if (!(pathname in SNAPSHOTS)) return false;
  const rest = new URLSearchParams(searchParams);
  rest.delete("limit");
  return rest.toString() === SNAPSHOTS[pathname];
}

async function keep(event, { pathname }) {
  const answer = await fetch(event.request), copy = answer.clone();
  if (answer.ok) event.waitUntil(caches.open(SNAPSHOT).then((cache) => cache.put(pathname, copy)).catch(() => {}));
  else if (answer.status === 401) event.waitUntil(caches.delete(SNAPSHOT));
  return answer;
}

// --- notifications

self.addEventListener("push", (event) => {
  const { title, body, tag, severity, language, links = [] } = event.data.json();
  const [first, ...more] = links.filter(({ url }) => isOwn(url)); // No other address is opened: the map of another server is left out.
  event.waitUntil(self.registration.showNotification(title, {
    body, tag, renotify: Boolean(tag), lang: language, requireInteraction: severity === "critical", icon: "/static/icon-192.png", badge: "/static/icon-192.png",
    actions: more.slice(0, ACTIONS_MOST).map(({ label, url }) => ({ action: url, title: label })), data: first?.url ?? "/account#ways", // A code, or a test.
  }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(openPage(event.action || event.notification.data));
});

const isOwn = (address) => new URL(address, location.origin).origin === location.origin;

/** Open a page of this server in a window that shows its path already, else in a new one; other addresses are not opened. */
async function openPage(address) {
  const url = new URL(address, location.origin);
  if (!isOwn(address)) return;
  const open = (await self.clients.matchAll({ type: "window" })).find((client) => new URL(client.url).pathname === url.pathname);
  await (open ? open.focus() : self.clients.openWindow(url.href));
}
