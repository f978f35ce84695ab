// RAM of a model in a table.

import { number, times } from "./format.js";

const MAX_AGE_DAYS = 365;

/** Returns the RAM of a row of `adoption`, or a dash that says why there is none. */
export function ramCell(row, source) {
  return number(row.ram, times, source, { detail: row.ram === null ? missing(row) : terms(row), highlight: row.ram >= 1 });
}

const terms = (row) => `${row.ram} at ${row.age_days.toFixed(1)} days; ${row.peers} peers`;

function missing(row) {
  if (row.size_bin === null) return "No RAM: its size is unknown or disputed";
  if (row.released_at === null) return "No RAM: its release date is unknown";
  if (row.downloads === null) return "No RAM: it was never observed";
  if (row.peers !== null) return `No RAM: ${row.peers} of 10 peers`;
  const age = (Date.parse(row.as_of) - Date.parse(`${row.released_at}T00:00:00Z`)) / 86_400_000;
  return age > MAX_AGE_DAYS ? "No RAM: older than a year" : "No RAM: not observed for a whole day yet";
}
