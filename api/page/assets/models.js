// The list of models: filtered, sorted and paged by the server; its state is in the address.

import { get } from "./api.js";
import { showCitation } from "./citation.js";
import { compareLink } from "./compare_link.js";
import { fill, h, notice, render } from "./dom.js";
import { csv } from "./figure.js";
import { addressOf, restore, valuesOf } from "./filters.js";
import { compact, day, integer, modelPath, number, provenance, region } from "./format.js";
import { subscribe } from "./live.js";
import { ramCells } from "./ram_cell.js";
import { find, nothingFound, organisationPath } from "./search.js";
import { table } from "./table.js";

const ROWS = 50;
const TYPING_MS = 300;
const SORTS = ["ram", "downloads", "released", "model"];
const filter = document.getElementById("filter");
let state = readAddress();
// Cursors of the pages before this one, which only this visit knows.
let before = [];

function readAddress() {
  const query = new URLSearchParams(location.search);
  return { sort: SORTS.includes(query.get("sort")) ? query.get("sort") : "ram", cursor: query.get("cursor") };
}

/** Shows another view: a new entry of the history for another page, none for other filters. */
function go(changes, { replace = false } = {}) {
  state = { ...state, ...changes };
  const address = addressOf({ ...valuesOf(filter), ...state, sort: state.sort === "ram" ? null : state.sort });
  history[replace ? "replaceState" : "pushState"](null, "", address);
  return show();
}

const show = () => render("models-table", list);

async function list(isLatest) {
  const values = valuesOf(filter);
  let response;
  try {
    response = await get("adoption", { ...values, ...state, limit: ROWS });
  } catch (error) {
    if (error.status !== 404) throw error;
  }
  if (!response?.data.length) return nothing(values);
  const source = provenance(response);
  const ramCell = await ramCells(response.data, source);
  if (isLatest()) showCitation(response);
  const columns = [
    { title: "Model", sort: "model", cell: (row) => h("a", { href: `/models/${modelPath(row.model_id)}` }, row.model_id) },
    { title: "Organisation", wide: true, cell: (row) => h("a", { href: organisationPath(row.org) }, row.org) },
    { title: "Region", wide: true, cell: (row) => h("span", { class: "nowrap" }, region(row.region)) },
    { title: "Size bin", wide: true, cell: (row) => h("span", { class: "nowrap" }, row.size_bin ?? "unknown") },
    { title: "Released", wide: true, sort: "released", cell: (row) => number(day(row.released_at), String, source, { detail: row.released_at ? null : "Release date unknown" }) },
    { title: "RAM", number: true, sort: "ram", cell: ramCell },
    {
      title: "Downloads", number: true, sort: "downloads",
      cell: (row) => number(row.downloads, compact, source, { detail: row.downloads === null ? "Never observed" : integer(row.downloads) }),
    },
    { title: "Tracked", wide: true, cell: (row) => (row.tracked ? "yes" : "no") },
  ];
  const sorted = columns.findIndex((column) => column.sort === state.sort);
  const view = table({
    name: "models",
    caption: `${integer(response.data.length)} models${state.cursor || response.next ? " of this page" : ""}. ${source}`,
    order: { column: sorted, sign: state.sort === "model" ? 1 : -1 },
    onorder: ({ column }) => {
      before = [];
      go({ sort: columns[column].sort, cursor: null }, { replace: true });
    },
    presorted: true,
    columns,
    rows: response.data,
  });
  return [view, pages(response)];
}

function pages(response) {
  const button = (name, label, turn) => h("button", { type: "button", "data-name": name, onclick: turn }, label);
  const turns = [
    state.cursor && (before.length
      ? button("previous", "Previous page", () => go({ cursor: before.pop() }))
      : button("first", "First page", () => go({ cursor: null }))),
    response.next && button("next", "Next page", () => {
      before.push(state.cursor);
      go({ cursor: response.next });
    }),
  ].filter(Boolean);
  return h("p", { class: "pages" }, ...turns.flatMap((turn) => [turn, " "]), h("a", { href: csv(response.self) }, "All rows as CSV"), " ", compareLink(response.data));
}

/** Says that there are no such models, with the nearest names of what was typed. */
async function nothing(values) {
  if (values.search) {
    const hits = await find(values.search, "model");
    if (hits[0]?.match === "near") return h("p", { class: "notice" }, ...nothingFound(values.search, hits, "model"));
  }
  if (values.org) {
    const hits = await find(values.org, "organisation");
    if (!hits.some((hit) => hit.id === values.org)) return h("p", { class: "notice" }, ...nothingFound(values.org, hits, "organisation"));
  }
  return notice(Object.keys(values).length ? "No models match these filters." : "No models yet: waiting for the first reading of the tracked list.");
}

async function nameOrganisations() {
  const { data } = await get("organisations", { limit: 5000 });
  fill("organisations", data.map((row) => h("option", { value: row.org })));
}

restore(filter);
let timer = 0;
function refilter() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    before = [];
    go({ cursor: null }, { replace: true });
  }, TYPING_MS);
}
filter.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("input", refilter);
addEventListener("popstate", () => {
  before = [];
  state = readAddress();
  restore(filter);
  show();
});
subscribe(() => Promise.all([show(), nameOrganisations()]));
