// Charts of one response each.

import { comparePath } from "./compare_state.js";
import { figure, hiddenLines } from "./figure.js";
import { compact, integer, percent, provenance, times } from "./format.js";

/* global d3, Plot */

export const MILESTONES = [7, 14, 30, 60, 90, 180, 365];
// Distinguishable with any colour vision, on white and on black.
export const PALETTE = ["#2f7fc1", "#d9731a", "#2c9c73", "#c4549b", "#8b6fd4", "#a98a14", "#3aa0b5", "#d2504c", "#7d8791"];
const OTHERS = "#7d8791";

export const utc = (text) => new Date(`${text.slice(0, 10)}T00:00:00Z`);
export const month = (text) => utc(text).toLocaleDateString("en", { month: "short", year: "numeric", timeZone: "UTC" });

/** Returns a plot over time. `y` are the options of its axis. */
export const timePlot = (width, y, marks, options = {}) =>
  Plot.plot({ width, height: 260, marginLeft: 46, x: { label: null, type: "utc" }, y: { grid: true, ...y }, marks, ...options });

/** RAM by age in whole days: one line per model, that of `emphasised` thicker, with 1.0x and the milestones. */
export function curves({ name, title, response, models, emphasised = null }) {
  const points = response.data.filter((row) => row.ram > 0);
  const colour = (model) => PALETTE[models.indexOf(model) % PALETTE.length];
  const oldest = d3.max(points, (row) => row.age_days) ?? 7;
  const milestones = MILESTONES.filter((age) => age <= oldest);
  const dots = points.filter((row) => milestones.includes(row.age_days));
  // Includes 1.0x, with a margin.
  const [lowest, highest] = d3.extent([1, ...points.map((row) => row.ram)]);
  const source = provenance(response);
  const draw = (width, hidden) => {
    const shown = (rows) => rows.filter((row) => !hidden.has(row.model_id));
    return Plot.plot({
      width,
      height: Math.min(420, Math.max(280, width / 2)),
      marginLeft: 46,
      marginRight: 20,
      marginBottom: 44,
      x: { label: "days since release", domain: [0, Math.max(oldest, 14)], ticks: milestones, tickFormat: String },
      y: { label: "RAM", type: "log", domain: [0.8 * lowest, 1.2 * highest], grid: true, ticks: 6, tickFormat: (value) => `${+value.toPrecision(1)}x` },
      marks: [
        Plot.ruleX(milestones, { strokeOpacity: 0.18 }),
        Plot.ruleY([1], { strokeWidth: 1.5, strokeDasharray: "5 3" }),
        Plot.line(shown(points), { x: "age_days", y: "ram", z: "model_id", stroke: (row) => colour(row.model_id), strokeWidth: (row) => (row.model_id === emphasised ? 3.5 : 1.75) }),
        Plot.dot(shown(dots), { x: "age_days", y: "ram", fill: (row) => colour(row.model_id), r: 3.5 }),
        Plot.text([[oldest, 1]], { text: ["1.0x: median of the top 10"], textAnchor: "end", dy: 9, fill: "currentColor", stroke: "var(--paper)", strokeWidth: 4 }),
        Plot.tip(shown(points), Plot.pointer({
          x: "age_days",
          y: "ram",
          title: (row) =>
            `${row.model_id}\n${times(row.ram)} at ${row.age_days} days\n${integer(row.cumulative)} downloads; ` +
            `1.0x is ${integer(Math.round(row.baseline_downloads))}\n${source}`,
        })),
      ],
    });
  };
  const byAge = new Map(dots.map((row) => [`${row.model_id} ${row.age_days}`, row]));
  return figure({
    name, title, response, draw,
    drawn: (hidden) =>
      points.filter((row) => !hidden.has(row.model_id))
        .map(({ model_id, age_days, as_of, ram, cumulative, baseline_downloads, peers }) =>
          ({ model_id, age_days, as_of, ram, cumulative, baseline_downloads, peers })),
    fileTitle: models.length > 1 ? title : `${models[0]}: ${title}`,
    links: [["Compare", comparePath(models)]],
    ...(models.length > 1 && { key: models.map((model) => [model, colour(model)]), hidden: hiddenLines(name) }),
    columns: [
      { title: "Model", cell: (model) => model },
      ...milestones.map((age) => ({
        title: `${age} days`,
        number: true,
        cell: (model) => (byAge.has(`${model} ${age}`) ? times(byAge.get(`${model} ${age}`).ram) : null),
      })),
    ],
    rows: models,
  });
}

