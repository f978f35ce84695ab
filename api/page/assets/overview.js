// The overview: breakouts, their RAM curves, shares, sources, and the pipeline.

import { get } from "./api.js";
import { curves, openShare, shares } from "./charts.js";
import { showCitation } from "./citation.js";
import { fill, h, notice, render } from "./dom.js";
import { csv } from "./figure.js";
import { addressOf, restore, SIZES, valuesOf } from "./filters.js";
import { breakoutStatus, compact, day, integer, modelPath, number, provenance, region, times, timestamp } from "./format.js";
import { subscribe } from "./live.js";
import { ramMissing } from "./ram_missing.js";
import { table } from "./table.js";
import { firstTotals } from "./totals.js";

const INITIAL_ROWS = 12;
const MAX_ROWS = 100;
const MAX_CURVES = 8;
const NO_TOKENS = { season: "The replayed season has download counters only.", invented: "No inference tokens yet." };
const filter = document.getElementById("filter");
let limit = INITIAL_ROWS;
let order = null;
let known = null;
let latest = { update: null, breakouts: null, ramByModel: new Map(), missing: new Map() };

async function loadBreakouts() {
  const breakouts = await get("breakouts", { ...valuesOf(filter), limit });
  const models = breakouts.data.map((row) => row.model_id);
  const ram = models.length ? await get("ram", { model: models, limit: MAX_ROWS }) : { data: [] };
  const ramByModel = new Map(ram.data.map((row) => [row.model_id, row]));
  const missing = await ramMissing(models.filter((model) => (ramByModel.get(model)?.ram ?? null) === null));
  latest = { ...latest, breakouts, ramByModel, missing };
}

async function noBreakouts() {
  if ([...new FormData(filter).values()].some(Boolean)) return notice("No breakouts match.");
  const ram = await get("ram", { limit: 1 });
  if (ram.data.some((row) => row.ram !== null)) return notice("No breakouts yet: no young model has passed 1.0x.");
  return (await firstTotals()) ??
    notice("No data yet. Downloads appear with the first scrape, which `breakout up` runs.");
}

function breakoutsTable() {
  const { breakouts, ramByModel } = latest;
  const source = provenance(breakouts);
  const current = (row) => ramByModel.get(row.model_id);
  const currentSource = (row) => (current(row) ? `Source: Hugging Face Hub, as of ${timestamp(current(row).as_of)}` : source);
  const isNew = (row) => known !== null && !known.has(row.model_id);
  const view = table({
    name: "breakouts",
    caption: `The latest ${breakouts.data.length} breakouts${breakouts.next && limit === MAX_ROWS ? " (more in the API)" : ""}. ${source}`,
    order,
    onorder: (newOrder) => {
      order = newOrder;
      fill("breakouts-table", breakoutsTable());
    },
    fresh: isNew,
    rows: breakouts.data,
    columns: [
      { title: "Model", cell: (row) => h("a", { href: `/models/${modelPath(row.model_id)}` }, row.model_id), sort: (row) => row.model_id.toLowerCase() },
      { title: "Region", wide: true, cell: (row) => h("span", { class: "nowrap" }, region(row.region)), sort: (row) => region(row.region) },
      { title: "Size bin", wide: true, cell: (row) => h("span", { class: "nowrap" }, row.size_bin), sort: (row) => SIZES.indexOf(row.size_bin) },
      { title: "Status", cell: (row) => breakoutStatus(row, source), sort: (row) => row.status },
      { title: "Crossed", cell: (row) => number(day(row.crossed_at), String, source), sort: (row) => row.crossed_at },
      {
        title: "At age", number: true, wide: true, sort: (row) => row.age_days,
        cell: (row) => number(row.age_days, (days) => `${days} days`, source),
      },
      { title: "RAM at crossing", number: true, wide: true, cell: (row) => number(row.ram, times, source), sort: (row) => row.ram },
      {
        title: "Capped", number: true, wide: true, sort: (row) => row.ram_capped,
        cell: (row) => number(row.ram_capped, times, source, {
          detail: row.ram_capped === null ? "Too few days" : "RAM at the crossing, each day counting with at most 10 times the median day",
        }),
      },
      {
        title: "RAM now", number: true, sort: (row) => current(row)?.ram ?? null,
        cell: (row) => number(current(row)?.ram, times, currentSource(row), {
          detail: current(row)?.ram != null
            ? `${current(row).ram} at ${current(row).age_days.toFixed(1)} days; ${current(row).peers} peers`
            : latest.missing.get(row.model_id)?.detail,
          highlight: current(row)?.ram >= 1 && row.status === "confirmed",
        }),
      },
      {
        title: "Downloads", number: true, wide: true, sort: (row) => current(row)?.cumulative ?? null,
        cell: (row) => number(current(row)?.cumulative, compact, currentSource(row), { detail: current(row) && integer(current(row).cumulative) }),
      },
      { title: "Ended", wide: true, cell: (row) => (row.ended_at ? number(day(row.ended_at), String, source) : "ongoing"), sort: (row) => row.ended_at },
    ],
  });
  const more = breakouts.next && limit === INITIAL_ROWS
    ? [h("button", { type: "button", "data-name": "more", onclick: showMore }, "Show more"), " · "]
    : [];
  return [view, h("p", {}, more, h("a", { href: csv(breakouts.self) }, "All breakouts as CSV"), " · ", h("a", { href: "/v1/ram?max_age=90&format=csv" }, "RAM of all young models as CSV"))];
}

