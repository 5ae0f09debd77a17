/* Makes the pre-visit form nicer where scripts run; nothing here is needed to fill it in.
   It warns before the form closes for want of use, takes two presses for one, hides questions that are not
   asked, lets an answer that stands alone clear the others, counts characters, saves while typing, and sends the
   page without losing it where the line is cut.
   The server decides everything again. Nothing is kept in the browser. */
(() => {
  "use strict";

  // ---- Two minutes before the session ends for want of use: stay?
  const idle = document.querySelector("[data-idle]");
  const WARNED = idle && idle.dataset.warn ? Number(idle.dataset.warn) : 120;
  let ends = 0;
  let bell = 0;
  let dirty = false;
  let leaving = false;
  // What could not be saved yet stays on the page: pressing the button takes it along through the date of birth.
  // On the clinic's tablet nothing stays, whatever comes of the way to its start.
  const close = () => {
    if (idle.dataset.clear) {
      leaving = true;
      dirty = false;
      document.body.replaceChildren();
      location.replace(idle.dataset.clear);
    } else if (dirty) idle.close();
    else location.replace(location.pathname + location.search);
  };
  const watch = () => {
    clearTimeout(bell);
    const left = ends - Date.now() / 1000;
    if (left <= 0) close();
    else if (left <= WARNED) {
      if (!idle.open) idle.showModal();
      bell = setTimeout(watch, left * 1000 + 500);
    } else {
      if (idle.open) idle.close();
      bell = setTimeout(watch, (left - WARNED) * 1000);
    }
  };
  const lasts = (seconds) => { if (idle) { ends = Date.now() / 1000 + seconds; watch(); } };
  if (idle) {
    const words = idle.querySelector("[role=status]");
    const told = words.textContent;
    const stay = async () => {
      const form = idle.querySelector("form");
      try {
        const answer = await fetch(form.action, { method: "POST", body: new FormData(form), credentials: "same-origin" });
        if (answer.status === 403) { close(); return; }
        lasts((await answer.json()).seconds);
        words.textContent = told;
      } catch {
        words.textContent = idle.dataset.failed;
      }
    };
    idle.addEventListener("submit", (event) => { event.preventDefault(); stay(); });
    idle.addEventListener("cancel", (event) => { event.preventDefault(); stay(); });
    // A tab in the background or a phone asleep may have slept through the bell.
    addEventListener("pageshow", watch);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) watch(); });
    lasts(Number(idle.dataset.idle));
  }

  // ---- A finger that presses twice: a second press would give up the answer to the first, which counts once
  for (const one of document.querySelectorAll("form[data-once]")) {
    let pressed = -Infinity;
    one.addEventListener("submit", (event) => {
      if (event.timeStamp - pressed < 10000) event.preventDefault();
      else pressed = event.timeStamp;
    });
  }

  const form = document.querySelector("form[data-autosave], form[data-send]");
  if (!form) return;
  const all = (selector, root = form) => [...root.querySelectorAll(selector)];

  // ---- Which questions are asked: data-when on an item, data-parts on what only holds items
  const isOff = (element) => Boolean(element.closest("[hidden]"));

  const given = (name) => all(`[name="${CSS.escape(name)}"]`)
    .filter((control) => !isOff(control) && (!/^(radio|checkbox)$/.test(control.type) || control.checked))
    .map((control) => control.value.trim())
    .filter(Boolean);

  const compare = (one, operator, two) => {
    const [a, b] = typeof two === "number" ? [Number(one), two] : [one, String(two)];
    if (Number.isNaN(a)) return false;
    return { "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b }[operator];
  };
  const equal = (one, two) => (typeof two === "number" ? Number(one) === two : one === String(two));

  const holds = ([name, operator, wanted]) => {
    const values = given(name);
    if (operator === "exists") return values.length > 0 === wanted[0];
    if (operator === "=") return values.some((value) => wanted.some((one) => equal(value, one)));
    if (operator === "!=") return !values.some((value) => equal(value, wanted[0]));
    return values.some((value) => compare(value, operator, wanted[0]));
  };

  const items = all("[data-when]").map((element) => [element, JSON.parse(element.dataset.when)]);
  const wholes = all("[data-parts]").reverse();

  const show = () => {
    // One hidden question may decide about the next, so this runs until nothing changes.
    for (let changed = true, rounds = items.length + 1; changed && rounds; rounds -= 1) {
      changed = false;
      for (const [element, { match, when }] of items) {
        const off = !(match === "any" ? when.some(holds) : when.every(holds));
        changed ||= element.hidden !== off;
        element.hidden = off;
      }
    }
    for (const whole of wholes) {
      const parts = all("[data-q]", whole);
      const empty = parts.length > 0 && parts.every((part) => part.hidden);
      whole.hidden = empty || (Boolean(whole.dataset.when) && whole.hidden);
    }
  };

  // ---- An answer that stands alone
  const alone = (box) => {
    if (box.type !== "checkbox" || !box.checked) return;
    for (const other of all(`[name="${CSS.escape(box.name)}"]`)) {
      if (other !== box && (box.matches("[data-alone]") || other.matches("[data-alone]"))) other.checked = false;
    }
  };

  // ---- How many characters are left; nothing is ever cut off
  const counters = all("[data-max]").map((control) => {
    const line = document.getElementById(`${control.id}-c`);
    const limit = Number(control.dataset.max);
    let timer = 0;
    const count = () => {
      const left = limit - [...control.value.trim().replace(/\r\n/g, "\n")].length;
      line.textContent = (left < 0 ? line.dataset.over : line.dataset.left).replace("%s", Math.abs(left).toLocaleString(document.documentElement.lang));
      line.classList.toggle("is-over", left < 0);
      if (line.dataset.near) line.hidden = left > Number(line.dataset.near);
    };
    control.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(count, 500); });
    return count;
  });

  // ---- Save while typing
  const line = form.querySelector("[role=status][data-saving]");
  const words = line.querySelector("span");
  let timer = 0;
  let wait = 2000;
  let running = null;
  // What to do when the signal is back.
  let retry = null;

  const say = (text, failed) => {
    line.classList.toggle("is-failed", failed);
    if (words.textContent !== text) words.textContent = text;
  };

  const save = async (last) => {
    clearTimeout(timer);
    if (!dirty || leaving) return;
    if (running) {
      if (!last) return;
      running.abort();
    }
    dirty = false;
    say(line.dataset.saving, false);
    const mine = new AbortController();
    running = mine;
    try {
      const response = await fetch(location.href, {
        method: "POST", body: new FormData(form), keepalive: true, signal: mine.signal,
        headers: { "X-Autosave": "1", Accept: "application/json" }, credentials: "same-origin", redirect: "error",
      });
      if (response.status >= 400 && response.status < 500) {
        // Refused, as after the session ended: trying again would not help, pressing the button will tell.
        running = null;
        say(line.dataset.refused, true);
        return;
      }
      if (!response.ok) throw new Error(String(response.status));
      const answer = await response.json();
      lasts(answer.seconds);
      wait = 2000;
      running = retry = null;
      if (dirty) later(1000);
      else say(line.dataset.saved.replace("%s", answer.saved_at), false);
    } catch {
      if (running === mine) running = null;
      if (leaving || mine.signal.aborted) return;
      dirty = true;
      say(line.dataset.unsaved, true);
      retry = () => save(false);
      later(wait);
      wait = Math.min(wait * 2, 60000);
    }
  };
  const later = (pause) => { clearTimeout(timer); timer = setTimeout(save, pause); };

  const changed = (event) => {
    if (event.target.name === "view") return;
    dirty = true;
    show();
    later(1000);
  };
  if (form.matches("[data-autosave]")) {
    form.addEventListener("input", changed);
    form.addEventListener("change", (event) => { alone(event.target); changed(event); });
    addEventListener("pagehide", () => save(true));
  }
  addEventListener("online", () => { if (retry) retry(); });

  // ---- The button: sent from the page itself, so that a line that is cut takes nothing away. One press sends
  // once; while there is no signal it is tried again, and goes on by itself when it came through.
  const show_answer = async (answer) => {
    if (answer.headers.get("Content-Type").startsWith("application/json")) {
      location.assign((await answer.json()).next);
      return;
    }
    const page = await answer.text();
    document.open();
    document.write(page);
    document.close();
  };
  const send = async (button) => {
    clearTimeout(timer);
    if (running) running.abort();
    leaving = true;
    form.classList.add("is-sending");
    say(line.dataset.saving, false);
    const data = new FormData(form);
    if (button && button.name) data.append(button.name, button.value);
    const limit = new AbortController();
    const giveUp = setTimeout(() => limit.abort(), 20000);
    try {
      const answer = await fetch(location.href, {
        method: "POST", body: data, signal: limit.signal, headers: { "X-Autosave": "continue" }, credentials: "same-origin",
      });
      if (answer.status >= 500) throw new Error(String(answer.status));
      dirty = false;
      await show_answer(answer);
    } catch {
      leaving = false;
      dirty = true;
      form.classList.remove("is-sending");
      say(line.dataset.unsaved, true);
      timer = setTimeout(() => send(button), wait);
      retry = () => send(button);
      wait = Math.min(wait * 2, 60000);
    } finally {
      clearTimeout(giveUp);
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!leaving) send(event.submitter);
  });
  // Once it could not be saved, going away would lose it, also while it is tried again.
  addEventListener("beforeunload", (event) => { if (retry && dirty) event.preventDefault(); });
  addEventListener("pageshow", () => {
    leaving = false;
    form.classList.remove("is-sending");
    show();
  });

  form.classList.add("is-live");
  counters.forEach((count) => count());
  show();
  const errors = document.querySelector(".c-errors");
  if (errors) errors.focus();
})();
