// Client of the HTTP API; every error is thrown as a Problem with the server's explanation.

let ahead_ms = 0;

/** Return the server's time in milliseconds: an age must not depend on the clock of the browser. */
export const serverNow = () => Date.now() + ahead_ms;

const CLOCKS_APART_MS = 5000; // A limit in hours holds by the server's clock, to the second.

/** Return the instant `hours` ahead, minus a margin for the difference between the clocks. */
export const hoursAhead = (hours) => new Date(serverNow() + hours * 3_600_000 - CLOCKS_APART_MS).toISOString();

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** Return the JSON at `path`; empty parameters are left out, lists are repeated. */
export async function get(path, parameters = {}, { signal } = {}) {
  const filled = Object.entries(parameters).flatMap(([name, value]) => [value ?? ""].flat().filter((one) => one !== "").map((one) => [name, one]));
  const query = new URLSearchParams(filled).toString();
  return answer(await reach(path + (query ? `?${query}` : ""), { signal }));
}

/** Send `body`; with a `version` the server refuses (412) where there is a newer one. */
export const post = (path, body, version = null) => send("POST", path, body, version);

/** Replace what is at `path` by `body`, as `post`. */
export const put = (path, body, version = null) => send("PUT", path, body, version);

async function send(method, path, body, version) {
  const headers = { "Content-Type": "application/json", ...(version && { "If-Match": version }) };
  return answer(await reach(path, { method, headers, body: JSON.stringify(body) }));
}

/** Go to the sign-in page, which returns to this page. */
const signIn = () => location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);

const versions = new WeakMap();

/** Return the version of what `get` or `post` returned, null where it has none. */
export const versionOf = (body) => versions.get(body) ?? null;

export async function remove(path) {
  return answer(await reach(path, { method: "DELETE" }));
}

async function reach(path, options) {
  try {
    const { csrf } = document.body.dataset;
    return await fetch(path, { ...options, headers: { Accept: "application/json", ...(csrf && { "X-CSRF-Token": csrf }), ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "");
  }
}

async function answer(response) {
  const date = Date.parse(response.headers.get("Date"));
  if (Math.abs(date - Date.now()) > 2000) ahead_ms = date - Date.now();
  else if (date) ahead_ms = 0;
  if (response.status === 204) return null;
  if (response.ok) {
    const body = await response.json(), version = response.headers.get("ETag");
    if (version) versions.set(body, version);
    return body;
  }
  if (response.status === 401) signIn();
  const body = await response.json().catch(() => null);
  throw new Problem(response.status, body?.detail ?? body?.title ?? String(response.status));
}
