// Whether the page is live: by the age of the data and the parts that run, not by the browser's connection.

import { ago, timestamp } from "./format.js";

// Parts without which no new downloads arrive, and what they are called.
const NEEDED = { "collector:huggingface": "collector", worker: "worker" };

/**
 * Returns {state, text, age, title} of an update, `now` in milliseconds by the server's clock. `state` is live, quiet
 * (data are fresh, but a part does not run), stale, none (no data), replay or lost; `age` follows `text`.
 */
export function liveness(update, now, connected) {
  if (!update) return { state: connected ? "none" : "lost", text: connected ? "Connecting" : "No connection: the server does not respond", age: "" };
  const seconds = update.as_of ? (now - Date.parse(update.as_of)) / 1000 : null;
  const title = update.as_of ? `Downloads as of ${timestamp(update.as_of)}` : null;
  const age = seconds === null ? "" : ago(seconds);
  if (!connected) return { state: "lost", text: seconds === null ? "No connection" : "No connection: last data ", age, title };
  if (update.problem) return { state: "lost", text: `${update.problem}${seconds === null ? "" : ": last data "}`, age, title };
  if (update.simulated === "season") return { state: "replay", text: `Replay, not live: downloads as of ${timestamp(update.as_of)}`, age: "", title };
  if (update.simulated && update.as_of) return { state: "replay", text: `Demo, not live: downloads as of ${timestamp(update.as_of)}`, age: "", title };
  const stopped = Object.entries(NEEDED).filter(([part]) => !update.parts.some((one) => one.part === part && one.running)).map(([, name]) => name);
  const missing = stopped.length ? `; ${stopped.join(" and ")} not running` : "";
  if (seconds === null) return { state: "none", text: `No data yet${missing || ": waiting for the first scrape"}`, age: "", title };
  if (seconds > update.stale_after_seconds) return { state: "stale", text: "Stale: last data ", age, missing, title };
  return { state: missing ? "quiet" : "live", text: missing ? "Data of " : "Live: data of ", age, missing, title };
}
