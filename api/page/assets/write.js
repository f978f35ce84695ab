// Elements, numbers and moments as the page writes them.

/** Returns an element. Children that are null are left out; texts are never read as HTML. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

// Controls, and what turns or hides the text around it.
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Returns a text from outside with what is not seen in it written out, such as \\u202e. */
export const visible = (text) => text.replace(UNSEEN, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);

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
const WHOLE = new Intl.NumberFormat("en");
const SHORT = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });

export const region = (name) => REGIONS[name ?? "unreviewed"] ?? name;
export const whole = (value) => WHOLE.format(value);
export const short = (value) => SHORT.format(value);
export const times = (value) => (value < 0.01 ? value.toPrecision(2) : value.toFixed(2)) + "x";
export const percent = (value) => `${(100 * value).toFixed(1)}%`;
export const day = (text) => text?.slice(0, 10);
export const moment = (text) => (text ? `${text.slice(0, 10)} ${text.slice(11, 16)} UTC` : "never");

/** Returns where an answer's numbers come from and of when they are, in a line. */
export function provenance({ sources, as_of: asOf }) {
  return `Source: ${sources.map((name) => SOURCES[name] ?? name).join(", ")}; as of ${moment(asOf)}`;
}

/** Returns a number that says on hover where it comes from; a missing one is a dash, and says so. */
export function number(value, write, from, { more, above } = {}) {
  if (value == null) return h("span", { title: `${more ?? "Not known"}. ${from}` }, "–");
  const said = [more, from].filter(Boolean).join(". ");
  return h("data", { value: String(value), title: said, class: above ? "above" : null }, write(value));
}

export function link(modelId) {
  const [org, ...name] = modelId.split("/");
  return h("a", { href: `/models/${encodeURIComponent(org)}/${encodeURIComponent(name.join("/"))}` }, modelId);
}

/** Replaces what an element has; the focus stays where it was, by the name of what had it. */
export function fill(id, ...children) {
  const place = document.getElementById(id);
  const focused = place.contains(document.activeElement) ? document.activeElement.dataset.name : null;
  const opened = [...place.querySelectorAll("details[open]")].map((one) => one.dataset.name);
  place.replaceChildren(...children.flat().filter((child) => child != null));
  for (const name of opened) place.querySelector(`details[data-name="${name}"]`)?.setAttribute("open", "");
  if (focused) place.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
}

export const nothing = (text) => h("p", { class: "nothing" }, text);
export const problem = (error) => h("p", { class: "problem", role: "alert" }, `Not shown: ${error.message}.`);

/** Draws a part of the page anew; what goes wrong in it is said in its place. */
export async function part(id, draw) {
  try {
    fill(id, await draw());
  } catch (error) {
    fill(id, problem(error));
    // What is no answer of the server is a mistake of ours, for the console.
    if (error.status === undefined) throw error;
  }
}
