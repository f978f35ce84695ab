// The page of one model: RAM beside its rivals, peers, downloads, family, ratings, tokens, and facts with their sources.

import { get } from "./api.js";
import { curves, MILESTONES } from "./charts.js";
import { showCitation } from "./citation.js";
import { fill, h, notice, problemNotice, render } from "./dom.js";
import { day, escapeInvisible, integer, modelPath, number, provenance, times } from "./format.js";
import { subscribe } from "./live.js";
import { dailyDownloads } from "./model/downloads.js";
import { facts } from "./model/facts.js";
import { family } from "./model/family.js";
import { headline } from "./model/headline.js";
import { peers } from "./model/peers.js";
import { ratings } from "./model/ratings.js";
import { findRivals, rivalsTable } from "./model/rivals.js";
import { tokens } from "./model/tokens.js";
import { noRam, ramMissing } from "./ram_missing.js";
import { find, nothingFound } from "./search.js";
import { contents, renderSection } from "./sections.js";
import { modelShare } from "./share.js";
import { table } from "./table.js";

const modelId = location.pathname.split("/").slice(2, 4).map(decodeURIComponent).join("/");
// What the reader has chosen.
let peersAge = null;
let period = "180";

async function curve(model, milestones, missing) {
  if (missing?.curve_detail) return notice(noRam(missing.curve_detail));
  const rivals = await findRivals(model, milestones.data);
  const models = [modelId, ...(rivals?.models ?? [])];
  const response = await get("ram/curves", { model: models, limit: 10_000 });
  if (!response.data.some((row) => row.model_id === modelId && row.ram !== null)) return null;
  return [
    curves({ name: "curve", title: rivals ? "RAM by age, beside its rivals" : "RAM by age", response, models, emphasised: modelId }),
    rivals && rivalsTable(model, rivals),
    milestonesTable(milestones),
  ];
}

function milestonesTable(response) {
  if (!response.data.length) return null;
  const source = provenance(response);
  const byAge = new Map(response.data.map((row) => [row.age_days, row]));
  return table({
    name: "milestones",
    caption: `RAM at the milestones. ${source}`,
    rows: MILESTONES.filter((age) => byAge.has(age)).map((age) => byAge.get(age)),
    columns: [
      { title: "Age", cell: (row) => `${row.age_days} days` },
      { title: "RAM", number: true, cell: (row) => number(row.ram, times, source, { detail: row.ram === null ? `${row.peers} of 10 peers` : `${row.ram}`, highlight: row.ram >= 1 }) },
      { title: "Downloads", number: true, cell: (row) => number(row.cumulative, integer, source) },
      { title: "Downloads at 1.0x", number: true, wide: true, cell: (row) => number(row.baseline_downloads && Math.round(row.baseline_downloads), integer, source, { detail: `${row.peers} peers` }) },
      { title: "Date", number: true, cell: (row) => h("span", { class: "nowrap" }, day(row.as_of)) },
    ],
  });
}

/** Renders the peers at the ages of the model that can be compared, the latest first. */
async function showPeers(model) {
  const response = await get("ram/curves", { model: modelId, limit: 1000 });
  const withRam = response.data.filter((row) => row.ram !== null);
  const known = (withRam.length ? withRam : response.data).map((row) => row.age_days);
  const latest = known.at(-1);
  const ages = known.length ? [latest, ...MILESTONES.filter((age) => age < latest && known.includes(age)).toReversed()] : [];
  await renderSection("peers", () => peers(model, ages, peersAge, (age) => {
    peersAge = age;
    showPeers(model);
  }));
}

const showDownloads = () =>
  renderSection("downloads", () => dailyDownloads(modelId, period, (chosen) => {
    period = chosen;
    showDownloads();
  }));

async function showUnknown() {
  const hits = await find(modelId, "model").catch(() => []);
  document.querySelector("main").replaceChildren(
    h("h1", {}, escapeInvisible(modelId)),
    notice("Unknown model. Names are case-sensitive and must match Hugging Face exactly."),
    h("p", {}, ...nothingFound(escapeInvisible(modelId), hits, "model")),
  );
}

async function refresh() {
  let response;
  try {
    response = await get(`models/${modelPath(modelId)}`);
  } catch (error) {
    if (error.status !== 404) fill("headline", problemNotice(error));
    else await showUnknown();
    return;
  }
  const [model] = response.data;
  // Once: the images of the badges are not loaded again at each change.
  if (!document.getElementById("share-lines").childElementCount) fill("share-lines", modelShare(modelId));
  const shared = Promise.all([ramMissing([modelId]), get("ram/milestones", { model: modelId })]);
  await Promise.all([
    render("headline", async () => headline(modelId, (await shared)[0].get(modelId))),
    renderSection("curve", async () => {
      const [missing, milestones] = await shared;
      return curve(model, milestones, missing.get(modelId));
    }),
    showPeers(model),
    showDownloads(),
    renderSection("family", () => family(modelId)),
    renderSection("ratings", () => ratings(modelId)),
    renderSection("tokens", () => tokens(modelId)),
    renderSection("facts", async () => h("dl", {}, facts(response))),
  ]);
  fill("contents", contents(document.querySelector("main")));
  showCitation(response);
}

document.title = `${escapeInvisible(modelId)}: Breakout`;
document.getElementById("model").textContent = escapeInvisible(modelId);
subscribe(refresh);
