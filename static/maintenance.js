// Follows maintenance: brings the refusal page back when it is over, shows and hides
// #maintenance-banner on other pages, shows times in the visitor's own zone and counts down to them. Its
// settings are attributes of its own element:
//   data-url        the admin scope, if this file comes from elsewhere
//   data-refused    this is the refusal page
//   data-not-saved  what is said of what was sent, if this page is the answer to a form
//   data-dashboard  what a link to the dashboard says, for those who may see it
//   data-jitter     within how many seconds pages come back, so that not all do at once (2)
//   data-scheduled, data-pending, data-opening, data-offline  what the banner says in that phase
//   data-scheduled-at, and so on  the same where it is known when it starts, closes or is over: {time}
//   data-plan       what the banner's link to the plan for everybody says
// Pages with plans of their own listen to the event "maintenance" of the document.
// It is sent without indentation and without lines that are comments: see admin/assets.rs.
(() => {
  const script = document.currentScript;
  const { url, jitter, refused, notSaved } = script.dataset;
  const base = url ? new URL(url.replace(/\/*$/, "/"), location) : new URL("..", script.src);
  const MOST = 30000;
  // From half to one and a half times as long.
  const about = (milliseconds) => milliseconds * (0.5 + Math.random());
  let kept = {};
  try {
    kept = sessionStorage;
  } catch {
    // Not allowed.
  }

  const make = (tag, fields) => Object.assign(document.createElement(tag), fields);
  const say = (id, textContent) => {
    const place = make("div", { id, textContent });
    place.setAttribute("role", "status");
    document.body.prepend(place);
    return place;
  };

  const id = "maintenance-banner";
  let said = document.getElementById(id) ? undefined : "";
  let on;
  const show = ({ maintenance_mode, phase, start, deadline, until }) => {
    on = maintenance_mode;
    const tells = on || phase === "scheduled";
    const dateTime = start ?? deadline ?? until;
    const texts = script.dataset;
    const words = tells && ((dateTime && texts[phase + "At"]) ?? texts[phase]);
    const banner = document.getElementById(id) ?? (words && say(id, ""));
    const news = phase + dateTime;
    if (banner) {
      // What the server wrote for this very phase says more.
      if (words && said !== undefined && said !== news) {
        const [before, after] = words.split("{time}");
        banner.replaceChildren(before);
        if (after !== undefined) {
          const time = make("time", { dateTime });
          time.dataset.countdown = "";
          banner.append(time, after);
          tell();
        }
        if (texts.plan) {
          banner.append(" ", make("a", { href: new URL("plan.ics", base), textContent: texts.plan }));
        }
      }
      banner.hidden = !tells;
    }
    said = news;
  };

  const ask = (address, Accept, more) =>
    fetch(address, { headers: { Accept }, cache: "no-store", ...more });
  let timer;
  const lookIn = (milliseconds) => {
    clearTimeout(timer);
    timer = setTimeout(() => look().catch(() => {}), milliseconds);
  };
  const lookSoon = () => refused !== undefined && lookIn(Math.random() * 1000 * (jitter ?? 2));
  // Other modes may still be on, or this visitor let in by now: only this very page tells. Of what
  // was sent it tells nothing, as reading may work all the while.
  const look = async () => {
    lookIn(about(MOST));
    if (notSaved && on !== false) return;
    const page = await ask(location.href, "text/html", { method: "HEAD", redirect: "manual" });
    if (page.headers.has("X-Maintenance-Mode") || [502, 503, 504].includes(page.status)) return;
    // What only takes forms has no page to go to.
    if (notSaved && page.status >= 400) return;
    kept.maintenanceLeft = Date.now();
    if (notSaved) kept.maintenanceNote = notSaved;
    // A reload would send again what was sent.
    location.replace(location.pathname + location.search);
  };

  // Only those who may see the dashboard are told of modes.
  const showDashboard = ({ modes }) => {
    const id = "maintenance-dashboard";
    const textContent = script.dataset.dashboard;
    if (!modes || !textContent || document.getElementById(id)) return;
    (document.querySelector("main") ?? document.body).append(" ", make("a", { id, href: base, textContent }));
  };

  // A page that is refused again must not come back at once for ever.
  const isAgain = Date.now() - kept.maintenanceLeft < MOST;
  let known;
  const told = (text) => {
    const state = JSON.parse(text);
    const isNew = known && text !== known;
    known = text;
    show(state);
    showDashboard(state);
    document.dispatchEvent(new CustomEvent("maintenance", { detail: state }));
    if (isNew || (!on && !isAgain)) lookSoon();
  };

  let failures = 0;
  const connect = () => {
    const live = new URL("live", base);
    live.protocol = live.protocol.replace("http", "ws");
    const socket = new WebSocket(live);
    socket.onmessage = ({ data }) => {
      failures = 0;
      told(data);
    };
    // Without a connection /ping tells; the less often, the longer there is none.
    socket.onclose = () => {
      setTimeout(connect, about(Math.min(2000 * 2 ** failures, MOST)));
      if (failures++) {
        ask(new URL("ping", base), "application/json")
          .then((answer) => answer.text()).then(told).catch(() => {});
      }
    };
  };

  // Times, and how long it is until then. Without this they are as the server wrote them, in UTC.
  const tell = () => {
    const lang = document.documentElement.lang || undefined;
    for (const time of document.querySelectorAll("time[data-about],time[data-countdown]")) {
      const { about } = time.dataset;
      const then = new Date(time.dateTime);
      const left = Math.ceil((then - Date.now()) / 1000);
      // It is over, or this visitor's turn has come.
      if (!left) lookSoon();
      const [size, unit] = left < 120 && !about ? [1, "second"] : left < 6000 ? [60, "minute"]
        : left < 129600 ? [3600, "hour"] : [86400, "day"];
      const words = new Intl.RelativeTimeFormat(lang).formatToParts(Math.ceil(left / size), unit)
        .map(({ type, value }) => (type === "integer" && about || "") + value);
      // Nobody is read a new one each second.
      time.setAttribute("role", "timer");
      time.textContent = then.toLocaleString(lang, { dateStyle: "medium", timeStyle: "short" })
        + (left > 0 ? ` (${words.join("")})` : "");
    }
  };

  const start = () => {
    // The page's own refresh is for when this does not run.
    const refresh = document.querySelector("meta[http-equiv=refresh]");
    if (refresh) {
      stop();
      refresh.remove();
    }
    if (refused !== undefined) lookIn(about(MOST));
    else if (kept.maintenanceNote) {
      say("maintenance-note", kept.maintenanceNote);
      delete kept.maintenanceNote;
    }
    tell();
    setInterval(tell, 1000);
    connect();
  };
  if (refused === undefined || document.readyState === "complete") start();
  else addEventListener("load", start);
})();
