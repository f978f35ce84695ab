// Rivals: models of the same size bin that were released at about the same time.

import { get } from "../api.js";
import { MILESTONES } from "../charts.js";
import { h } from "../dom.js";
import { day, modelLink, number, provenance, times } from "../format.js";
import { table } from "../table.js";

const WINDOW_DAYS = 45;
const MAX_RIVALS = 5;
const MAX_CANDIDATES = 100;
const DAY_MS = 86_400_000;

const shifted = (date, days) => new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);

/**
 * Returns {models, age, response}: up to five tracked models with the highest RAM at `age`, the greatest milestone that
 * the model itself has reached; null without any. `milestones` are the model's own.
 */
export async function findRivals(model, milestones) {
  if (!model.size_bin || !model.released_at) return null;
  const candidates = await get("models", {
    size_bin: model.size_bin,
    tracked: true,
    released_from: shifted(model.released_at, -WINDOW_DAYS),
    released_to: shifted(model.released_at, WINDOW_DAYS),
    limit: MAX_CANDIDATES,
  });
  const released = new Map(candidates.data.map((row) => [row.model_id, row.released_at]));
  released.delete(model.model_id);
  if (!released.size) return null;
  const response = await get("ram/milestones", { model: [...released.keys()], limit: MILESTONES.length * MAX_CANDIDATES });
  const reached = milestones.filter((row) => row.ram !== null).map((row) => row.age_days);
  const age = Math.max(MILESTONES[0], ...reached);
  const rows = response.data.filter((row) => row.age_days === age && row.ram !== null).sort((a, b) => b.ram - a.ram).slice(0, MAX_RIVALS);
  if (!rows.length) return null;
  return { models: rows.map((row) => row.model_id), rows, age, released, response };
}

/** Returns the table of rivals. */
export function rivalsTable(model, { rows, age, released, response }) {
  const source = provenance(response);
  return table({
    name: "rivals",
    caption: `Rivals: the models with the highest RAM at ${age} days, of ${model.size_bin} and released within ${WINDOW_DAYS} days. ${source}`,
    rows,
    columns: [
      { title: "Rival", cell: (row) => modelLink(row.model_id) },
      { title: "Released", cell: (row) => h("span", { class: "nowrap" }, day(released.get(row.model_id))) },
      { title: `RAM at ${age} days`, number: true, cell: (row) => number(row.ram, times, source, { detail: `${row.ram}`, highlight: row.ram >= 1 }) },
    ],
  });
}
