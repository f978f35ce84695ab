// The overview: breakouts, their curves, shares, and where the numbers come from.

import { ask } from "./ask.js";
import { csv, curves, openShare, shares } from "./charts.js";
import { follow } from "./follow.js";
import { table } from "./table.js";
import {
  day, fill, h, link, moment, nothing, number, part, provenance, region, short, times, whole,
} from "./write.js";

const SIZES = ["<1B", "1-5B", "7-9B", "10-50B", "50-100B", "100-250B", "250B+"];
const REGIONS = ["us", "china", "eu", "other", "unknown", "unreviewed"];
const FEW = 12;
const MANY = 100;
const CURVES = 8;
const filter = document.getElementById("filter");
let shown = FEW;
let order = null;
let before = null;
let latest = { news: null, breakouts: null, scores: new Map() };

function chosen() {
  const form = new FormData(filter);
  return { size_bin: form.get("size_bin"), region: form.get("region"), lasting: form.get("lasting") };
}

async function askBreakouts() {
  const breakouts = await ask("breakouts", { ...chosen(), limit: shown });
  const models = breakouts.data.map((row) => row.model_id);
  const ram = models.length ? await ask("ram", { model: models, limit: MANY }) : { data: [] };
  latest = { ...latest, breakouts, ram, scores: new Map(ram.data.map((row) => [row.model_id, row])) };
}

function breakoutsTable() {
  const { breakouts, ram, scores } = latest;
  if (!breakouts.data.length)
    return nothing("No young model has passed 1.0x here. A RAM needs ten models of a size class measured at an age.");
  const from = provenance(breakouts);
  const now = (row) => scores.get(row.model_id);
  const fromNow = (row) => (now(row) ? `Source: Hugging Face Hub, as of ${moment(now(row).as_of)}` : from);
  const isNew = (row) => before !== null && !before.has(row.model_id);
  const view = table({
    name: "breakouts",
    caption: `The latest ${breakouts.data.length} breakouts${breakouts.next && shown === MANY ? " (more by the API)" : ""}. ${from}`,
    order,
    onorder: (chosenOrder) => {
      order = chosenOrder;
      fill("breakouts-table", breakoutsTable());
    },
    fresh: isNew,
    rows: breakouts.data,
    columns: [
      { title: "Model", cell: (row) => link(row.model_id), sort: (row) => row.model_id.toLowerCase() },
      { title: "Region", wide: true, cell: (row) => h("span", { class: "whole" }, region(row.region)), sort: (row) => region(row.region) },
      { title: "Size class", wide: true, cell: (row) => h("span", { class: "whole" }, row.size_bin), sort: (row) => SIZES.indexOf(row.size_bin) },
      { title: "Crossed", cell: (row) => number(day(row.crossed_at), String, from), sort: (row) => row.crossed_at },
      {
        title: "At age", number: true, wide: true, sort: (row) => row.age_days,
        cell: (row) => number(row.age_days, (days) => `${days} days`, from),
      },
      { title: "RAM then", number: true, wide: true, cell: (row) => number(row.ram, times, from), sort: (row) => row.ram },
      {
        title: "RAM now", number: true, sort: (row) => now(row)?.ram ?? null,
        cell: (row) => number(now(row)?.ram, times, fromNow(row), {
          more: now(row)
            ? `${now(row).ram} at ${now(row).age_days.toFixed(1)} days; ${now(row).peers} peers`
            : "Older than a year, or not scored",
          above: now(row)?.ram >= 1,
        }),
      },
      {
        title: "Downloads", number: true, wide: true, sort: (row) => now(row)?.cumulative ?? null,
        cell: (row) => number(now(row)?.cumulative, short, fromNow(row), { more: now(row) && whole(now(row).cumulative) }),
      },
      { title: "Ended", wide: true, cell: (row) => (row.ended_at ? number(day(row.ended_at), String, from) : "lasts"), sort: (row) => row.ended_at },
    ],
  });
  const more = breakouts.next && shown === FEW
    ? [h("button", { type: "button", "data-name": "more", onclick: showMore }, "Show more"), " · "]
    : [];
  return [view, h("p", {}, more, h("a", { href: csv(breakouts.self) }, "CSV of all"), " · ", h("a", { href: "/v1/ram?max_age=90&format=csv" }, "CSV of every young model's RAM"))];
}

function showMore() {
  shown = MANY;
  before = null;
  showBreakouts();
}

async function curvesChart() {
  const models = latest.breakouts?.data.slice(0, CURVES).map((row) => row.model_id) ?? [];
  if (!models.length) return nothing("No breakouts, no curves.");
  const answer = await ask("ram/curves", { model: models, limit: 5000 });
  return curves({ name: "curves", title: `The latest ${models.length} breakouts by age`, answer, models });
}

