// The page of one organisation: its releases, its share of downloads, families, and models.

import { get } from "./api.js";
import { curves } from "./charts.js";
import { showCitation } from "./citation.js";
import { fill, h, problemNotice } from "./dom.js";
import { csv } from "./figure.js";
import { compact, day, escapeInvisible, integer, modelPath, number, provenance, region, times } from "./format.js";
import { subscribe } from "./live.js";
import { ramCells } from "./ram_cell.js";
import { find, nothingFound } from "./search.js";
import { renderSection } from "./sections.js";
import { shareOf } from "./share_chart.js";
import { table } from "./table.js";

const MAX_CURVES = 9;
const MAX_MODELS = 1000;
const MAX_ROWS = 100;
const org = decodeURIComponent(location.pathname.split("/")[2]);
const modelLink = (row) => h("a", { href: `/models/${modelPath(row.model_id)}` }, row.model_id);

function item(label, value) {
  return h("div", {}, h("span", { class: "label" }, label), h("span", { class: "big" }, value));
}

function headline(organisation, models, breakouts) {
  const [row] = organisation.data;
  const source = provenance(models);
  const [best] = models.data;
  const downloads = models.data.every((model) => model.downloads === null) ? null : models.data.reduce((sum, model) => sum + (model.downloads ?? 0), 0);
  return [
    item("Region", number(row.region, region, provenance(organisation), { detail: row.region === null ? "Not reviewed" : null })),
    item("Models", number(row.models, integer, provenance(organisation), { detail: `${integer(row.tracked)} tracked` })),
    item("Downloads", number(downloads, compact, source, { detail: downloads === null ? "Never observed" : integer(downloads) })),
    item("Highest RAM now", best.ram === null ? "none" : h("a", { href: `/models/${modelPath(best.model_id)}` }, number(best.ram, times, source, { detail: best.model_id, highlight: best.ram >= 1 }))),
    item("Breakouts", number(breakouts.data.length, integer, provenance(breakouts), { detail: "Confirmed ones" })),
  ];
}

/** Returns a chart of the latest releases that have RAM at some age, null without any. */
async function releases() {
  const released = await get("adoption", { org, sort: "released", limit: MAX_ROWS });
  const latest = released.data.filter((row) => row.size_bin !== null && row.released_at !== null && row.downloads !== null);
  const models = latest.slice(0, MAX_CURVES).map((row) => row.model_id);
  if (!models.length) return null;
  const response = await get("ram/curves", { model: models, limit: 5000 });
  const drawn = models.filter((model) => response.data.some((row) => row.model_id === model && row.ram > 0));
  if (!drawn.length) return null;
  const title = latest.length > models.length ? `The latest ${models.length} releases by age` : "Releases by age";
  return curves({ name: "releases", title, response, models: drawn });
}

async function share() {
  const [response, total] = await Promise.all([
    get("downloads", { by: "org", org, interval: "month" }),
    get("downloads", { by: "region", interval: "month", limit: 10_000 }),
  ]);
  if (!response.data.some((row) => row.downloads !== null)) return null;
  return shareOf({ name: "share", title: `Share of ${org}`, response, total });
}

async function families() {
  const response = await get("families", { org, limit: MAX_MODELS });
  const rows = response.data.filter((row) => row.derivatives > 0);
  if (!rows.length) return null;
  const source = provenance(response);
  const sum = (title, field, wide) => ({ title, number: true, wide, cell: (row) => number(row[field], compact, source, { detail: row[field] === null ? "Never observed" : integer(row[field]) }) });
  return [
    table({
      name: "families",
      caption: `Families of ${rows.length} models. ${source}`,
      rows,
      columns: [
        { title: "Model", cell: modelLink },
        { title: "Derivatives", number: true, cell: (row) => number(row.derivatives, integer, source) },
        sum("Own downloads", "own_downloads"),
        sum("Quantized", "quantized_downloads", true),
        sum("Finetunes", "finetune_downloads", true),
        sum("Adapters", "adapter_downloads", true),
        sum("Merges", "merge_downloads", true),
        sum("Family", "family_downloads"),
      ],
    }),
    h("p", {}, h("a", { href: csv(response.self) }, "Families as CSV")),
  ];
}

async function modelsTable(response) {
  const source = provenance(response);
  const rows = response.data.slice(0, MAX_ROWS);
  const ramCell = await ramCells(rows, source);
  return [
    table({
      name: "models",
      caption: `${rows.length < response.data.length ? "The first " : ""}${rows.length} models by RAM. ${source}`,
      rows,
      columns: [
        { title: "Model", cell: modelLink },
        { title: "Size bin", wide: true, cell: (row) => h("span", { class: "nowrap" }, row.size_bin ?? "unknown") },
        { title: "Released", wide: true, cell: (row) => number(day(row.released_at), String, source, { detail: row.released_at ? null : "Release date unknown" }) },
        { title: "RAM", number: true, cell: ramCell },
        { title: "Downloads", number: true, cell: (row) => number(row.downloads, compact, source, { detail: row.downloads === null ? "Never observed" : integer(row.downloads) }) },
      ],
    }),
    h("p", {}, h("a", { href: `/models?${new URLSearchParams({ org })}` }, "Filter and sort them"), " · ", h("a", { href: csv(response.self) }, "Models as CSV")),
  ];
}

async function showUnknown() {
  const hits = await find(org, "organisation");
  document.querySelector("main").replaceChildren(
    h("h1", {}, "Unknown organisation"),
    h("p", { class: "notice" }, ...nothingFound(escapeInvisible(org), hits, "organisation")),
    h("p", {}, h("a", { href: "/models" }, "All models")),
  );
}

async function refresh() {
  let organisation, models, breakouts;
  try {
    organisation = await get("organisations", { org });
    if (!organisation.data.length) return await showUnknown();
    [models, breakouts] = await Promise.all([
      get("adoption", { org, limit: MAX_MODELS }),
      get("breakouts", { org, status: "confirmed", limit: 1000 }),
    ]);
  } catch (error) {
    if (error.status === undefined) throw error;
    return error.status === 404 ? showUnknown() : fill("headline", problemNotice(error));
  }
  fill("headline", headline(organisation, models, breakouts));
  showCitation(models);
  await Promise.all([
    renderSection("releases", releases),
    renderSection("share", share),
    renderSection("families", families),
    renderSection("models", async () => modelsTable(models)),
  ]);
}

document.title = `${escapeInvisible(org)}: Breakout`;
document.getElementById("organisation").textContent = escapeInvisible(org);
subscribe(refresh);
