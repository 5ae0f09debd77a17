/* Keeps the banner about urgent answers true on a page that stays open. Without scripts it is as true as the page. */
(() => {
  "use strict";
  const banner = document.querySelector("[data-urgent]");
  if (!banner) return;
  const link = banner.querySelector("a");
  const look = async () => {
    if (document.hidden) return;
    try {
      const response = await fetch(banner.dataset.urgent, { headers: { Accept: "application/json" }, credentials: "same-origin", redirect: "error" });
      if (!response.ok) return;
      const { count, words } = await response.json();
      banner.hidden = count === 0;
      if (count && link.textContent !== words) link.textContent = words;
    } catch {
      // The next look may get through.
    }
  };
  setInterval(look, 20000);
  document.addEventListener("visibilitychange", look);
})();
