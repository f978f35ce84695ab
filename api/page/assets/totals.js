// What the overview shows while no model has a RAM: totals, and where RAM comes from.

import { get } from "./api.js";
import { h } from "./dom.js";
import { compact, integer, modelLink, number, provenance } from "./format.js";
import { table } from "./table.js";

const SHOWN = 10;

/** Returns the totals as they were counted, or null if nothing was. */
export async function firstTotals() {
  const response = await get("downloads", { series: "raw", interval: "month", limit: 10_000 });
  if (!response.data.length) return null;
  const latest = new Map(response.data.map((row) => [row.group, row]));
  const rows = [...latest.values()].sort((a, b) => b.cumulative - a.cumulative);
  const source = provenance(response);
  const total = rows.reduce((sum, row) => sum + row.cumulative, 0);
  return [
    h("p", { class: "notice" },
      "No RAM yet: it compares models at the same age, so it needs the history of ten models of a size bin. ",
      ["no", "unknown"].includes(document.documentElement.dataset.simulated)
        ? ["To load past downloads, run ", h("code", {}, "breakout backfill"), "; without it, RAM appears as models age."]
        : "The demo is still replaying it."),
    h("p", {}, number(total, compact, source, { detail: integer(total) }), " downloads so far of ", number(rows.length, integer, source), " tracked models."),
    table({
      name: "totals",
      caption: `The ${Math.min(SHOWN, rows.length)} models with the most downloads. ${source}`,
      rows: rows.slice(0, SHOWN),
      columns: [
        { title: "Model", cell: (row) => modelLink(row.group) },
        { title: "Downloads", number: true, cell: (row) => number(row.cumulative, integer, source) },
      ],
    }),
  ];
}
