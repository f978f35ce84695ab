// Live updates: the page refreshes when the server sends an event with other figures.

import { h } from "./dom.js";
import { escapeInvisible } from "./format.js";
import { liveness } from "./liveness.js";

const PAUSE_MS = 5000;
const FIRST_EVENT_MS = 1500;
const AGE_MS = 5000;

/**
 * Calls `refresh(update)` when figures have changed; never concurrently, and with a pause in between. `onHeartbeat(update)`
 * is called on every event.
 */
export function subscribe(refresh, onHeartbeat = () => {}) {
  let update = null;
  let problem = null;
  let connected = true;
  let clockSkewMs = 0;
  let running = false;

  async function run() {
    if (running) return;
    running = true;
    let shown;
    do {
      shown = figures(update);
      await refresh(update);
      await new Promise((resume) => setTimeout(resume, PAUSE_MS));
    } while (shown !== figures(update));
    running = false;
  }

  const show = () => setStatus(liveness(problem ? { ...update, problem } : update, Date.now() + clockSkewMs, connected));
  const stream = new EventSource("/news");
  stream.onmessage = (event) => {
    const news = JSON.parse(event.data, (_name, value) => (typeof value === "string" ? escapeInvisible(value) : value));
    problem = news.problem ?? null;
    connected = true;
    clockSkewMs = Date.parse(news.sent_at) - Date.now();
    if (!problem) {
      const before = figures(update);
      update = news;
      document.documentElement.dataset.simulated = update.simulated ?? "no";
      onHeartbeat(update);
      if (figures(update) !== before) run();
    }
    show();
  };
  stream.onerror = () => {
    connected = false;
    show();
  };
  setInterval(show, AGE_MS);
  // Without figures the page still loads once, and shows why there are none.
  setTimeout(() => update ?? run(), FIRST_EVENT_MS);
}

// What an update says of figures and parts, without the times of heartbeats.
const figures = (update) =>
  JSON.stringify(update && { ...update, sent_at: null, parts: update.parts?.map(({ part, state, running }) => [part, state, running]) });

function setStatus({ state, text, age, missing = "", title }) {
  const status = document.getElementById("state");
  status.dataset.live = state;
  status.title = title ?? "";
  // Screen readers announce every change, but for that of the age.
  if (status.dataset.text !== `${text}|${missing}`) {
    status.dataset.text = `${text}|${missing}`;
    status.replaceChildren(text, h("span", { "aria-live": "off" }, age), missing);
  } else if (status.querySelector("span").textContent !== age) {
    status.querySelector("span").textContent = age;
  }
}
