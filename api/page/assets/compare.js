// The comparison of models: its view is in the address.

import { get } from "./api.js";
import { showCitation } from "./citation.js";
import { lookUp, readLines } from "./compare_data.js";
import { comparePath, isEmptyPeriod, readState, writeState } from "./compare_state.js";
import { colourOf, comparisonChart } from "./comparison_chart.js";
import { fill, h, notice, problemNotice, setBusy } from "./dom.js";
import { compact, day, escapeInvisible, integer, modelPath, number, provenance } from "./format.js";
import { subscribe } from "./live.js";
import { ramCells } from "./ram_cell.js";
import { searchBox, searchForm } from "./search.js";
import { comparisonShare } from "./share.js";
import { table } from "./table.js";

const SUGGESTED = 5;
const form = document.getElementById("options");
const addForm = searchForm({ id: "add-model", label: "Add a model" });
let state = readState(location.search);
// Only the latest of concurrent refreshes is shown.
let latest = 0;

/** Changes the view, and adds it to the history. */
function go(changes) {
  const address = writeState({ ...state, ...changes });
  state = readState(address);
  history.pushState(null, "", location.pathname + address);
  showOptions();
  return refresh();
}

function showOptions() {
  for (const field of form.elements) field.value = state[field.name] ?? "";
  document.title = state.models.length ? `Compare ${state.models.map(escapeInvisible).join(", ")}: Breakout` : "Compare models: Breakout";
}

async function refresh() {
  const turn = ++latest;
  setBusy("comparison-chart");
  let view;
  try {
    view = state.models.length ? await load() : { suggestions: await suggestions() };
  } catch (error) {
    if (turn === latest) show({ failure: problemNotice(error) });
    // Without a status it is not a response of the server but a bug: log it to the console.
    if (error.status === undefined) throw error;
    return;
  }
  if (turn === latest) show(view);
}

async function load() {
  const facts = await lookUp(state.models, state.as_of);
  const lines = facts.known.size && !isEmptyPeriod(state) ? await readLines(state, facts.known) : null;
  const ramCell = facts.known.size ? await ramCells([...facts.known.values()], provenance(facts.response)) : null;
  return { facts: { ...facts, ramCell }, lines };
}

function show({ facts, lines, suggestions: suggested, failure }) {
  fill("notices", state.problems.map(notice), facts && unknownModels(facts.unknown), lines && withoutLines(lines.without));
  fill("comparison-chart", failure ?? suggested ?? (lines?.points.length ? comparisonChart({ state, ...lines, onhide }) : null));
  fill("models-table", facts?.known.size ? modelsTable(facts) : null);
  document.getElementById("share").hidden = !lines?.points.length;
  if (!lines?.points.length) return;
  showShare(lines.response.as_of);
  showCitation(lines.response);
}

const showShare = (asOf) => fill("share-lines", comparisonShare(state, asOf));

function onhide() {
  history.replaceState(null, "", location.pathname + writeState(state));
  showShare(state.as_of);
}

async function suggestions() {
  const { data } = await get("breakouts", { status: "confirmed", limit: SUGGESTED });
  const models = data.map((row) => row.model_id);
  return h("p", { class: "notice" }, "Add models by a part of their name",
    ...(models.length > 1 ? [", or see ", h("a", { href: comparePath(models) }, `the latest ${models.length} breakouts`)] : []), ".");
}

function unknownModels(unknown) {
  return [...unknown].map(([id, nearest]) =>
    h(
      "p", { class: "notice", role: "alert" },
      `Unknown model “${escapeInvisible(id)}”.`,
      ...nearest.flatMap((name, index) => [index ? " " : " Nearest: ", button(`replace-${id}-${name}`, name, () => replace(id, name))]),
      " ", button(`remove-${id}`, "Remove", () => remove(id)),
    ),
  );
}

const withoutLines = (without) => [...without].map(([id, why]) => notice(`${id} has no line: ${why}.`));
const button = (name, label, onclick, attributes = {}) => h("button", { type: "button", "data-name": name, onclick, ...attributes }, label);
const replace = (id, name) => go({ models: [...new Set(state.models.map((one) => (one === id ? name : one)))] });

async function remove(id) {
  await go({ models: state.models.filter((one) => one !== id) });
  // Its button is gone.
  addForm.elements.search.focus();
}

function modelsTable({ response, known, ramCell }) {
  const source = provenance(response);
  return table({
    name: "compared",
    caption: `The models. ${source}`,
    rows: state.models.filter((id) => known.has(id)).map((id) => known.get(id)),
    columns: [
      {
        title: "Model",
        cell: (row) => h("span", {}, h("i", { class: "swatch", style: `background:${colourOf(state.models, row.model_id)}` }),
          h("a", { href: `/models/${modelPath(row.model_id)}` }, row.model_id)),
      },
      { title: "Size bin", wide: true, cell: (row) => h("span", { class: "nowrap" }, row.size_bin ?? "unknown") },
      { title: "Released", wide: true, cell: (row) => number(day(row.released_at), String, source, { detail: row.released_at ? null : "Release date unknown" }) },
      { title: "RAM now", number: true, cell: ramCell },
      {
        title: "Downloads", number: true, wide: true,
        cell: (row) => number(row.downloads, compact, source, { detail: row.downloads === null ? "Never observed" : integer(row.downloads) }),
      },
      { title: h("span", { class: "unseen" }, "Remove"), number: true, cell: (row) => button(`remove-${row.model_id}`, "×", () => remove(row.model_id), { "aria-label": `Remove ${row.model_id}` }) },
    ],
  });
}

searchBox(addForm, { kind: "model", choose: (hit) => go({ models: [...new Set([...state.models, hit.id])] }) });
document.getElementById("add").append(addForm);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("change", (event) => go({ [event.target.name]: event.target.value || null }));
addEventListener("popstate", () => {
  state = readState(location.search);
  showOptions();
  refresh();
});
showOptions();
subscribe(refresh);
