// Follows maintenance: brings the refusal page back when it is over, and shows and hides
// #maintenance-banner on other pages. All of its settings are attributes of its own element:
//   data-url      the admin scope, if this file comes from elsewhere
//   data-refused  this is the refusal page
//   data-jitter   within how many seconds pages come back, so that not all do at once (2)
//   data-scheduled, data-pending, data-offline  what the banner says in that phase
// Pages with plans of their own listen to the event "maintenance" of the document.
(() => {
  "use strict";
  const script = document.currentScript;
  const { url, jitter, refused } = script.dataset;
  const base = url === undefined
    ? new URL("..", script.src)
    : new URL(url.replace(/\/*$/, "/"), location.href);
  const live = new URL("live", base);
  live.protocol = live.protocol.replace("http", "ws");
  const id = "maintenance-banner";
  const LONGEST_PAUSE = 30000;
  // From half to one and a half times as long.
  const about = (milliseconds) => milliseconds * (0.5 + Math.random());

  let phase = document.getElementById(id) ? undefined : "online";
  const show = (state) => {
    const on = state.maintenance_mode || state.phase === "scheduled";
    const words = script.dataset[state.phase];
    let banner = document.getElementById(id);
    if (!banner && on && words) {
      banner = document.createElement("div");
      banner.id = id;
      banner.setAttribute("role", "status");
      document.body.prepend(banner);
    }
    if (banner) {
      // What the server has written for this very phase says more.
      if (on && words && phase !== undefined && phase !== state.phase) banner.textContent = words;
      banner.hidden = !on;
    }
    phase = state.phase;
  };

  // Other modes may still be on, or this visitor let in by now: only this very page tells.
  let timer;
  const look = async () => {
    lookIn(about(LONGEST_PAUSE));
    try {
      const page = await fetch(location.href, {
        method: "HEAD",
        headers: { Accept: "text/html" },
        cache: "no-store",
        redirect: "manual",
      });
      const out = page.status >= 502 && page.status <= 504;
      if (!page.headers.has("X-Maintenance-Mode") && !out) location.reload();
    } catch {
      // Out of reach: again later.
    }
  };
  const lookIn = (milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(look, milliseconds);
  };

  // A page that is still refused when it comes back must not come back at once for ever.
  const reloaded = performance.getEntriesByType("navigation")[0]?.type === "reload";
  let known;
  const told = (state) => {
    const text = JSON.stringify(state);
    const news = known !== undefined && text !== known;
    known = text;
    show(state);
    document.dispatchEvent(new CustomEvent("maintenance", { detail: state }));
    if (refused === undefined) return;
    if (news || (!state.maintenance_mode && !reloaded)) lookIn(Math.random() * 1000 * (jitter ?? 2));
  };

  const ask = async () => {
    try {
      const answer = await fetch(new URL("ping", base), {
        headers: { Accept: "application/json" },
        cache: "no-store",
      });
      told(await answer.json());
    } catch {
      // Out of reach: the next time may be better.
    }
  };

  let failures = 0;
  const connect = () => {
    let socket;
    try {
      socket = new WebSocket(live);
    } catch {
      again();
      return;
    }
    socket.onmessage = (message) => {
      failures = 0;
      told(JSON.parse(message.data));
    };
    socket.onclose = again;
  };
  // Without a connection, /ping tells; the less often, the longer there is none.
  const again = () => {
    if (failures > 0) ask();
    failures += 1;
    setTimeout(connect, about(Math.min(1000 * 2 ** failures, LONGEST_PAUSE)));
  };

  if (refused !== undefined) lookIn(about(LONGEST_PAUSE));
  connect();
})();
