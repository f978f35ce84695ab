// The ten peers behind a model's baseline.

import { get } from "../api.js";
import { h } from "../dom.js";
import { day, integer, modelLink, number, provenance } from "../format.js";
import { table } from "../table.js";

const MEDIAN_RANKS = [5, 6];

/**
 * Returns the peers at the age that is chosen from `ages`, the latest first; null without any.
 * `choose(age)` is called when the reader chooses another.
 */
export async function peers(model, ages, chosen, choose) {
  if (!model.size_bin || !ages.length) return null;
  const age = ages.includes(chosen) ? chosen : ages[0];
  const response = await get("baselines/peers", { size_bin: model.size_bin, age_days: age });
  if (!response.data.length) return null;
  const source = provenance(response);
  const median = response.data.filter((row) => MEDIAN_RANKS.includes(row.rank)).map((row) => row.cumulative);
  const sum = response.data.length < 10
    ? `${response.data.length} of 10 peers: too few for a baseline.`
    : `1.0x is ${integer(Math.round((median[0] + median[1]) / 2))} downloads, the mean of the 5th and 6th.`;
  return [
    h(
      "form", { "aria-label": "Age of the peers", onsubmit: (event) => event.preventDefault() },
      h("label", {}, "At the age of ", h(
        "select", { name: "age", "data-name": "peers-age", onchange: (event) => choose(Number(event.target.value)) },
        ages.map((days) => h("option", { value: days, selected: days === age }, `${days} days`)),
      )),
    ),
    table({
      name: "peers",
      caption: `${sum} ${source}`,
      rows: response.data,
      columns: [
        { title: "Peer", cell: (row) => [`${row.rank}. `, row.model_id === model.model_id ? h("strong", {}, row.model_id) : modelLink(row.model_id)] },
        { title: "Released", wide: true, cell: (row) => h("span", { class: "nowrap" }, day(row.released_at)) },
        { title: `Downloads at ${age} days`, number: true, cell: (row) => number(row.cumulative, integer, source) },
      ],
    }),
  ];
}
