/* On the clinic's tablet: a touch keeps the form open, and what stands there without one goes after 2 minutes.
   The server ends the session by itself, whether this runs or not. */
(() => {
  "use strict";
  const QUIET = 120000;
  const TELL_EVERY = 15000;
  const idle = document.querySelector("[data-idle]");
  const blank = document.querySelector("[data-blank]");
  const start = () => location.replace(blank.dataset.blank);
  let told = Date.now();
  let bell = 0;

  const touched = () => {
    if (idle && !idle.open && Date.now() - told >= TELL_EVERY) {
      told = Date.now();
      idle.querySelector("form").requestSubmit();
    }
    if (blank) {
      clearTimeout(bell);
      bell = setTimeout(start, QUIET);
    }
  };
  for (const kind of ["pointerdown", "keydown", "scroll"]) addEventListener(kind, touched, { capture: true, passive: true });
  // "Done" leaves no way back to the last answer.
  if (blank) document.addEventListener("click", (event) => {
    if (!event.target.closest(`a[href="${blank.dataset.blank}"]`)) return;
    event.preventDefault();
    start();
  });
  // Kept by the browser behind Back.
  if (blank) addEventListener("pageshow", (event) => { if (event.persisted) start(); });
  touched();
})();
