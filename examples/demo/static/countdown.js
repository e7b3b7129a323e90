"use strict";
// Shows the times of the banner in the visitor's zone, and counts down to them. Without scripts
// they stay as the server wrote them, in UTC.
for (const time of document.querySelectorAll("#maintenance-banner time")) {
  const instant = new Date(time.dateTime);
  const timer = time.nextElementSibling;
  time.textContent = instant.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
  const secondsLeft = () => Math.ceil((instant - Date.now()) / 1000);
  const show = () => {
    const left = secondsLeft();
    if (left <= 0) {
      // The server says what is now; by GET, as a reload would send again what was sent.
      location.replace(location.pathname + location.search);
      return;
    }
    const units = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]];
    const parts = units.map(([seconds, unit], place) => {
      const count = Math.floor(left / seconds) % (place ? units[place - 1][0] / seconds : Infinity);
      return count ? `${count} ${unit}` : "";
    });
    timer.textContent = `, in ${parts.filter(Boolean).slice(0, 2).join(" ")}`;
    setTimeout(show, 1000);
  };
  // A time that is past already, by a clock that is fast, would make it reload for ever.
  if (secondsLeft() > 0) show();
}
