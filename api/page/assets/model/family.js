// The family of a model: what its derivatives add to its downloads.

import { get } from "../api.js";
import { PALETTE } from "../charts.js";
import { figure } from "../figure.js";
import { h } from "../dom.js";
import { compact, integer, number, percent, provenance } from "../format.js";

/* global Plot */

const RELATIONS = ["quantized", "finetune", "adapter", "merge", "unknown"];

/** Returns downloads of derivatives by relation; null if there are none. */
export async function family(modelId) {
  const response = await get("families", { model: modelId });
  const [row] = response.data;
  if (!row?.derivatives) return null;
  const source = provenance(response);
  const rows = [["the model itself", row.own_downloads], ...RELATIONS.map((relation) => [relation, row[`${relation}_downloads`]])]
    .filter(([, downloads]) => downloads)
    .map(([name, value]) => ({ name, value, share: row.family_downloads ? value / row.family_downloads : null }));
  return [
    h("p", {}, number(row.derivatives, integer, source), " derivatives with more than 5 downloads; together with them ",
      number(row.family_downloads, integer, source), " downloads."),
    bars(rows, response),
  ];
}

function bars(rows, response) {
  const source = provenance(response);
  const draw = (width) =>
    Plot.plot({
      width,
      height: 40 + 30 * rows.length,
      marginLeft: 116,
      marginRight: 24,
      x: { label: "downloads", grid: true, tickFormat: compact, ticks: Math.max(2, Math.round(width / 160)) },
      y: { label: null, domain: rows.map((row) => row.name) },
      marks: [
        Plot.barX(rows, {
          x: "value",
          y: "name",
          fill: PALETTE[0],
          title: (row) => `${row.name}\n${integer(row.value)} downloads, ${percent(row.share)} of the family\n${source}`,
          tip: { format: { x: false, y: false } },
        }),
        Plot.ruleX([0]),
      ],
    });
  return figure({
    name: "family", title: "Downloads by relation", response, draw, rows,
    columns: [
      { title: "Relation", cell: (row) => row.name },
      { title: "Downloads", number: true, cell: (row) => integer(row.value) },
      { title: "Share of the family", number: true, cell: (row) => (row.share === null ? null : percent(row.share)) },
    ],
  });
}
