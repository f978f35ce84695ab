// RAM of a model in a table.

import { number, times } from "./format.js";
import { ramMissing } from "./ram_missing.js";

/** Returns a function that shows the RAM of rows of `adoption`: a dash says why there is none. */
export async function ramCells(rows, source) {
  const missing = await ramMissing(rows.filter((row) => row.ram === null).map((row) => row.model_id));
  return (row) =>
    number(row.ram, times, source, {
      detail: row.ram === null ? `No RAM: ${missing.get(row.model_id)?.detail ?? "unknown"}` : terms(row),
      highlight: row.ram >= 1,
    });
}

const terms = (row) => `${row.ram} at ${row.age_days.toFixed(1)} days; ${row.peers} peers`;
