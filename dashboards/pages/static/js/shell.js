// The script of every page: registers the service worker, and keeps the scroll position when the language changes.

import "./installed_page.js";
import "./user_name.js";

for (const link of document.querySelectorAll("a[data-lang]")) {
  link.addEventListener("click", () => {
    const here = new URL(location.href);
    here.searchParams.set("lang", link.dataset.lang);
    link.href = here.pathname + here.search;
  });
}
const here = new URL(location.href);
if (here.searchParams.has("lang")) { // Kept in a cookie by now: an address sent to a colleague shall not choose for them.
  here.searchParams.delete("lang");
  history.replaceState(null, "", here);
}
