// What a comparison shows: read from the address and written to it, so that a view can be shared.

import { escapeInvisible } from "./format.js";

/** Values of each option, the default first. */
export const OPTIONS = { align: ["age", "date"], measure: ["ram", "downloads"], scale: ["log", "linear"] };
/** As many colours can be told apart. */
export const MAX_MODELS = 9;
const DAYS = ["since", "until"];
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Returns {models, align, measure, scale, since, until, as_of, hidden} of a query string, and `problems` with it, as texts. */
export function readState(search) {
  const query = new URLSearchParams(search);
  const names = (parameter) =>
    [...new Set(query.getAll(parameter).flatMap((text) => text.split(",")).map((name) => name.trim()).filter(Boolean))];
  const problems = [];
  const state = { models: names("models"), hidden: new Set(names("hidden")), as_of: query.get("as_of") || null };
  if (state.models.length > MAX_MODELS) {
    problems.push(`Only the first ${MAX_MODELS} of ${state.models.length} models are shown: more lines cannot be told apart.`);
    state.models.length = MAX_MODELS;
  }
  for (const [name, values] of Object.entries(OPTIONS)) {
    const value = query.get(name) || values[0];
    state[name] = values.includes(value) ? value : values[0];
    if (state[name] !== value) problems.push(`Unknown ${name} “${escapeInvisible(value)}”. Choose one of: ${values.join(", ")}.`);
  }
  for (const name of DAYS) {
    const value = query.get(name) || null;
    state[name] = isDay(value) ? value : null;
    if (value !== state[name]) problems.push(`${name} is not a day: “${escapeInvisible(value)}”. Write it as YYYY-MM-DD.`);
  }
  if (isEmptyPeriod(state))
    problems.push(`The period ends on ${state.until}, before it begins on ${state.since}.`);
  return { ...state, problems };
}

export const isEmptyPeriod = ({ since, until }) => Boolean(since && until && since > until);

// JavaScript's dates accept 2026-02-31 and mean March.
const isDay = (text) => text !== null && DAY.test(text) && !Number.isNaN(Date.parse(text)) && new Date(text).toISOString().startsWith(text);

/** Returns the query string of a state, without what is default. */
export function writeState(state) {
  const ids = (models) => models.map((id) => encodeURIComponent(id).replaceAll("%2F", "/")).join(",");
  const hidden = state.models.filter((id) => state.hidden.has(id));
  const parts = [
    ["models", ids(state.models)],
    ...Object.entries(OPTIONS).map(([name, values]) => [name, state[name] === values[0] ? "" : state[name]]),
    ...[...DAYS, "as_of"].map((name) => [name, state[name] && encodeURIComponent(state[name]).replaceAll("%3A", ":")]),
    ["hidden", ids(hidden)],
  ].filter(([, value]) => value);
  return parts.length ? `?${parts.map(([name, value]) => `${name}=${value}`).join("&")}` : "";
}

/** Returns the address of a comparison of models with the defaults. */
export const comparePath = (models) =>
  `/compare${writeState({ ...readState(""), models: models.slice(0, MAX_MODELS) })}`;
