// Live updates: the page refreshes when the server sends an event.

import { escapeInvisible, timestamp } from "./format.js";

const PAUSE_MS = 5000;
const FIRST_EVENT_MS = 1500;

/** Calls `refresh(update)` on every event; never concurrently, and with a pause in between. */
export function subscribe(refresh) {
  let update = null;
  let running = false;

  async function run() {
    if (running) return;
    running = true;
    let shown;
    do {
      shown = update;
      await refresh(shown);
      await new Promise((resume) => setTimeout(resume, PAUSE_MS));
    } while (shown !== update);
    running = false;
  }

  const stream = new EventSource("/news");
  stream.onmessage = (event) => {
    update = JSON.parse(event.data, (_name, value) => (typeof value === "string" ? escapeInvisible(value) : value));
    document.documentElement.dataset.simulated = update.simulated ?? "no";
    setStatus(update.as_of ? `${update.simulated === "season" ? "Replayed" : "Live"}: downloads as of ${timestamp(update.as_of)}` : "No data yet: waiting for the first scrape", "yes");
    run();
  };
  stream.onerror = () => setStatus("Not live: the server does not respond; reconnecting", "no");
  // Without events the page still loads once.
  setTimeout(() => update ?? run(), FIRST_EVENT_MS);
}

function setStatus(text, live) {
  const status = document.getElementById("state");
  status.dataset.live = live;
  // Only when it changes: screen readers announce every assignment.
  if (status.textContent !== text) status.textContent = text;
}
