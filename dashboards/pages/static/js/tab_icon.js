// The icon of the browser's tab: red, with the number of critical incidents that wait for somebody.

const PLAIN = "/static/icon.svg", MOST = 99;
export const ALARM = "/static/icon-alarm.svg";

export function showInIcon(waiting) {
  document.querySelector("link[rel=icon]").href = waiting ? numbered(Math.min(waiting, MOST)) : PLAIN;
}

/** Return the address of an icon with a number. */
function numbered(number) {
  const text = `<text x="10" y="15.500" font-size="${number > 9 ? 14 : 16}" font-family="sans-serif" font-weight="bold" text-anchor="middle" fill="#fff">${number}</text>`;
  const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 20"><rect width="20" height="20" rx="4" fill="#cc1122"/>${text}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(drawn)}`;
}