/** Monthly shares of new downloads by group; groups beyond `top` are combined. */
export function shares({ name, title, response, label = (group) => group, top = 8 }) {
  const counted = response.data.filter((row) => row.downloads !== null);
  const totals = d3.rollup(counted, (rows) => d3.sum(rows, (row) => row.downloads), (row) => row.group);
  const ranked = [...totals].sort((a, b) => b[1] - a[1]).map(([group]) => group);
  const shown = ranked.length > top + 1 ? ranked.slice(0, top) : ranked;
  const others = ranked.length > shown.length ? [`${ranked.length - shown.length} others`] : [];
  const names = [...shown.map(label), ...others];
  const colour = (group) => (others.includes(group) ? OTHERS : PALETTE[names.indexOf(group) % PALETTE.length]);
  const months = d3.rollups(
    counted,
    (rows) => {
      const total = d3.sum(rows, (row) => row.downloads);
      const sums = d3.rollup(rows, (members) => d3.sum(members, (row) => row.downloads),
        (row) => (shown.includes(row.group) ? label(row.group) : others[0]));
      return new Map(names.map((group) => [group, { downloads: sums.get(group) ?? 0, share: total ? (sums.get(group) ?? 0) / total : null }]));
    },
    (row) => row.period,
  ).sort((a, b) => d3.ascending(a[0], b[0]));
  const bars = months.flatMap(([period, groups]) => names.map((group) => ({ period: utc(period), group, ...groups.get(group) })));
  const source = provenance(response);
  const draw = (width) =>
    timePlot(width, { label: "share of new downloads (%)", percent: true }, [
      Plot.rectY(bars, {
        x: "period",
        y: "share",
        interval: "month",
        fill: (row) => colour(row.group),
        order: names,
        insetLeft: 0.5,
        insetRight: 0.5,
        title: (row) => `${row.group}, ${month(row.period.toISOString())}\n${percent(row.share)}: ${integer(row.downloads)} downloads\n${source}`,
        tip: { format: { x: false, y: false, fill: false } },
      }),
    ], { height: 300 });
  return figure({
    name, title, response, draw,
    drawn: () => bars.map(({ period, group, downloads, share }) => ({ month: period, group, downloads, share })),
    fileTitle: `Share of new downloads ${title.charAt(0).toLowerCase()}${title.slice(1)}`,
    key: names.map((group) => [group, colour(group)]),
    columns: [
      { title: "Month", cell: ([period]) => month(period) },
      ...names.map((group) => ({
        title: group,
        number: true,
        cell: ([, groups]) => (groups.get(group).share === null ? null : percent(groups.get(group).share)),
      })),
    ],
    rows: months.toReversed(),
  });
}

