// One model: its score, its curve, its downloads, its facts and where each comes from.

import { ask } from "./ask.js";
import { curves, downloads, MILESTONES } from "./charts.js";
import { follow } from "./follow.js";
import { table } from "./table.js";
import { day, fill, h, moment, nothing, number, part, problem, provenance, region, short, times, visible, whole } from "./write.js";

const WEEKLY_BEYOND_DAYS = 190;
const modelId = location.pathname.split("/").slice(2, 4).map(decodeURIComponent).join("/");

function item(label, shown, big = false) {
  return h("div", {}, h("span", { class: "label" }, label), h("span", { class: big ? "big" : null }, shown));
}

async function headline() {
  const [ram, breakouts, series] = await Promise.all([
    ask("ram", { model: modelId }),
    ask("breakouts", { model: modelId }),
    ask("downloads", { model: modelId, interval: "month" }),
  ]);
  const [score] = ram.data;
  const [crossing] = breakouts.data;
  const from = provenance(ram);
  const total = series.data.at(-1)?.cumulative;
  return [
    item("RAM now", number(score?.ram, times, from, { more: score ? `${score.ram}` : "Older than a year, or not scored", above: score?.ram >= 1 }), true),
    item("Downloads", number(total, short, provenance(series), { more: total == null ? "Never observed" : whole(total) }), true),
    score && item("Downloads at 1.0x", number(score.baseline_downloads && Math.round(score.baseline_downloads), short, from,
      { more: `The median of the top 10 of ${score.size_bin} at ${score.age_days.toFixed(1)} days; ${score.peers} peers` })),
    score && item("Age", number(score.age_days, (days) => `${Math.floor(days)} days`, from)),
    item("Breakout", crossing
      ? number(day(crossing.crossed_at), (text) => `${text}, at ${crossing.age_days} days${crossing.ended_at ? `, ended ${day(crossing.ended_at)}` : ""}`,
        provenance(breakouts), { more: `${crossing.ram} then` })
      : "none so far"),
  ];
}

async function curve() {
  const answer = await ask("ram/curves", { model: modelId });
  if (!answer.data.some((row) => row.ram > 0))
    return nothing("No RAM: it needs a size, a release date, and ten models of the size class measured at the same age.");
  return curves({ name: "curve", title: "RAM by age", answer, models: [modelId] });
}

async function milestones() {
  const answer = await ask("ram/milestones", { model: modelId });
  if (!answer.data.length) return null;
  const from = provenance(answer);
  const at = new Map(answer.data.map((row) => [row.age_days, row]));
  return table({
    name: "milestones",
    caption: `RAM at the milestones. ${from}`,
    rows: MILESTONES.filter((age) => at.has(age)).map((age) => at.get(age)),
    columns: [
      { title: "Age", cell: (row) => `${row.age_days} days` },
      { title: "RAM", number: true, cell: (row) => number(row.ram, times, from, { more: row.ram === null ? `Only ${row.peers} peers` : `${row.ram}`, above: row.ram >= 1 }) },
      { title: "Downloads", number: true, cell: (row) => number(row.cumulative, whole, from) },
      { title: "Downloads at 1.0x", number: true, wide: true, cell: (row) => number(row.baseline_downloads && Math.round(row.baseline_downloads), whole, from, { more: `${row.peers} peers` }) },
      { title: "On", number: true, cell: (row) => day(row.as_of) },
    ],
  });
}

async function series() {
  const days = await ask("downloads", { model: modelId });
  if (!days.data.some((row) => row.downloads !== null)) return nothing("New downloads need two days of observations.");
  const long = days.data.length > WEEKLY_BEYOND_DAYS;
  const answer = long ? await ask("downloads", { model: modelId, interval: "week" }) : days;
  return downloads({ name: "downloads", title: "New downloads", answer, interval: long ? "week" : "day" });
}

function facts(answer) {
  const [model] = answer.data;
  const from = provenance(answer);
  const known = (value, source, write = String) => number(value, write, from, { more: source ? `By ${source}` : undefined });
  const billions = (value, source) =>
    number(value, (many) => `${Number(many.toPrecision(3))} billion`, from, { more: value == null ? undefined : `${value} billion, by ${source}` });
  const pairs = [
    ["Organisation", known(model.org)],
    ["Region", known(model.region, model.region_source, region)],
    ["Size class", known(model.size_bin, model.size_source)],
    ["Parameters", billions(model.total_params_b, model.size_source)],
    ["Active", billions(model.active_params_b, model.size_source)],
    ["Released", known(model.released_at, model.released_source)],
    ["Licence", known(model.license)],
    ["Task", known(model.pipeline_tag)],
    ["Derives from", model.base_models.length ? `${model.base_models.join(", ")} (${model.base_relation ?? "unknown"})` : "nothing known"],
    ["Tracked", model.tracked ? "yes: it counts among the peers of its size class" : "no: scored, but no peer"],
    ["Read", moment(model.observed_at)],
  ];
  document.getElementById("badge").textContent =
    `![RAM](${location.origin}/badge/ram/${modelId.split("/").map(encodeURIComponent).join("/")}.svg)`;
  document.getElementById("cite").textContent = `Cite as: Breakout, ${location.href}, ${from}; method: Lambert and Brand, 2026.`;
  return pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
}

async function refresh() {
  let known;
  try {
    known = await ask(`models/${modelId.split("/").map(encodeURIComponent).join("/")}`);
  } catch (error) {
    if (error.status !== 404) fill("headline", problem(error));
    else document.querySelector("main").replaceChildren(h("h1", {}, visible(modelId)), nothing("There is no such model here. It is spelled as its hub spells it, case too."));
    return;
  }
  await Promise.all([
    part("headline", headline),
    part("curve-chart", curve),
    part("milestones-table", milestones),
    part("downloads-chart", series),
    part("facts-list", async () => facts(known)),
  ]);
}

document.title = `${visible(modelId)}: Breakout`;
document.getElementById("model").textContent = visible(modelId);
follow(refresh);