function showMore() {
  limit = MAX_ROWS;
  known = null;
  showBreakouts();
}

async function curvesChart() {
  const models = latest.breakouts?.data.filter((row) => row.status === "confirmed").slice(0, MAX_CURVES).map((row) => row.model_id) ?? [];
  if (!models.length) return notice("No confirmed breakouts to plot.");
  const response = await get("ram/curves", { model: models, limit: 5000 });
  return curves({ name: "curves", title: `The latest ${models.length} confirmed breakouts by age`, response, models });
}

async function sharesOf(by, name, title, label) {
  const response = await get("downloads", { by, interval: "month", limit: 10000 });
  if (!response.data.some((row) => row.downloads !== null)) return notice("Shares need downloads of at least two days.");
  return shares({ name, title, response, label });
}

async function inference() {
  const response = await get("inference/share", { interval: "month" });
  if (!response.data.length) return notice(NO_TOKENS[latest.update?.simulated] ?? "No inference tokens yet: OpenRouter needs an API key (OPENROUTER_API_KEY).");
  return openShare({ name: "inference", title: "Share of open models", response });
}

async function sources() {
  const response = await get("sources");
  showCitation(latest.breakouts ?? response);
  return table({
    name: "sources",
    caption: "Sources, their latest data here, and their licences",
    rows: response.data,
    columns: [
      { title: "Source", cell: (row) => h("a", { href: row.url }, row.title) },
      { title: "Measures", wide: true, cell: (row) => row.measures },
      { title: "Latest", cell: (row) => number(row.as_of, timestamp, row.citation, { detail: row.as_of ? null : "No data yet" }) },
      { title: "Licence", wide: true, cell: (row) => row.licence },
    ],
  });
}

async function scrapes() {
  const response = await get("scrapes", { limit: 5 });
  if (!response.data.length) return notice("No scrapes yet.");
  const source = provenance(response);
  return table({
    name: "scrapes",
    caption: `The latest scrapes. ${source}`,
    rows: response.data,
    columns: [
      { title: "Scrape", cell: (row) => `${row.source}, ${timestamp(row.observed_at)}` },
      { title: "Models", number: true, cell: (row) => number(row.models, integer, source) },
      {
        title: "State",
        cell: (row) =>
          h("span", { title: source }, completeness(row)),
      },
    ],
  });
}

function completeness(scrape) {
  if (scrape.complete) return "complete";
  return scrape.missing ? `${integer(scrape.missing)} missing` : "incomplete";
}

function components() {
  const { update } = latest;
  if (!update) return notice("Unknown: no live updates from the server.");
  const rejected = update.dead_letters
    ? h("p", { class: "problem" }, `${integer(update.dead_letters)} records were rejected in the last 24 hours: see the dead-letter topic.`)
    : h("p", {}, "No records were rejected in the last 24 hours.");
  if (!update.parts.length) return [notice("No heartbeats yet."), rejected];
  return [
    table({
      name: "parts",
      caption: "Components of the pipeline",
      rows: update.parts,
      columns: [
        { title: "Component", cell: (row) => row.part },
        { title: "State", cell: (row) => (row.running ? row.state : row.state === "stopped" ? "stopped" : "no heartbeat") },
        { title: "Running", number: true, wide: true, cell: (row) => integer(row.running) },
        { title: "Last heartbeat", cell: (row) => timestamp(row.at) },
      ],
    }),
    rejected,
  ];
}

async function showBreakouts() {
  await render("breakouts-table", async () => {
    await loadBreakouts();
    return latest.breakouts.data.length ? breakoutsTable() : noBreakouts();
  });
  known = latest.breakouts && new Set(latest.breakouts.data.map((row) => row.model_id));
  await render("curves-chart", curvesChart);
}

const showComponents = () => render("parts-table", async () => components());

function onHeartbeat(update) {
  latest = { ...latest, update };
  showComponents();
}

async function refresh(update) {
  latest = { ...latest, update };
  await Promise.all([
    showBreakouts(),
    render("regions-chart", () => sharesOf("region", "regions", "By region", region)),
    render("organisations-chart", () => sharesOf("org", "organisations", "By organisation")),
    render("inference-chart", inference),
    render("scrapes-table", scrapes),
    showComponents(),
  ]);
  await render("sources-table", sources);
}

restore(filter);
filter.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("change", () => {
  history.replaceState(null, "", addressOf(valuesOf(filter)));
  known = null;
  showBreakouts();
});

subscribe(refresh, onHeartbeat);
