// A chart that other sites show in an iframe. It is loaded once: thousands of readers may have it open.

import { lookUp, readLines } from "./compare_data.js";
import { comparePath, isEmptyPeriod, readState, writeState } from "./compare_state.js";
import { comparisonChart } from "./comparison_chart.js";
import { fill, h, notice, render } from "./dom.js";
import { escapeInvisible, modelPath } from "./format.js";

const [, , kind, ...parts] = location.pathname.split("/");
const modelId = kind === "models" ? parts.map(decodeURIComponent).join("/") : null;
const asked = readState(location.search);
const state = modelId ? { ...asked, models: [modelId] } : asked;
const page = modelId ? `/models/${modelPath(modelId)}` : `/compare${writeState(state)}`;
const link = (href, text) => h("a", { href, target: "_blank", rel: "noopener" }, text);

async function chart() {
  if (!state.models.length) return [notice("No models: name them in the address, as in ?models=org/name,org/name."), link(comparePath([]), "Choose models")];
  const { known, unknown } = await lookUp(state.models, state.as_of);
  const notices = [...state.problems, ...[...unknown.keys()].map((id) => `Unknown model “${escapeInvisible(id)}”.`)].map(notice);
  if (!known.size || isEmptyPeriod(state)) return notices;
  const { without, ...lines } = await readLines(state, known);
  const missing = [...without].map(([id, why]) => notice(`${id} has no line: ${why}.`));
  return [...notices, ...missing, lines.points.length ? comparisonChart({ state, ...lines, files: false }) : null];
}

document.title = `${state.models.map(escapeInvisible).join(", ") || "Compare models"}: Breakout`;
fill("back", link(page, modelId ? escapeInvisible(modelId) : "Compare models"), " on ", link("/", "Breakout"));
render("embedded-chart", chart);
