/* Shortcuts of the review page, and its parts that come when they are asked for. Each key presses a button that stands
   on the page; without scripts there are the buttons, and the parts come with the page that their link leads to.
   They rest while somebody types, and can be switched off (WCAG 2.1.4); only that choice is kept, on this device. */
(() => {
  "use strict";
  const KEPT = "shortcuts-off";
  let help = document.querySelector("[data-shortcuts]");
  if (!help) return;
  const opener = document.querySelector("[data-shortcuts-open]");
  const cards = () => [...document.querySelectorAll("article.k-find, .k-name")];
  const finish = document.querySelector("#finish [value=finish]");

  const off = () => {
    try { return localStorage.getItem(KEPT) === "1"; } catch { return false; }
  };
  const keep = (on) => {
    try { on ? localStorage.removeItem(KEPT) : localStorage.setItem(KEPT, "1"); } catch { /* It holds for this page. */ }
  };
  let on = !off();
  const show = () => {
    for (const toggle of help.querySelectorAll("[name=on]")) toggle.checked = on;
    document.body.classList.toggle("has-shortcuts", on);
  };

  const open = (card) => card.querySelector("form.k-acts") !== null;
  const current = () => {
    const at = document.activeElement;
    return cards().find((card) => card.contains(at)) || cards().find(open);
  };
  /* The part of the page behind a link, put in the place of what stands here under its id. What was typed stays. */
  const fetched = async (href, here) => {
    try {
      const answer = await fetch(href.split("#")[0]);
      if (!answer.ok || answer.redirected) throw new Error();
      const part = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(here.id);
      if (!part || part.isEqualNode(here)) throw new Error();
      here.replaceWith(part);
      return part;
    } catch {
      location.assign(href);
      return null;
    }
  };
  const look = (part, block) => {
    (part?.querySelector(":scope > summary") ?? part)?.focus({ preventScroll: true });
    part?.scrollIntoView({ block });
  };
  const go = async (card) =>
    look(card?.matches(".k-name") ? await fetched(card.querySelector("a").href, card) : card, "nearest");
  const move = (step) => {
    const all = cards();
    const at = all.findIndex((card) => card.contains(document.activeElement));
    go(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)]);
  };
  const explain = async () => {
    if (!help.firstElementChild) help = await fetched(opener.dataset.shortcutsOpen, help) ?? help;
    show();
    help.showModal();
  };
  const press = (value) => current()?.querySelector(`form.k-acts [value=${value}]`)?.click();
  const focus = (name) => current()?.querySelector(`form.k-acts [name=${name}]`)?.focus();

  const acts = {
    j: () => move(1),
    k: () => move(-1),
    c: () => press("confirm"),
    a: () => press("assess"),
    x: () => focus("reason"),
    n: () => focus("note"),
    "?": explain,
  };

  document.addEventListener("keydown", (event) => {
    if (help.open || event.isComposing || event.repeat) return;
    const at = event.target;
    if (at.matches?.("form.k-acts [name=reason]")) {
      // A list cannot be sent by Enter on its own.
      if (event.key === "Enter" && !event.ctrlKey) {
        event.preventDefault();
        at.form.querySelector("[value=dismiss]").click();
      }
      if (!(event.ctrlKey && event.key === "Enter")) return;
    }
    if (!on) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      // Not out of a form that is being filled in: what was typed there would be lost.
      if (at.matches?.("textarea, #call *")) return;
      event.preventDefault();
      finish?.click();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (at.isContentEditable || at.matches?.("input:not([type=radio]):not([type=checkbox]), textarea, select")) return;
    const act = acts[event.key.toLowerCase()];
    if (!act) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("click", async (event) => {
    const link = event.target.closest?.(".k-name a, [data-whole], [data-rule], [data-answers]");
    if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const answers = document.getElementById("answers");
    if (link.matches("[data-answers]") && answers.querySelector(".k-answers")) return;
    event.preventDefault();
    const here = link.matches("[data-rule]") ? link.parentElement : link.closest(".k-name, .k-find") ?? answers;
    const part = await fetched(link.href, here);
    look(part, part?.id === "answers" ? "start" : "nearest");
  });

  opener.hidden = false;
  opener.addEventListener("click", explain);
  document.addEventListener("change", ({ target }) => {
    if (!target.matches("[data-shortcuts] [name=on]")) return;
    on = target.checked;
    keep(on);
    show();
  });
  show();
})();
