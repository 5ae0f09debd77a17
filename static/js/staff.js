/* Closes the menu of a phone by Escape, and before a page is left that the browser may show again.
   Keeps a page that stays open true: the banner about urgent answers, and what happened to the intake on the review
   page. Without scripts both are as true as the page, and a decision on an old page is refused when it is sent.
   Asking keeps no session alive; what somebody typed or touched since does. Once the session is over the page goes to
   the sign-in, which leads back: nothing of a patient stays on a screen that nobody sits at. */
(() => {
  "use strict";
  let touched = false;
  for (const kind of ["keydown", "pointerdown"]) document.addEventListener(kind, () => { touched = true; }, { passive: true });

  const menu = document.querySelector(".k-menu");
  if (menu) {
    addEventListener("pagehide", () => { menu.open = false; });
    menu.parentElement.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !menu.open || !event.target.closest(".k-menu, #nav-sidebar")) return;
      menu.open = false;
      menu.firstElementChild.focus();
    });
  }

  const look = async (where, show) => {
    if (document.hidden) return;
    try {
      const response = await fetch(where(), { headers: { Accept: "application/json" }, credentials: "same-origin", redirect: "manual" });
      if (response.type === "opaqueredirect") location.assign(`/staff/login/?${new URLSearchParams({ next: location.pathname + location.search })}`);
      if (response.status === 200) show(await response.json());
    } catch {
      // The next look may get through.
    }
  };
  const watch = (where, show) => {
    const again = () => look(where, show);
    const timer = setInterval(again, 20000);
    document.addEventListener("visibilitychange", again);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", again);
    };
  };

  const banner = document.querySelector("[data-urgent]");
  if (banner) {
    const link = banner.querySelector("a");
    const where = () => {
      const asked = banner.dataset.urgent + (touched ? "?here" : "");
      touched = false;
      return asked;
    };
    watch(where, ({ count, words }) => {
      banner.hidden = count === 0;
      if (count && link.textContent !== words) link.textContent = words;
    });
  }

  const news = document.querySelector("[data-news]");
  if (news) {
    let { seen } = news.dataset;
    const where = () => `${news.dataset.news}?${new URLSearchParams({ seen, back: news.dataset.back })}`;
    const stop = watch(where, (found) => {
      const link = document.createElement("a");
      link.href = found.href;
      link.textContent = found.label;
      news.hidden = false;
      news.replaceChildren(`${found.words} `, link);
      // Whatever comes after changed answers belongs to the newest version.
      if (found.seen) seen = found.seen;
      else stop();
    });
  }
})();
