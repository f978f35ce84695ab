// Inference tokens of a model by month.

import { get } from "../api.js";
import { month, PALETTE, timePlot, utc } from "../charts.js";
import { figure } from "../figure.js";
import { compact, integer, percent, provenance } from "../format.js";

/* global Plot */

/** Returns the chart of tokens; null without any. */
export async function tokens(modelId) {
  const response = await get("inference/tokens", { model: modelId, interval: "month", limit: 1000 });
  if (!response.data.length) return null;
  const rows = response.data;
  const source = provenance(response);
  // Counts above 2^53 are BigInt, which a scale cannot take.
  const bars = rows.map((row) => ({ ...row, day: utc(row.period), height: Number(row.tokens) }));
  const draw = (width) =>
    timePlot(width, { label: "tokens per month", tickFormat: compact }, [
      Plot.rectY(bars, {
        x: "day",
        y: "height",
        interval: "month",
        insetLeft: 0.5,
        insetRight: 0.5,
        fill: PALETTE[0],
        title: (row) =>
          `${month(row.period)}\n${integer(row.tokens)} tokens\n${percent(row.share_of_open)} of all open models, rank ${row.rank}\n${source}`,
        tip: { format: { x: false, y: false } },
      }),
      Plot.ruleY([0]),
    ], { marginLeft: 56 });
  return figure({
    name: "tokens", title: "Tokens by month", response, draw, rows: rows.toReversed(),
    columns: [
      { title: "Month", cell: (row) => month(row.period) },
      { title: "Tokens", number: true, cell: (row) => integer(row.tokens) },
      { title: "Share of open models", number: true, cell: (row) => (row.share_of_open === null ? null : percent(row.share_of_open)) },
      { title: "Rank", number: true, cell: (row) => integer(row.rank) },
    ],
  });
}