/** Monthly share of open models in classified tokens, with its possible range. */
export function openShare({ name, title, response }) {
  const rows = response.data.filter((row) => row.open_share !== null).map((row) => ({ ...row, month: utc(row.period) }));
  const source = provenance(response);
  const draw = (width) =>
    timePlot(width, { label: "open models' share of tokens (%)", percent: true, zero: true }, [
      Plot.areaY(rows, { x: "month", y1: "lowest", y2: "highest", fill: PALETTE[0], fillOpacity: 0.18 }),
      Plot.lineY(rows, { x: "month", y: "open_share", stroke: PALETTE[0], strokeWidth: 2 }),
      Plot.dot(rows, { x: "month", y: "open_share", fill: (row) => (row.whole ? PALETTE[0] : "var(--paper)"), stroke: PALETTE[0], r: 3.5 }),
      Plot.tip(rows, Plot.pointerX({
        x: "month",
        y: "open_share",
        title: (row) =>
          `${month(row.period)}${row.whole ? "" : `, ${row.days} days`}\n${percent(row.open_share)} open ` +
          `(${percent(row.lowest)} to ${percent(row.highest)})\n${compact(row.open_tokens)} tokens of open models\n${source}`,
      })),
    ]);
  return figure({
    name, title, response, draw,
    drawn: () => rows.map(({ month: _date, ...row }) => row),
    columns: [
      { title: "Month", cell: (row) => month(row.period) + (row.whole ? "" : ` (${row.days} days)`) },
      { title: "Open", number: true, cell: (row) => percent(row.open_share) },
      { title: "Minimum", number: true, cell: (row) => percent(row.lowest) },
      { title: "Maximum", number: true, cell: (row) => percent(row.highest) },
      { title: "Open tokens", number: true, cell: (row) => integer(row.open_tokens) },
    ],
    rows: rows.toReversed(),
  });
}

// What a day's downloads rest on, see docs/definitions.md; periods of an API that does not say are observed.
const BASES = {
  observed: ["observed", PALETTE[0]],
  held: ["held: the counter was not renewed, spread evenly", PALETTE[1]],
  gap: ["gap: more than 4 days without a known counter, spread evenly", OTHERS],
};
const CORRECTION = PALETTE[7];
const FINISHED = 0.95;

/** New downloads of one model by day or week, with what they rest on, and corrections. */
export function downloads({ name, title, response, interval }) {
  const rows = response.data.filter((row) => row.downloads !== null)
    .map((row) => ({ ...row, day: utc(row.period), basis: row.basis ?? "observed", correction: row.correction ?? 0 }));
  const corrections = response.data.filter((row) => row.correction > 0).map((row) => ({ ...row, day: utc(row.period) }));
  const source = provenance(response);
  const state = (row) =>
    [row.basis === "observed" ? null : row.basis, row.covered < FINISHED ? "unfinished" : null].filter(Boolean).join(", ");
  const draw = (width) =>
    timePlot(width, { label: `new downloads per ${interval}`, tickFormat: compact }, [
      Plot.rectY(rows, {
        x: "day",
        y: "downloads",
        interval: interval === "week" ? d3.utcMonday : "day",
        fill: (row) => BASES[row.basis][1],
        fillOpacity: (row) => (row.covered < FINISHED ? 0.45 : 1),
        title: (row) =>
          `${interval === "week" ? "week of " : ""}${row.period}${state(row) && `, ${state(row)}`}\n` +
          `${integer(row.downloads)} new, ${integer(row.cumulative)} in total\n${source}`,
        tip: { format: { x: false, y: false, fill: false, fillOpacity: false } },
      }),
      Plot.ruleY([0]),
      Plot.dot(corrections, {
        x: "day", y: 0, symbol: "triangle", fill: CORRECTION, r: 5,
        title: (row) => `${row.period}\n${integer(row.correction)} downloads taken away by a correction\n${source}`,
      }),
    ], { marginLeft: 56 });
  const shown = Object.entries(BASES).filter(([basis]) => rows.some((row) => row.basis === basis)).map(([, entry]) => entry);
  const key = corrections.length ? [...shown, ["correction", CORRECTION]] : shown;
  return figure({
    name, title, response, draw,
    drawn: () => rows.map(({ day: _date, ...row }) => row),
    fileTitle: `${rows[0].group}: ${title}`,
    key: key.length > 1 ? key : null,
    columns: [
      { title: interval === "week" ? "Week of" : "Day", cell: (row) => row.period },
      { title: "New", number: true, cell: (row) => integer(row.downloads) },
      { title: "Total", number: true, cell: (row) => integer(row.cumulative) },
      ...(rows.some(state) ? [{ title: "State", cell: (row) => state(row) || "observed" }] : []),
      ...(corrections.length ? [{ title: "Corrected by", number: true, cell: (row) => integer(row.correction) }] : []),
    ],
    rows: rows.toReversed(),
  });
}
