// A chart of one group's share of all downloads.

import { month, timePlot, utc } from "./charts.js";
import { figure } from "./figure.js";
import { integer, percent, provenance } from "./format.js";

/* global d3, Plot */

const FINISHED = 0.95;
const COLOUR = "#2f7fc1";

/** Monthly share of `response`'s rows in those of `total`, which has one row per month and group. */
export function shareOf({ name, title, response, total }) {
  const totals = d3.rollup(total.data, (rows) => d3.sum(rows, (row) => row.downloads ?? 0), (row) => row.period);
  const rows = response.data
    .filter((row) => row.downloads !== null && totals.get(row.period))
    .map((row) => ({ ...row, month: utc(row.period), total: totals.get(row.period), share: row.downloads / totals.get(row.period) }));
  const source = provenance(response);
  const state = (row) => (row.covered < FINISHED ? " (unfinished)" : "");
  const draw = (width) =>
    timePlot(width, { label: "share of new downloads (%)", percent: true, zero: true }, [
      Plot.rectY(rows, {
        x: "month",
        y: "share",
        interval: "month",
        fill: COLOUR,
        fillOpacity: (row) => (state(row) ? 0.45 : 1),
        insetLeft: 0.5,
        insetRight: 0.5,
        title: (row) =>
          `${month(row.period)}${state(row)}\n${percent(row.share)}: ${integer(row.downloads)} of ${integer(row.total)} downloads\n${source}`,
        tip: { format: { x: false, y: false, fillOpacity: false } },
      }),
      Plot.ruleY([0]),
    ]);
  return figure({
    name, title, response, draw,
    drawn: () => rows.map(({ period, group, downloads, total, share }) => ({ month: period, group, downloads, total, share })),
    columns: [
      { title: "Month", cell: (row) => month(row.period) + state(row) },
      { title: "Share", number: true, cell: (row) => percent(row.share) },
      { title: "Downloads", number: true, cell: (row) => integer(row.downloads) },
      { title: "All tracked models", number: true, cell: (row) => integer(row.total) },
    ],
    rows: rows.toReversed(),
  });
}