async function sharesOf(by, name, title, label) {
  const answer = await ask("downloads", { by, interval: "month", limit: 10000 });
  if (!answer.data.some((row) => row.downloads !== null)) return nothing("Shares need two days of downloads.");
  return shares({ name, title, answer, label });
}

async function inference() {
  const answer = await ask("inference/share", { interval: "month" });
  if (!answer.data.length) return nothing("No inference tokens were read: OpenRouter wants a key (OPENROUTER_API_KEY).");
  return openShare({ name: "inference", title: "Open models in inference", answer });
}

async function sources() {
  const answer = await ask("sources");
  document.getElementById("cite").textContent =
    `Cite as: Breakout, ${location.origin}/, ${provenance(latest.breakouts ?? answer)}; method: Lambert and Brand, 2026.`;
  return table({
    name: "sources",
    caption: "Every source with the moment of its latest numbers here, and its licence",
    rows: answer.data,
    columns: [
      { title: "Source", cell: (row) => h("a", { href: row.url }, row.title) },
      { title: "Measures", wide: true, cell: (row) => row.measures },
      { title: "Latest", cell: (row) => number(row.as_of, moment, row.citation, { more: row.as_of ? null : "Not read yet" }) },
      { title: "Licence", wide: true, cell: (row) => row.licence },
    ],
  });
}

async function scrapes() {
  const answer = await ask("scrapes", { limit: 5 });
  if (!answer.data.length) return nothing("Nothing was scraped yet.");
  const from = provenance(answer);
  return table({
    name: "scrapes",
    caption: `The latest scrapes. ${from}`,
    rows: answer.data,
    columns: [
      { title: "Scrape", cell: (row) => `${row.source}, ${moment(row.observed_at)}` },
      { title: "Models", number: true, cell: (row) => number(row.models, whole, from) },
      {
        title: "State",
        cell: (row) =>
          h("span", { title: `${row.standing} of ${row.compared} counters stood still. ${from}` },
            [got(row), row.stalled ? "stalled" : null].filter(Boolean).join(", ")),
      },
    ],
  });
}

function got(scrape) {
  if (scrape.complete) return "complete";
  return scrape.missing ? `${whole(scrape.missing)} missing` : "incomplete";
}

function parts() {
  const { news } = latest;
  if (!news) return nothing("What runs is not known: the news do not come.");
  const left = news.dead_letters
    ? h("p", { class: "problem" }, `${whole(news.dead_letters)} records of the last day could not be read.`)
    : h("p", {}, "Every record of the last day could be read.");
  if (!news.parts.length) return [nothing("No part has given a sign of life."), left];
  return [
    table({
      name: "parts",
      caption: "Parts of the pipeline, by their latest sign of life",
      rows: news.parts,
      columns: [
        { title: "Part", cell: (row) => row.part },
        { title: "State", cell: (row) => (row.running ? row.state : row.state === "stopped" ? "stopped" : "silent") },
        { title: "Running", number: true, wide: true, cell: (row) => whole(row.running) },
        { title: "Last heard of", cell: (row) => moment(row.at) },
      ],
    }),
    left,
  ];
}

async function showBreakouts() {
  await part("breakouts-table", async () => {
    await askBreakouts();
    return breakoutsTable();
  });
  before = latest.breakouts && new Set(latest.breakouts.data.map((row) => row.model_id));
  await part("curves-chart", curvesChart);
}

async function refresh(news) {
  latest = { ...latest, news };
  await Promise.all([
    showBreakouts(),
    part("regions-chart", () => sharesOf("region", "regions", "By region", region)),
    part("organisations-chart", () => sharesOf("org", "organisations", "By organisation")),
    part("inference-chart", inference),
    part("scrapes-table", scrapes),
    part("parts-table", async () => parts()),
  ]);
  await part("sources-table", sources);
}

const address = new URLSearchParams(location.search);
for (const [name, options, label] of [["size_bin", SIZES, String], ["region", REGIONS, region]]) {
  const select = filter.elements[name];
  select.append(...options.map((value) => h("option", { value }, label(value))));
  select.value = options.includes(address.get(name)) ? address.get(name) : "";
}
filter.elements.lasting.checked = address.get("lasting") === "true";
filter.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("change", () => {
  const query = new URLSearchParams(Object.entries(chosen()).filter(([, value]) => value));
  history.replaceState(null, "", query.size ? `?${query}` : location.pathname);
  before = null;
  showBreakouts();
});

follow(refresh);
