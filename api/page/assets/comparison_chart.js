// The chart of a comparison: a line per model, by age or by date.

import { MILESTONES, month, PALETTE } from "./charts.js";
import { figure } from "./figure.js";
import { compact, day, integer, provenance, times } from "./format.js";

/* global d3, Plot */

const MEASURES = {
  ram: {
    label: "RAM",
    title: "RAM",
    tick: (value) => `${+value.toPrecision(2)}x`,
    cell: times,
    tip: ({ row }) => `${times(row.ram)}: ${integer(row.cumulative)} downloads; 1.0x is ${integer(Math.round(row.baseline_downloads))}`,
    drawn: ({ row }) => ({ ram: row.ram, cumulative: row.cumulative, baseline_downloads: row.baseline_downloads, peers: row.peers }),
  },
  downloads: {
    label: "downloads since release",
    title: "Downloads",
    tick: compact,
    cell: integer,
    tip: ({ row }) => `${integer(row.cumulative)} downloads until the end of ${row.period}${row.downloads === null ? "" : `, ${integer(row.downloads)} on that day`}`,
    drawn: ({ row }) => ({ cumulative: row.cumulative, downloads: row.downloads }),
  },
};

export const colourOf = (models, id) => PALETTE[models.indexOf(id) % PALETTE.length];

/**
 * Returns the figure of a state of `compare_state.js` and the points of `compare_data.js`. Lines in `state.hidden` are not
 * drawn; `onhide` is called when the reader hides or shows one.
 */
export function comparisonChart({ state, response, points, onhide, files = true }) {
  const { align, scale, hidden } = state;
  const measure = MEASURES[state.measure];
  const models = state.models.filter((id) => points.some((point) => point.model_id === id));
  const lines = points.map((point) => ({ ...point, colour: colourOf(state.models, point.model_id) }));
  const milestones = MILESTONES.filter((age) => age <= (d3.max(points, (point) => point.age_days) ?? 0));
  const source = provenance(response);
  const x = align === "age" ? "age_days" : "at";
  const title = `${measure.title} by ${align}`;
  const draw = (width) => {
    const shown = lines.filter((point) => !hidden.has(point.model_id));
    const values = [...(state.measure === "ram" ? [1] : []), ...shown.map((point) => point.value)];
    const [lowest, highest] = d3.extent(values.length ? values : [1, 10]);
    const domain = scale === "log" ? [0.8 * lowest, 1.2 * highest] : [Math.min(0, lowest), 1.05 * highest];
    return Plot.plot({
      width,
      height: Math.min(460, Math.max(300, width / 2)),
      marginLeft: 52,
      marginRight: 20,
      marginBottom: 44,
      x: align === "age"
        ? { label: "days since release", domain: ageDomain(points), ticks: milestones.length ? milestones : 5, tickFormat: String }
        : { label: null, type: "utc" },
      y: { label: measure.label, type: scale, domain, grid: true, ticks: 6, tickFormat: measure.tick },
      marks: [
        align === "age" ? Plot.ruleX(milestones, { strokeOpacity: 0.18 }) : null,
        state.measure === "ram" ? Plot.ruleY([1], { strokeWidth: 1.5, strokeDasharray: "5 3" }) : null,
        Plot.line(shown, { x, y: "value", z: "model_id", stroke: "colour", strokeWidth: 2 }),
        state.measure === "ram"
          ? Plot.text([1], { y: (value) => value, frameAnchor: "right", text: ["1.0x: median of the top 10"], textAnchor: "end", dy: 9, fill: "currentColor", stroke: "var(--paper)", strokeWidth: 4 })
          : null,
        // A line of one point is none.
        Plot.dot(ends(shown), { x, y: "value", fill: "colour", r: 3.5 }),
        Plot.tip(shown, Plot.pointer({
          x,
          y: "value",
          title: (point) => `${point.model_id}\n${measure.tip(point)}\n${when(point)}\n${source}`,
        })),
      ],
    });
  };
  return figure({
    name: "comparison", title, response, draw, hidden, onhide, files,
    key: models.map((id) => [id, colourOf(state.models, id)]),
    drawn: () =>
      points.filter((point) => !hidden.has(point.model_id)).map((point) => ({
        model_id: point.model_id, day: point.day, age_days: point.age_days < 0 ? null : point.age_days, ...measure.drawn(point),
      })),
    ...(align === "age" ? tableByAge(models, points, milestones, measure) : tableByMonth(models, points, measure)),
  });
}

function ageDomain(points) {
  const [youngest, oldest] = d3.extent(points, (point) => point.age_days);
  // From the release on, unless the period begins much later.
  return [youngest > 30 ? youngest : 0, Math.max(oldest ?? 0, (youngest ?? 0) + 14)];
}

const when = ({ age_days: age, at }) => (age < 0 ? day(at.toISOString()) : `at ${age} days, ${day(at.toISOString())}`);

/** Returns the last point of each line. */
const ends = (points) => [...d3.rollup(points, (rows) => d3.greatest(rows, (row) => row.at), (row) => row.model_id).values()];

function tableByAge(models, points, ages, measure) {
  const values = new Map(points.map((point) => [`${point.age_days} ${point.model_id}`, point.value]));
  const oldest = d3.max(points, (point) => point.age_days);
  const rows = ages.length ? ages : [oldest];
  return {
    columns: [
      { title: "Age", cell: (age) => `${age} days` },
      ...models.map((id) => ({
        title: id,
        number: true,
        cell: (age) => (values.has(`${age} ${id}`) ? measure.cell(values.get(`${age} ${id}`)) : null),
      })),
    ],
    rows,
  };
}

function tableByMonth(models, points, measure) {
  const last = d3.rollup(points, (rows) => d3.greatest(rows, (row) => row.at).value, (row) => row.day.slice(0, 7), (row) => row.model_id);
  const rows = [...last].sort(([a], [b]) => d3.descending(a, b));
  return {
    columns: [
      { title: "Last in", cell: ([name]) => month(`${name}-01`) },
      ...models.map((id) => ({ title: id, number: true, cell: ([, values]) => (values.has(id) ? measure.cell(values.get(id)) : null) })),
    ],
    rows,
  };
}
