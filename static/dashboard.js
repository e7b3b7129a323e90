// Makes the dashboard follow what is, and asks its questions in a dialog. Without it everything
// works all the same, by pages.
(() => {
  "use strict";
  const { base, zone } = document.body.dataset;
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;

  // The server shows times in the zone of this cookie.
  const tellZone = () => {
    if (!own || own === zone) return false;
    if (document.cookie.includes(`maintenance_zone=${own}`)) return false;
    document.cookie = `maintenance_zone=${own}; Path=${base}; Max-Age=31536000; SameSite=Lax`;
    return document.cookie.includes(`maintenance_zone=${own}`);
  };

  const page = async (address) => {
    const response = await fetch(address, { headers: { Accept: "text/html" }, cache: "no-store" });
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

  let running = false;
  let again = false;
  const refresh = async () => {
    if (running) {
      again = true;
      return;
    }
    running = true;
    try {
      const { response, page: fresh } = await page(location.href);
      // Logged out, or not allowed any more: the page itself says so.
      if (response.redirected || (response.status >= 400 && response.status < 500)) location.reload();
      else if (response.ok) exchange(fresh);
    } catch {
      // Out of reach for now; the next time may be better.
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
      // While it closes, the counts are what one waits for.
      const soon = document.querySelector(".mode.pending") || failures > 0;
      timer = setTimeout(() => {
        if (!document.hidden) refresh();
        look();
      }, soon ? 1500 : 20000);
    };
    const connect = () => {
      const socket = new WebSocket(address);
      let first = true;
      socket.onmessage = () => {
        failures = 0;
        if (!first) refresh();
        first = false;
        look();
      };
      socket.onclose = () => {
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

  const ask = async (link) => {
    let part;
    try {
      const { response, page: asked } = await page(link.href);
      part = response.ok && !response.redirected && asked.getElementById("ask");
    } catch {
      part = null;
    }
    if (!part) {
      location.href = link.href;
      return;
    }
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "question");
    dialog.append(part);
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog || event.target.closest("[data-close]")) {
        event.preventDefault();
        dialog.close();
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      document.getElementById(link.id)?.focus();
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("textarea, input:not([type=hidden]), select, button")?.focus();
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    ask(link);
  });
  // Nobody sends a form twice.
  document.addEventListener("submit", (event) => {
    const { form } = event.target.dataset;
    if (form === "sent") event.preventDefault();
    event.target.dataset.form = "sent";
  });

  const zoneTold = tellZone();
  if (document.getElementById("state")) {
    document.getElementById("live").hidden = false;
    document.getElementById("reload").hidden = true;
    if (zoneTold) location.reload();
    else follow();
  } else if (zoneTold) location.reload();
})();
