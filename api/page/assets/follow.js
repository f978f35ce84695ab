// Live: what the page shows is asked for again when the server says that something is new.

import { moment, visible } from "./write.js";

const PAUSE_MS = 5000;
const FALLBACK_AFTER_MS = 1500;

/** Calls `refresh(news)` whenever there are news, never again before it has ended and a pause. */
export function follow(refresh) {
  let news = null;
  let running = false;

  async function run() {
    if (running) return;
    running = true;
    let shown;
    do {
      shown = news;
      await refresh(shown);
      await new Promise((resume) => setTimeout(resume, PAUSE_MS));
    } while (shown !== news);
    running = false;
  }

  const stream = new EventSource("/news");
  stream.onmessage = (event) => {
    news = JSON.parse(event.data, (_name, value) => (typeof value === "string" ? visible(value) : value));
    document.documentElement.dataset.simulated = news.simulated ? "yes" : "no";
    say(`Live: downloads as of ${moment(news.as_of)}`, "yes");
    run();
  };
  stream.onerror = () => say("Not live: the server does not answer; this page tries again", "no");
  // Without news the page is only not live.
  setTimeout(() => news ?? run(), FALLBACK_AFTER_MS);
}

function say(text, live) {
  const state = document.getElementById("state");
  state.dataset.live = live;
  // Said again only when it changes, for those who hear it.
  if (state.textContent !== text) state.textContent = text;
}
