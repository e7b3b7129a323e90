// Makes the dashboard follow what is, and asks its questions in a dialog. Without it everything
// works all the same, by pages.
(() => {
  "use strict";
  const { base, zone } = document.body.dataset;
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  // How long an answer may take before the server counts as out of reach; a change may take longer.
  const PATIENCE = 8000;
  const PATIENCE_OF_CHANGE = 60000;
  const OFTEN = 1500;
  const SELDOM = 20000;

  // The server shows times in the zone of this cookie.
  const tellZone = () => {
    if (!own || own === zone) return false;
    if (document.cookie.includes(`maintenance_zone=${own}`)) return false;
    document.cookie = `maintenance_zone=${own}; Path=${base}; Max-Age=31536000; SameSite=Lax`;
    return document.cookie.includes(`maintenance_zone=${own}`);
  };

  // As the server writes times: 2026-11-25 22:00, and with seconds if so wanted.
  const written = (instant, inZone, length) =>
    new Date(instant).toLocaleString("sv-SE", { timeZone: inZone }).slice(0, length);

  const page = async (address, more = {}) => {
    const response = await fetch(address, {
      headers: { Accept: "text/html" },
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE),
      ...more,
    });
    const text = await response.text();
    return { response, page: new DOMParser().parseFromString(text, "text/html") };
  };

  // What is live is exchanged where it has changed; what has the focus keeps it.
  const exchange = (fresh) => {
    const headline = document.querySelector("#headline")?.textContent;
    for (const old of document.querySelectorAll("[data-live]")) {
      const other = fresh.getElementById(old.id);
      if (!other || old.innerHTML === other.innerHTML) continue;
      const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
      for (const details of old.querySelectorAll("details[open]")) {
        fresh.getElementById(details.id)?.setAttribute("open", "");
      }
      old.replaceChildren(...other.childNodes);
      if (focused) {
        (document.getElementById(focused) ?? document.getElementById("main")).focus();
      }
    }
    const now = document.querySelector("#headline")?.textContent;
    if (now !== headline) {
      document.title = fresh.title;
      const lead = document.querySelector("#lead")?.textContent ?? "";
      document.querySelector("#announcer").textContent = `${now}. ${lead}`;
    }
  };

  // Whether the server answers. What is shown is of the last time that it did.
  let reachedAt = Date.now();
  let isReached = true;
  const tellIfReached = (answers) => {
    if (answers) reachedAt = Date.now();
    if (answers === isReached) return;
    isReached = answers;
    const note = document.getElementById("unreached");
    if (!note) return;
    const [before, after] = note.dataset.since.split("[time]");
    const time = document.createElement("time");
    time.dateTime = new Date(reachedAt).toISOString();
    time.textContent = written(reachedAt, zone, 19);
    note.querySelector("p").replaceChildren(before, time, after);
    note.hidden = answers;
    document.body.classList.toggle("stale", !answers);
    document.getElementById("live").hidden = !answers;
  };

  let running = false;
  let again = false;
  const refresh = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      const { response, page: fresh } = await page(location.href, { redirect: "manual" });
      // Logged out, or not allowed any more: the page itself says so. Not while somebody writes.
      const isOut = response.type === "opaqueredirect" || (response.status >= 400 && response.status < 500);
      tellIfReached(isOut || response.ok);
      if (response.ok) exchange(fresh);
      else if (isOut && !document.querySelector("dialog[open]")) location.reload();
    } catch {
      // Out of reach for now; the next time may be better.
      tellIfReached(false);
    }
    running = false;
    if (again) {
      again = false;
      refresh();
    }
  };

  const follow = () => {
    const address = new URL(`${base}/live`, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    let failures = 0;
    let timer;
    const look = () => {
      clearTimeout(timer);
      // While it closes or opens, the counts are what one waits for.
      const soon = document.querySelector(".mode.pending,.mode.opening") || failures > 0 || !isReached;
      timer = setTimeout(() => {
        if (!document.hidden) refresh();
        look();
      }, soon ? OFTEN : SELDOM);
    };
    const connect = () => {
      const socket = new WebSocket(address);
      let first = failures === 0;
      socket.onmessage = () => {
        failures = 0;
        if (!first) refresh();
        first = false;
        look();
      };
      socket.onclose = () => {
        // Whether it is gone or only this connection, the page itself tells, at once.
        if (failures === 0) refresh();
        failures += 1;
        look();
        setTimeout(connect, Math.min(60000, 1000 * 2 ** failures) * (0.5 + Math.random()));
      };
    };
    connect();
    look();
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) refresh();
    });
  };

  // Says in a form what has become of it.
  const complain = (form, text, link) => {
    const ask = form.closest("#ask");
    let fault = ask.querySelector("#fault");
    if (!fault) {
      fault = document.createElement("div");
      fault.id = "fault";
      fault.className = "alert";
      fault.setAttribute("role", "alert");
      fault.tabIndex = -1;
      ask.querySelector("#question").after(fault);
    }
    fault.textContent = text;
    if (link) fault.append(" ", link);
    fault.focus();
  };

  // What was written in a form that was left without being sent, by the address of the form.
  const drafts = new Map();
  const fields = (form) => [...form.elements].filter((field) => field.name && field.type !== "hidden");
  const keep = (form, address) => {
    const draft = fields(form)
      .filter((field) => field.value !== (field.defaultValue ?? "") || field.checked !== field.defaultChecked)
      .map((field) => [field.id, field.value, field.checked]);
    drafts.set(address, draft);
  };
  const restore = (form, address) => {
    for (const [id, value, checked] of drafts.get(address) ?? []) {
      const field = form.querySelector(`#${CSS.escape(id)}`);
      if (!field) continue;
      if (field.type === "checkbox" || field.type === "radio") field.checked = checked;
      else field.value = value;
    }
  };

  // A local time such as 2026-11-25T22:00 of a zone, as an instant.
  const instantOf = (local, inZone) => {
    const asUtc = Date.parse(`${local}Z`);
    let instant = asUtc;
    for (let turn = 0; turn < 2; turn += 1) {
      const shown = Date.parse(`${written(instant, inZone, 19).replace(" ", "T")}Z`);
      instant += asUtc - shown;
    }
    return instant;
  };

  // Times of a form in another zone than the reader's are shown in theirs, too; and what a rhythm
  // leaves out is told when it does.
  const explain = (form) => {
    const inZone = form.elements.zone?.value;
    for (const hint of form.querySelectorAll("[data-own]")) {
      const local = form.elements[hint.dataset.own].value;
      const isTold = own && inZone && inZone !== own && local && !Number.isNaN(Date.parse(`${local}Z`));
      hint.hidden = !isTold;
      if (isTold) {
        hint.textContent = hint.dataset.text
          .replace("[time]", written(instantOf(local, inZone), own, 16))
          .replace("[zone]", own);
      }
    }
    const omitted = form.querySelector("[data-omitted]");
    if (omitted) {
      const day = Number(form.elements.start.value.slice(8, 10));
      omitted.hidden = form.elements.repeat.value !== "monthly" || !(day > 28);
      omitted.textContent = omitted.dataset.omitted.replace("[day]", String(day));
    }
    const until = form.querySelector("#until-time");
    if (until) until.hidden = form.elements.end.value !== "at";
  };

  const settle = (form) => {
    if (form) explain(form);
  };

  const ask = async (link) => {
    let part;
    try {
      const { response, page: asked } = await page(link.href, { redirect: "manual" });
      part = response.ok && asked.getElementById("ask");
    } catch {
      // The page that is here says more than one that cannot be had.
      tellIfReached(false);
      return;
    }
    if (!part) {
      location.href = link.href;
      return;
    }
    const address = link.href;
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "question");
    dialog.append(part);
    const form = () => dialog.querySelector("form");
    restore(form(), address);
    settle(form());
    dialog.addEventListener("click", (event) => {
      if (!event.target.closest("[data-close]")) return;
      event.preventDefault();
      drafts.delete(address);
      dialog.close("left");
    });
    dialog.addEventListener("close", () => {
      // By a key, say. What was written comes again.
      if (!dialog.returnValue) keep(form(), address);
      else drafts.delete(address);
      dialog.remove();
      document.getElementById(link.id)?.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("textarea, input:not([type=hidden]), select, button")?.focus();
  };

  // Sends a form, and stays with it unless it was taken: nothing that was written is lost.
  const send = async (form, button) => {
    const texts = document.body.dataset;
    const fresh = new URLSearchParams(new FormData(form, button));
    const goals = fresh.get("next") ? [fresh.get("next")] : [`${base}/`, "/"];
    let answer;
    try {
      answer = await page(form.action, {
        method: "POST",
        body: fresh,
        signal: AbortSignal.timeout(PATIENCE_OF_CHANGE),
      });
    } catch {
      complain(form, texts.unsent);
      return;
    }
    const { response, page: got } = answer;
    const dialog = form.closest("dialog");
    const at = new URL(response.url);
    const goal = goals.find((goal) => new URL(goal, location.href).pathname === at.pathname);
    if (response.redirected && goal) {
      if (dialog && got.getElementById("state")) {
        dialog.close("sent");
        tellIfReached(true);
        exchange(got);
      } else location.assign(goal);
      return;
    }
    if (response.redirected) {
      // To where one logs in.
      const link = document.createElement("a");
      link.href = at.href;
      link.target = "_blank";
      link.textContent = texts.logIn;
      complain(form, texts.loggedOut, link);
      return;
    }
    const part = got.getElementById("ask");
    if (part) {
      form.closest("#ask").replaceWith(part);
      settle(part.querySelector("form"));
      part.querySelector("#fault")?.focus();
      return;
    }
    const said = [...got.querySelectorAll("main h1, main p")].map((element) => element.textContent.trim());
    complain(form, said.join(" – ") || texts.unsent);
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    ask(link);
  });
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    // What is only looked at goes its own way, and follows what is chosen from then on.
    if (event.submitter?.formTarget) event.submitter.dataset.shown = "";
    if (event.submitter?.formTarget || form.method !== "post") return;
    event.preventDefault();
    // Nobody sends a form twice at a time.
    if (form.hasAttribute("aria-busy")) return;
    form.setAttribute("aria-busy", "true");
    try {
      await send(form, event.submitter);
    } finally {
      form.removeAttribute("aria-busy");
    }
  });
  document.addEventListener("change", (event) => {
    event.target.closest(".preview")?.querySelector("[data-shown]")?.click();
  });
  for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
      const form = event.target.closest("#ask form");
      if (form) explain(form);
    });
  }
  // A page that comes back from the browser's memory is of then.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted && document.getElementById("state")) refresh();
  });

  settle(document.querySelector("#ask form"));
  const zoneTold = tellZone();
  if (document.getElementById("state")) {
    document.getElementById("live").hidden = false;
    document.getElementById("reload").hidden = true;
    if (zoneTold) location.reload();
    else follow();
  } else if (zoneTold && !document.getElementById("fault")) location.reload();
})();
