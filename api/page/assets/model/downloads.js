// Downloads of a model by day, with what each day rests on.

import { get } from "../api.js";
import { downloads } from "../charts.js";
import { h, notice } from "../dom.js";
import { integer, provenance, timestamp } from "../format.js";

const PERIODS = { "180": "the last 180 days, by day", all: "all, by week" };
const SHORT_DAYS = 190;
const DAY_MS = 86_400_000;

/**
 * Returns the chart. A long series is drawn by day for its last 180 days, or by week: `period` is one of `PERIODS`,
 * and `choose(period)` is called when the reader chooses another.
 */
export async function dailyDownloads(modelId, period, choose) {
  const days = await get("downloads", { model: modelId, limit: 10_000 });
  if (!days.data.some((row) => row.downloads !== null)) return firstDay(modelId);
  if (days.data.length <= SHORT_DAYS) return downloads({ name: "downloads", title: "New downloads", response: days, interval: "day" });
  const byWeek = period === "all";
  const since = new Date(Date.parse(days.data.at(-1).period) - 179 * DAY_MS).toISOString().slice(0, 10);
  const response = byWeek
    ? await get("downloads", { model: modelId, interval: "week", limit: 10_000 })
    : await get("downloads", { model: modelId, since, limit: 10_000 });
  return [
    h(
      "form", { "aria-label": "Period of the downloads", onsubmit: (event) => event.preventDefault() },
      h("label", {}, "Show ", h(
        "select", { name: "period", "data-name": "downloads-period", onchange: (event) => choose(event.target.value) },
        Object.entries(PERIODS).map(([value, label]) => h("option", { value, selected: value === (byWeek ? "all" : "180") }, label)),
      )),
    ),
    downloads({ name: "downloads", title: "New downloads", response, interval: byWeek ? "week" : "day" }),
  ];
}

async function firstDay(modelId) {
  const raw = await get("downloads", { model: modelId, series: "raw" });
  const last = raw.data.at(-1);
  if (!last) return notice("Its downloads were never observed.");
  const asOf = raw.as_of ? `, as of ${timestamp(raw.as_of)}` : "";
  return [
    notice(`${integer(last.cumulative)} downloads so far${asOf}. New downloads by day follow once a complete UTC day was observed.`),
    h("p", {}, provenance(raw)),
  ];
}
