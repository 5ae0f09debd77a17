/* Makes lessons nicer where scripts run; nothing here is needed to read them.
   It remembers which lessons were read, in this browser alone and nothing but their names, and passes a
   lesson on. Nothing is sent anywhere. */
(() => {
  "use strict";
  const KEY = "lessons-read";
  const script = document.currentScript;

  // Private windows and full disks may refuse: then nothing is remembered.
  const readSlugs = () => {
    try {
      const found = JSON.parse(localStorage.getItem(KEY) || "[]");
      return Array.isArray(found) ? found.filter((slug) => typeof slug === "string") : [];
    } catch {
      return [];
    }
  };
  const remember = (slugs) => {
    try {
      if (slugs.length) localStorage.setItem(KEY, JSON.stringify(slugs));
      else localStorage.removeItem(KEY);
    } catch { /* not remembered */ }
  };

  // ---- A lesson's page: read once its end was seen, or once the reader went on from it
  const line = document.querySelector("[data-read]");
  if (line) {
    const { read: slug } = line.dataset;
    const show = () => { line.hidden = !readSlugs().includes(slug); };
    const mark = () => {
      if (!readSlugs().includes(slug)) remember([...readSlugs(), slug]);
      show();
    };
    const end = document.querySelector(".c-pager");
    const watch = end && "IntersectionObserver" in window && new IntersectionObserver((entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      watch.disconnect();
      mark();
    });
    if (watch) watch.observe(end);
    line.querySelector("[data-forget]").addEventListener("click", () => {
      // The end may just be coming into view; what is forgotten stays so on this page.
      if (watch) watch.disconnect();
      remember([]);
      show();
    });
    document.querySelector("main").addEventListener("click", (event) => {
      const link = event.target.closest("a[href]");
      if (link && !link.getAttribute("href").startsWith("#")) mark();
    });
    show();
  }

  // ---- Lists: what was read says so
  const word = script.dataset.word;
  if (word) {
    const known = readSlugs();
    for (const link of document.querySelectorAll("main a[href^='/learn/']")) {
      const [, slug] = link.getAttribute("href").match(/^\/learn\/([-\w]+)\/$/) || [];
      if (!known.includes(slug)) continue;
      const tag = document.createElement("span");
      tag.className = "c-tag is-done";
      tag.textContent = word;
      (link.querySelector("b") || link).append(" ", tag);
    }
  }

  // ---- Share: the address without anything that tells where the reader came from
  const share = document.querySelector("[data-share]");
  if (share) {
    const { share: url, title } = share.dataset;
    const said = share.querySelector("[role=status]");
    const ways = {
      share: navigator.share && (() => navigator.share({ title, url }).catch(() => {})),
      copy: navigator.clipboard && (() => navigator.clipboard.writeText(url).then(
        () => { said.textContent = said.dataset.copied; },
        () => { said.textContent = said.dataset.failed; },
      )),
      print: () => window.print(),
    };
    for (const button of share.querySelectorAll("[data-do]")) {
      const way = ways[button.dataset.do];
      if (!way) continue;
      button.hidden = false;
      button.addEventListener("click", way);
    }
  }
})();
