// Ratings of a model on external leaderboards.

import { get } from "../api.js";
import { h } from "../dom.js";
import { integer, number, provenance, sourceName } from "../format.js";
import { table } from "../table.js";

const rating = (value) => String(Math.round(10 * value) / 10);

/** Returns the latest rating of each leaderboard; null without any. */
export async function ratings(modelId) {
  const response = await get("leaderboards", { model: modelId, limit: 1000 });
  const latest = new Map();
  for (const row of response.data) {
    const key = JSON.stringify([row.source, row.board, row.index_version, row.name]);
    if (!latest.has(key)) latest.set(key, row);
  }
  if (!latest.size) return null;
  const source = provenance(response);
  return table({
    name: "ratings",
    caption: `Ratings as last published. Those of different leaderboards and versions are not comparable. ${source}`,
    rows: [...latest.values()],
    columns: [
      { title: "Leaderboard", cell: (row) => `${sourceName(row.source)}, ${row.board}${row.index_version && ` ${row.index_version}`}` },
      { title: "Name there", wide: true, cell: (row) => row.name },
      { title: "Rating", number: true, cell: (row) => number(row.rating, rating, source) },
      { title: "95% interval", number: true, wide: true, cell: (row) => (row.lower === null ? null : `${rating(row.lower)} to ${rating(row.upper)}`) },
      { title: "Votes", number: true, wide: true, cell: (row) => (row.votes === null ? null : number(row.votes, integer, source)) },
      { title: "Published", number: true, cell: (row) => h("span", { class: "nowrap" }, row.published_on) },
    ],
  });
}
