// Numbers, timestamps, texts and sources as the page shows them.

import { h } from "./dom.js";

// Control characters, and characters that hide or reverse the text around them.
const INVISIBLE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Returns a text with invisible characters escaped, such as \\u202e. */
export const escapeInvisible = (text) =>
  text.replace(INVISIBLE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

const SOURCES = {
  huggingface: "Hugging Face Hub",
  "tracked-models": "Interconnects-AI/tracked-models",
  openrouter: "OpenRouter",
  arena: "Arena",
  "artificial-analysis": "Artificial Analysis",
  modelscope: "ModelScope",
};
const REGIONS = {
  us: "United States", china: "China", eu: "Europe", other: "Other regions", unknown: "Unknown", unreviewed: "Not reviewed",
};
const INTEGER = new Intl.NumberFormat("en");
const COMPACT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

export const sourceName = (name) => SOURCES[name] ?? name;
export const region = (name) => REGIONS[name ?? "unreviewed"] ?? name;
export const integer = (value) => INTEGER.format(value);
export const compact = (value) => COMPACT.format(value);
export const times = (value) => (value < 0.01 ? value.toPrecision(2) : value.toFixed(2)) + "x";
export const percent = (value) => `${(100 * value).toFixed(1)}%`;
export const day = (text) => text?.slice(0, 10);
export const timestamp = (text) => `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;

/** Returns the sources and the timestamp of a response in one line. */
export function provenance({ sources, as_of: asOf }) {
  return `Source: ${sources.map(sourceName).join(", ")}; ${asOf ? `as of ${timestamp(asOf)}` : "no data yet"}`;
}

/** Returns a number with `detail` and `source` as its tooltip; a missing one is a dash. */
export function number(value, format, source, { detail, highlight } = {}) {
  if (value == null) return h("span", { title: `${detail ?? "Unknown"}. ${source}` }, "–");
  const title = [detail, source].filter(Boolean).join(". ");
  return h("data", { value: String(value), title, class: highlight ? "above" : null }, format(value));
}

/** Returns the status of a breakout, with what it rests on as its tooltip. */
export function breakoutStatus(row, source) {
  const share = row.top_day_share === null ? "" : `Greatest day: ${percent(row.top_day_share)} of the downloads at the crossing. `;
  const when = row.confirmed_at ? `Confirmed on ${day(row.confirmed_at)}. ` : "";
  return h("span", { class: row.status, title: `${when}${share}${source}` }, row.status);
}

/** Returns how long ago something was, in the largest unit of which there are two: 42 s, 5 min, 3 h, 12 days. */
export function ago(seconds) {
  for (const [size, unit] of [[86_400, "days"], [3600, "h"], [60, "min"]])
    if (seconds >= 2 * size) return `${Math.round(seconds / size)} ${unit} ago`;
  return `${Math.max(0, Math.round(seconds))} s ago`;
}

export const modelPath = (modelId) => modelId.split("/").map(encodeURIComponent).join("/");
export const modelLink = (modelId) => h("a", { href: `/models/${modelPath(modelId)}` }, modelId);
