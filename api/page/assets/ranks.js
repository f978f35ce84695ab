// Ranks by RAM within each size bin, and how they changed.

/** Returns rows of RAM by size bin, in their order, with their rank. Rows without RAM have none. */
export function ranked(rows) {
  const bins = new Map();
  for (const row of rows.filter((row) => row.ram !== null)) {
    const bin = bins.get(row.size_bin) ?? [];
    bin.push({ ...row, rank: bin.length + 1 });
    bins.set(row.size_bin, bin);
  }
  return bins;
}

/** Adds `before` to ranked rows: the rank of an earlier leaderboard, null where the model was not on it. */
export function compared(bins, earlier) {
  const ranks = new Map([...ranked(earlier).values()].flat().map((row) => [`${row.size_bin} ${row.model_id}`, row.rank]));
  return new Map([...bins].map(([bin, rows]) => [bin, rows.map((row) => ({ ...row, before: ranks.get(`${bin} ${row.model_id}`) ?? null }))]));
}
