/* Shortcuts of the review page. Each presses a button that stands on the page; without scripts there are the buttons.
   They rest while somebody types, and can be switched off (WCAG 2.1.4); only that choice is kept, on this device. */
(() => {
  "use strict";
  const KEPT = "shortcuts-off";
  const help = document.querySelector("[data-shortcuts]");
  if (!help) return;
  const opener = document.querySelector("[data-shortcuts-open]");
  const toggle = help.querySelector("[name=on]");
  const cards = [...document.querySelectorAll("article.k-find")];
  const finish = document.querySelector("#finish [value=finish]");

  const off = () => {
    try { return localStorage.getItem(KEPT) === "1"; } catch { return false; }
  };
  const keep = (on) => {
    try { on ? localStorage.removeItem(KEPT) : localStorage.setItem(KEPT, "1"); } catch { /* It holds for this page. */ }
  };
  let on = !off();
  const show = () => {
    toggle.checked = on;
    document.body.classList.toggle("has-shortcuts", on);
  };

  const open = (card) => card.querySelector("form.k-acts") !== null;
  const current = () => {
    const at = document.activeElement;
    return cards.find((card) => card.contains(at)) || cards.find(open);
  };
  const go = (card) => {
    if (!card) return;
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "nearest" });
  };
  const move = (step) => {
    const at = cards.findIndex((card) => card.contains(document.activeElement));
    go(cards[at < 0 ? (step > 0 ? 0 : cards.length - 1) : Math.min(Math.max(at + step, 0), cards.length - 1)]);
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
    "?": () => help.showModal(),
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

  opener.hidden = false;
  opener.addEventListener("click", () => help.showModal());
  toggle.addEventListener("change", () => { on = toggle.checked; keep(on); show(); });
  show();
})();
