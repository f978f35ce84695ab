// The data of a comparison: facts of the models, and their lines.

import { get } from "./api.js";
import { utc } from "./charts.js";
import { ramMissing } from "./ram_missing.js";
import { find } from "./search.js";

/* global d3 */

const ROWS = 10_000;

/** Returns {response, known, unknown}: the facts of the models that exist by id, and the names nearest to the others. */
export async function lookUp(models, asOf) {
  const response = await rowsOf(models, asOf) ?? { data: [] };
  const known = new Map(response.data.map((row) => [row.model_id, row]));
  const missing = models.filter((id) => !known.has(id));
  if (!missing.length) return { response, known, unknown: new Map() };
  // One unknown name among others: look each up by itself.
  for (const found of await Promise.all(missing.map((id) => rowsOf([id], asOf)))) {
    for (const row of found?.data ?? []) known.set(row.model_id, row);
    if (found?.data.length) Object.assign(response, { ...found, data: [...response.data, ...found.data] });
  }
  const unknown = missing.filter((id) => !known.has(id));
  const nearest = await Promise.all(unknown.map((id) => find(id.slice(0, 200), "model")));
  return { response, known, unknown: new Map(unknown.map((id, index) => [id, nearest[index].map((hit) => hit.id)])) };
}

/** Returns the adoption of models, null if the API knows none of this name. */
async function rowsOf(models, asOf) {
  try {
    return await get("adoption", { model: models, as_of: asOf, limit: models.length });
  } catch (error) {
    if (error.status === 404 || error.status === 422 && models.some((id) => id.length > 200)) return null;
    throw error;
  }
}

/**
 * Returns {response, points, without}: points {model_id, age_days, at, value, row} of each model's line, and why a model
 * has no line, by its id. `known` are facts by id.
 */
export async function readLines({ measure, align, scale, since, until, as_of }, known) {
  const models = [...known.keys()];
  const response = measure === "ram"
    ? await allPages("ram/curves", { model: models, as_of })
    : await allPages("downloads", { model: models, interval: "day", since, until, as_of });
  const drawable = (point) => point.value !== null && (scale === "linear" || point.value > 0) && (align === "date" || point.age_days >= 0);
  const points = (measure === "ram" ? response.data.map(ramPoint) : response.data.map((row) => downloadsPoint(row, known.get(row.group))))
    .filter((point) => within(point.day, since, until) && drawable(point));
  const drawn = new Set(points.map((point) => point.model_id));
  const absent = models.filter((id) => !drawn.has(id));
  const missing = measure === "ram" ? await ramMissing(absent) : new Map();
  const without = new Map(absent.map((id) => [id, why(id)]));
  return { response, points, without };

  function why(id) {
    if (align === "age" && known.get(id).released_at === null) return "its release date is unknown, so that it has no age";
    const rows = response.data.filter((row) => (row.model_id ?? row.group) === id);
    if (measure === "ram" && !rows.some((row) => row.ram !== null)) return `no RAM: ${missing.get(id)?.curve_detail ?? "none is known for this moment"}`;
    return since || until ? "nothing within this period" : "its downloads were never observed";
  }
}

const ramPoint = (row) => ({ model_id: row.model_id, age_days: row.age_days, at: utc(row.as_of), day: row.as_of.slice(0, 10), value: row.ram, row });

// A day's total is that at its end, as RAM at a whole-day age is.
function downloadsPoint(row, { released_at: released }) {
  const at = d3.utcDay.offset(utc(row.period), 1);
  const age = released === null ? -1 : d3.utcDay.count(utc(released), at);
  return { model_id: row.group, age_days: age, at, day: row.period, value: row.cumulative, row };
}

const within = (day, since, until) => (!since || day >= since) && (!until || day <= until);

async function allPages(path, parameters) {
  const response = await get(path, { ...parameters, limit: ROWS });
  for (let { next } = response; next;) {
    const page = await get(path, { ...parameters, limit: ROWS, cursor: next });
    response.data.push(...page.data);
    next = page.next;
  }
  return response;
}
