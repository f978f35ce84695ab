// The figures at the top of a model's page.

import { get } from "../api.js";
import { h } from "../dom.js";
import { breakoutStatus, compact, day, integer, number, provenance, times } from "../format.js";

function item(label, value, { big = false, note = null } = {}) {
  return h(
    "div", {},
    h("span", { class: "label" }, label),
    h("span", { class: big ? "big" : null }, ...[value].flat()),
    note && h("span", { class: "label" }, note),
  );
}

/** Returns the response with a model's total: of the daily grid, or the counter itself before its first complete day. */
async function latestTotal(modelId) {
  const grid = await get("downloads", { model: modelId, interval: "month" });
  return grid.data.length ? grid : await get("downloads", { model: modelId, interval: "month", series: "raw" });
}

/** Returns the figures; `missing` is why it has no RAM, if it has none. */
export async function headline(modelId, missing) {
  const [ram, breakouts, totals] = await Promise.all([
    get("ram", { model: modelId }),
    get("breakouts", { model: modelId }),
    latestTotal(modelId),
  ]);
  const [current] = ram.data;
  const [crossing] = breakouts.data;
  const source = provenance(ram);
  const total = totals.data.at(-1)?.cumulative;
  const why = current?.ram == null ? missing?.detail : null;
  return [
    item("RAM now", number(current?.ram, times, source, { detail: current?.ram == null ? why : `${current.ram}`, highlight: current?.ram >= 1 }),
      { big: true, note: why }),
    item("Downloads", number(total, compact, provenance(totals), { detail: total == null ? "Never observed" : integer(total) }), { big: true }),
    current?.baseline_downloads != null && item("Downloads at 1.0x", number(Math.round(current.baseline_downloads), compact, source,
      { detail: `Median of the top 10 of ${current.size_bin} at ${current.age_days.toFixed(1)} days; ${current.peers} peers` })),
    current && item("Age", number(current.age_days, (days) => `${Math.floor(days)} days`, source)),
    item("Breakout", crossing
      ? [
        breakoutStatus(crossing, provenance(breakouts)), ": ",
        number(day(crossing.crossed_at), (text) => `${text}, at ${crossing.age_days} days${crossing.ended_at ? `, ended ${day(crossing.ended_at)}` : ""}`,
          provenance(breakouts), { detail: `${crossing.ram} then, ${crossing.ram_capped ?? "unknown"} capped` }),
      ]
      : "none so far"),
    crossing && item("RAM at crossing", [
      number(crossing.ram, times, provenance(breakouts)), ", capped ",
      number(crossing.ram_capped, times, provenance(breakouts), {
        detail: crossing.ram_capped === null ? "Too few days" : "Each day counting with at most 10 times the median day",
      }),
    ]),
  ].filter(Boolean);
}
