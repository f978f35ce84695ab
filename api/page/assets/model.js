// The page of one model: RAM, downloads, and facts with their sources.

import { get } from "./api.js";
import { curves, downloads, MILESTONES } from "./charts.js";
import { fill, h, notice, problemNotice, render } from "./dom.js";
import { breakoutStatus, compact, day, escapeInvisible, integer, modelPath, number, provenance, region, times, timestamp } from "./format.js";
import { subscribe } from "./live.js";
import { table } from "./table.js";

const MAX_DAILY_BARS = 190;
const modelId = location.pathname.split("/").slice(2, 4).map(decodeURIComponent).join("/");

function item(label, value, big = false) {
  return h("div", {}, h("span", { class: "label" }, label), h("span", { class: big ? "big" : null }, ...[value].flat()));
}

async function headline() {
  const [ram, breakouts, series] = await Promise.all([
    get("ram", { model: modelId }),
    get("breakouts", { model: modelId }),
    get("downloads", { model: modelId, interval: "month" }),
  ]);
  const [current] = ram.data;
  const [crossing] = breakouts.data;
  const source = provenance(ram);
  const total = series.data.at(-1)?.cumulative;
  return [
    item("RAM now", number(current?.ram, times, source, { detail: current ? `${current.ram}` : "No RAM, or older than a year", highlight: current?.ram >= 1 }), true),
    item("Downloads", number(total, compact, provenance(series), { detail: total == null ? "Never observed" : integer(total) }), true),
    current && item("Downloads at 1.0x", number(current.baseline_downloads && Math.round(current.baseline_downloads), compact, source,
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
  ];
}

async function curve() {
  const response = await get("ram/curves", { model: modelId });
  if (!response.data.some((row) => row.ram > 0))
    return notice("No RAM: it needs a size, a release date, and ten models of the same size bin, measured at the same age.");
  return curves({ name: "curve", title: "RAM by age", response, models: [modelId] });
}

async function milestones() {
  const response = await get("ram/milestones", { model: modelId });
  if (!response.data.length) return null;
  const source = provenance(response);
  const byAge = new Map(response.data.map((row) => [row.age_days, row]));
  return table({
    name: "milestones",
    caption: `RAM at the milestones. ${source}`,
    rows: MILESTONES.filter((age) => byAge.has(age)).map((age) => byAge.get(age)),
    columns: [
      { title: "Age", cell: (row) => `${row.age_days} days` },
      { title: "RAM", number: true, cell: (row) => number(row.ram, times, source, { detail: row.ram === null ? `Only ${row.peers} peers` : `${row.ram}`, highlight: row.ram >= 1 }) },
      { title: "Downloads", number: true, cell: (row) => number(row.cumulative, integer, source) },
      { title: "Downloads at 1.0x", number: true, wide: true, cell: (row) => number(row.baseline_downloads && Math.round(row.baseline_downloads), integer, source, { detail: `${row.peers} peers` }) },
      { title: "Date", number: true, cell: (row) => day(row.as_of) },
    ],
  });
}

async function series() {
  const days = await get("downloads", { model: modelId });
  if (!days.data.some((row) => row.downloads !== null)) return notice("New downloads need two days of observations.");
  const long = days.data.length > MAX_DAILY_BARS;
  const response = long ? await get("downloads", { model: modelId, interval: "week" }) : days;
  return downloads({ name: "downloads", title: "New downloads", response, interval: long ? "week" : "day" });
}

function facts(response) {
  const [model] = response.data;
  const source = provenance(response);
  const fact = (value, by, format = String) => number(value, format, source, { detail: by ? `By ${by}` : undefined });
  const billions = (value, by) =>
    number(value, (parameters) => `${Number(parameters.toPrecision(3))} billion`, source, { detail: value == null ? undefined : `${value} billion, by ${by}` });
  const pairs = [
    ["Organisation", fact(model.org)],
    ["Region", fact(model.region, model.region_source, region)],
    ["Size bin", fact(model.size_bin, model.size_source)],
    ["Parameters", billions(model.total_params_b, model.size_source)],
    ["Active", billions(model.active_params_b, model.size_source)],
    ["Released", fact(model.released_at, model.released_source)],
    ["Licence", fact(model.license)],
    ["Task", fact(model.pipeline_tag)],
    ["Derives from", model.base_models.length ? `${model.base_models.join(", ")} (${model.base_relation ?? "unknown"})` : "unknown"],
    ["Tracked", model.tracked ? "yes: can be a peer of other models" : "no: has RAM, but is not a peer of others"],
    ["Updated", timestamp(model.observed_at)],
  ];
  document.getElementById("badge").textContent =
    `![RAM](${location.origin}/badge/ram/${modelPath(modelId)}.svg)`;
  document.getElementById("cite").textContent = `Cite as: Breakout, ${location.href}, ${source}; method: Lambert and Brand, 2026.`;
  return pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
}

async function refresh() {
  let model;
  try {
    model = await get(`models/${modelPath(modelId)}`);
  } catch (error) {
    if (error.status !== 404) fill("headline", problemNotice(error));
    else document.querySelector("main").replaceChildren(h("h1", {}, escapeInvisible(modelId)), notice("Unknown model. Names are case-sensitive and must match Hugging Face exactly."));
    return;
  }
  await Promise.all([
    render("headline", headline),
    render("curve-chart", curve),
    render("milestones-table", milestones),
    render("downloads-chart", series),
    render("facts-list", async () => facts(model)),
  ]);
}

document.title = `${escapeInvisible(modelId)}: Breakout`;
document.getElementById("model").textContent = escapeInvisible(modelId);
subscribe(refresh);
