// The leaderboard: RAM by size bin, with changes of rank within a week.

import { get } from "./api.js";
import { showCitation } from "./citation.js";
import { compareLink } from "./compare_link.js";
import { h, notice, render } from "./dom.js";
import { csv } from "./figure.js";
import { addressOf, restore, SIZES, valuesOf } from "./filters.js";
import { compact, integer, modelPath, number, provenance, times, timestamp } from "./format.js";
import { subscribe } from "./live.js";
import { compared, ranked } from "./ranks.js";
import { organisationPath } from "./search.js";
import { table } from "./table.js";
import { firstTotals } from "./totals.js";

const WEEK_MS = 7 * 86_400_000;
const TOP = 10;
const MAX_ROWS = 10_000;
const filter = document.getElementById("filter");

/** Returns the RAM of 7 days before, null if nothing was measured then. */
async function weekBefore(response, values) {
  if (!response.as_of) return null;
  const asOf = new Date(Date.parse(response.as_of) - WEEK_MS).toISOString();
  const earlier = await get("ram", { ...values, as_of: asOf, limit: MAX_ROWS });
  return earlier.data.some((row) => row.ram !== null) ? earlier : null;
}

async function leaderboards(isLatest) {
  const values = valuesOf(filter);
  const response = await get("ram", { ...values, limit: MAX_ROWS });
  const bins = ranked(response.data);
  if (isLatest()) showCitation(response);
  if (!bins.size && Object.keys(values).length) return notice("No RAM yet. It needs ten models of the same size bin, observed at the same age.");
  if (!bins.size) return (await firstTotals()) ?? notice("No data yet: waiting for the first scrape.");
  const earlier = await weekBefore(response, values);
  const shown = earlier ? compared(bins, earlier.data) : bins;
  const source = provenance(response);
  const change = earlier ? `Change since ${timestamp(earlier.as_of)}. ${source}` : null;
  return [
    earlier ? null : notice("No changes of rank: there was no RAM 7 days before."),
    ...SIZES.filter((size) => shown.has(size)).map((size) => board(size, shown.get(size), { source, change, all: Boolean(values.size_bin) })),
    h("p", {}, h("a", { href: csv(response.self) }, "The leaderboard as CSV"), earlier && [" · ", h("a", { href: csv(earlier.self) }, "7 days before as CSV")]),
  ];
}

function board(size, rows, { source, change, all }) {
  const top = all ? rows : rows.slice(0, TOP);
  const name = `leaderboard-${SIZES.indexOf(size)}`;
  return h(
    "section",
    { "aria-labelledby": name },
    h("h2", { id: name }, size),
    table({
      name,
      caption: `The first ${integer(top.length)} of ${integer(rows.length)} models of ${size} with RAM. ${source}`,
      rows: top,
      columns: [
        { title: "Rank", number: true, rank: true, cell: (row) => number(row.rank, String, source) },
        ...(change ? [{ title: "Change", number: true, rank: true, cell: (row) => moved(row, change) }] : []),
        { title: "Model", header: true, cell: (row) => h("a", { href: `/models/${modelPath(row.model_id)}` }, row.model_id) },
        { title: "RAM", number: true, cell: (row) => number(row.ram, times, source, { detail: `${row.ram}; ${row.peers} peers`, highlight: row.ram >= 1 }) },
        { title: "Age", number: true, wide: true, cell: (row) => number(row.age_days, (days) => `${Math.floor(days)} days`, source) },
        { title: "Downloads", number: true, wide: true, cell: (row) => number(row.cumulative, compact, source, { detail: integer(row.cumulative) }) },
        { title: "Organisation", wide: true, cell: (row) => h("a", { href: organisationPath(row.org) }, row.org) },
      ],
    }),
    h("p", {}, rows.length > top.length ? [h("a", { href: addressOf({ size_bin: size }) }, `All ${integer(rows.length)} models of ${size}`), " "] : null, compareLink(top)),
  );
}

/** Returns by how many ranks a model rose or fell, or that it is new. */
function moved(row, source) {
  if (row.before === null) return h("span", { class: "new", title: `Not on the leaderboard 7 days before. ${source}` }, "new");
  const up = row.before - row.rank;
  const text = up > 0 ? `▲ ${up}` : up < 0 ? `▼ ${-up}` : "=";
  return number(up, () => h("span", { class: up > 0 ? "up" : up < 0 ? "down" : null }, text), source, { detail: `Rank ${row.before} then, ${row.rank} now` });
}

restore(filter);
const show = () => render("leaderboards", leaderboards);
filter.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("change", () => {
  history.replaceState(null, "", addressOf(valuesOf(filter)));
  show();
});
subscribe(show);
