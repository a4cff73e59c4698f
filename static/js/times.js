// Keeps relative times true while a page stays open. Same wording as distribution/words.py.
const MINUTE = 60, HOUR = 3600, DAY = 86400;

export function span(seconds) {
  const s = Math.abs(Math.trunc(seconds));
  if (s < MINUTE) return "less than 1 min";
  if (s < HOUR) return `${Math.floor(s / MINUTE)} min`;
  if (s < 2 * DAY) return `${Math.floor(s / HOUR)} h`;
  if (s < 60 * DAY) return `${Math.floor(s / DAY)} days`;
  if (s < 730 * DAY) return `${Math.floor(s / (30 * DAY))} months`;
  return `${Math.floor(s / (365 * DAY))} years`;
}

export function relative(moment, now) {
  const seconds = (moment - now) / 1000;
  if (Math.abs(seconds) < MINUTE) return seconds <= 0 ? "just now" : "in less than 1 min";
  return seconds > 0 ? `in ${span(seconds)}` : `${span(seconds)} ago`;
}

// "12 min left" / "12 min overdue"
export function left(moment, now) {
  const seconds = (moment - now) / 1000;
  return seconds >= 0 ? `${span(seconds)} left` : `${span(seconds)} overdue`;
}

const WORDING = { relative, left };

function update() {
  const now = Date.now();
  for (const time of document.querySelectorAll("time[data-wording]")) {
    const word = WORDING[time.dataset.wording];
    const text = word && word(Date.parse(time.dateTime), now);
    if (text && text !== time.textContent) time.textContent = text;
  }
}

export function startTimes() {
  setInterval(() => { if (!document.hidden) update(); }, 30000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) update(); });
}
