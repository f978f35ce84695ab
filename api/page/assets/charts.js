// Charts: each a figure with what it shows, its numbers as a table, and where they come from.

import { table } from "./table.js";
import { h, percent, provenance, short, times, whole } from "./write.js";

/* global d3, Plot */

export const MILESTONES = [7, 14, 30, 60, 90, 180, 365];
// Told apart with any kind of colour vision, on white and on black.
const COLOURS = ["#2f7fc1", "#d9731a", "#2c9c73", "#c4549b", "#8b6fd4", "#a98a14", "#3aa0b5", "#d2504c", "#7d8791"];
const REST = "#7d8791";

export const utc = (text) => new Date(`${text.slice(0, 10)}T00:00:00Z`);
export const month = (text) => utc(text).toLocaleDateString("en", { month: "short", year: "numeric", timeZone: "UTC" });

/** Returns a figure. `draw(width)` draws at a width in pixels, and again when that changes. */
function figure({ name, title, answer, draw, columns, rows, key }) {
  const place = h("div");
  const from = provenance(answer);
  let width = 0;
  new ResizeObserver(() => {
    const now = Math.round(place.clientWidth);
    if (!now || now === width) return;
    width = now;
    const drawing = draw(now);
    // One picture, whose parts need no names: its numbers are in the table.
    for (const mark of drawing.querySelectorAll("[aria-label]")) mark.removeAttribute("aria-label");
    drawing.setAttribute("role", "img");
    drawing.setAttribute("aria-label", `${title}. The numbers are in the table below.`);
    place.replaceChildren(drawing);
  }).observe(place);
  return h(
    "figure",
    { "data-name": name },
    title && h("h3", {}, title),
    key && h("ul", { class: "key" }, key.map(([label, colour]) => h("li", {}, h("i", { style: `background:${colour}` }), label))),
    place,
    h("figcaption", {}, from, ". ", h("a", { href: csv(answer.self) }, "CSV")),
    h("details", { "data-name": name }, h("summary", {}, "The numbers"), table({ name, caption: `${title}. ${from}`, columns, rows })),
  );
}

/** Returns the address of an answer as a table to download. */
export function csv(address) {
  const url = new URL(address, location.href);
  url.searchParams.delete("limit");
  url.searchParams.set("format", "csv");
  return url.pathname + url.search;
}

/** RAM by age: one line for each of `models`, 1.0x, and the milestones. Ages are whole days. */
export function curves({ name, title, answer, models }) {
  const scored = answer.data.filter((row) => row.ram > 0);
  const colour = (model) => COLOURS[models.indexOf(model) % COLOURS.length];
  const last = d3.max(scored, (row) => row.age_days) ?? 7;
  const marked = MILESTONES.filter((age) => age <= last);
  const told = scored.filter((row) => marked.includes(row.age_days));
  // With 1.0x in it, and room around.
  const [lowest, highest] = d3.extent([1, ...scored.map((row) => row.ram)]);
  const from = provenance(answer);
  const draw = (width) =>
    Plot.plot({
      width,
      height: Math.min(420, Math.max(280, width / 2)),
      marginLeft: 46,
      marginRight: 20,
      marginBottom: 44,
      x: { label: "days since release", domain: [0, Math.max(last, 14)], ticks: marked, tickFormat: String },
      y: { label: "RAM", type: "log", domain: [0.8 * lowest, 1.2 * highest], grid: true, ticks: 6, tickFormat: (value) => `${+value.toPrecision(1)}x` },
      marks: [
        Plot.ruleX(marked, { strokeOpacity: 0.18 }),
        Plot.ruleY([1], { strokeWidth: 1.5, strokeDasharray: "5 3" }),
        Plot.line(scored, { x: "age_days", y: "ram", z: "model_id", stroke: (row) => colour(row.model_id), strokeWidth: 2 }),
        Plot.dot(told, { x: "age_days", y: "ram", fill: (row) => colour(row.model_id), r: 3.5 }),
        Plot.text([[last, 1]], { text: ["1.0x: the median of the top 10"], textAnchor: "end", dy: 9, fill: "currentColor", stroke: "var(--paper)", strokeWidth: 4 }),
        Plot.tip(
          scored,
          Plot.pointer({
            x: "age_days",
            y: "ram",
            title: (row) =>
              `${row.model_id}\n${times(row.ram)} at ${row.age_days} days\n${whole(row.cumulative)} downloads; ` +
              `1.0x is ${whole(Math.round(row.baseline_downloads))}\n${from}`,
          }),
        ),
      ],
    });
  const at = new Map(told.map((row) => [`${row.model_id} ${row.age_days}`, row]));
  return figure({
    name,
    title,
    answer,
    draw,
    key: models.length > 1 ? models.map((model) => [model, colour(model)]) : null,
    columns: [
      { title: "Model", cell: (model) => model },
      ...marked.map((age) => ({
        title: `${age} days`,
        number: true,
        cell: (model) => (at.has(`${model} ${age}`) ? times(at.get(`${model} ${age}`).ram) : null),
      })),
    ],
    rows: models,
  });
}

/** Shares by month of the new downloads of groups; beyond `top` they are one. */
export function shares({ name, title, answer, label = (group) => group, top = 8 }) {
  const counted = answer.data.filter((row) => row.downloads !== null);
  const totals = d3.rollup(counted, (rows) => d3.sum(rows, (row) => row.downloads), (row) => row.group);
  const ranked = [...totals].sort((a, b) => b[1] - a[1]).map(([group]) => group);
  const shown = ranked.length > top + 1 ? ranked.slice(0, top) : ranked;
  const rest = ranked.length > shown.length ? [`${ranked.length - shown.length} others`] : [];
  const names = [...shown.map(label), ...rest];
  const colour = (one) => (rest.includes(one) ? REST : COLOURS[names.indexOf(one) % COLOURS.length]);
  const months = d3.rollups(
    counted,
    (rows) => {
      const all = d3.sum(rows, (row) => row.downloads);
      const own = d3.rollup(rows, (some) => d3.sum(some, (row) => row.downloads),
        (row) => (shown.includes(row.group) ? label(row.group) : rest[0]));
      return new Map(names.map((one) => [one, { downloads: own.get(one) ?? 0, share: all ? (own.get(one) ?? 0) / all : null }]));
    },
    (row) => row.period,
  ).sort((a, b) => d3.ascending(a[0], b[0]));
  const bars = months.flatMap(([period, groups]) => names.map((one) => ({ period: utc(period), group: one, ...groups.get(one) })));
  const from = provenance(answer);
  const draw = (width) =>
    Plot.plot({
      width,
      height: 300,
      marginLeft: 46,
      x: { label: null },
      y: { label: "share of new downloads", percent: true, grid: true },
      marks: [
        Plot.rectY(bars, {
          x: "period",
          y: "share",
          interval: "month",
          fill: (row) => colour(row.group),
          order: names,
          insetLeft: 0.5,
          insetRight: 0.5,
          title: (row) => `${row.group}, ${month(row.period.toISOString())}\n${percent(row.share)}: ${whole(row.downloads)} downloads\n${from}`,
          tip: { format: { x: false, y: false, fill: false } },
        }),
      ],
    });
  return figure({
    name,
    title,
    answer,
    draw,
    key: names.map((one) => [one, colour(one)]),
    columns: [
      { title: "Month", cell: ([period]) => month(period) },
      ...names.map((one) => ({
        title: one,
        number: true,
        cell: ([, groups]) => (groups.get(one).share === null ? null : percent(groups.get(one).share)),
      })),
    ],
    rows: months.toReversed(),
  });
}

/** Share of open models in classified tokens by month, between what it could be. */
export function openShare({ name, title, answer }) {
  const rows = answer.data.filter((row) => row.open_share !== null).map((row) => ({ ...row, month: utc(row.period) }));
  const from = provenance(answer);
  const draw = (width) =>
    Plot.plot({
      width,
      height: 260,
      marginLeft: 46,
      x: { label: null, type: "utc" },
      y: { label: "open models' share of tokens", percent: true, grid: true, zero: true },
      marks: [
        Plot.areaY(rows, { x: "month", y1: "lowest", y2: "highest", fill: COLOURS[0], fillOpacity: 0.18 }),
        Plot.lineY(rows, { x: "month", y: "open_share", stroke: COLOURS[0], strokeWidth: 2 }),
        Plot.dot(rows, { x: "month", y: "open_share", fill: (row) => (row.whole ? COLOURS[0] : "var(--paper)"), stroke: COLOURS[0], r: 3.5 }),
        Plot.tip(
          rows,
          Plot.pointerX({
            x: "month",
            y: "open_share",
            title: (row) =>
              `${month(row.period)}${row.whole ? "" : `, ${row.days} days of it`}\n${percent(row.open_share)} open ` +
              `(${percent(row.lowest)} to ${percent(row.highest)})\n${short(row.open_tokens)} tokens of open models\n${from}`,
          }),
        ),
      ],
    });
  return figure({
    name,
    title,
    answer,
    draw,
    columns: [
      { title: "Month", cell: (row) => month(row.period) + (row.whole ? "" : ` (${row.days} days)`) },
      { title: "Open", number: true, cell: (row) => percent(row.open_share) },
      { title: "At least", number: true, cell: (row) => percent(row.lowest) },
      { title: "At most", number: true, cell: (row) => percent(row.highest) },
      { title: "Open tokens", number: true, cell: (row) => whole(row.open_tokens) },
    ],
    rows: rows.toReversed(),
  });
}

/** New downloads of one model by period. */
export function downloads({ name, title, answer, interval }) {
  const rows = answer.data.filter((row) => row.downloads !== null).map((row) => ({ ...row, day: utc(row.period) }));
  const from = provenance(answer);
  const draw = (width) =>
    Plot.plot({
      width,
      height: 260,
      marginLeft: 56,
      x: { label: null, type: "utc" },
      y: { label: `new downloads by ${interval}`, grid: true, tickFormat: short },
      marks: [
        Plot.rectY(rows, {
          x: "day",
          y: "downloads",
          interval: interval === "week" ? d3.utcMonday : "day",
          fill: COLOURS[0],
          title: (row) =>
            `${interval === "week" ? "week of " : ""}${row.period}\n${whole(row.downloads)} new, ${whole(row.cumulative)} in all\n${from}`,
          tip: { format: { x: false, y: false } },
        }),
        Plot.ruleY([0]),
      ],
    });
  return figure({
    name,
    title,
    answer,
    draw,
    columns: [
      { title: interval === "week" ? "Week of" : "Day", cell: (row) => row.period },
      { title: "New", number: true, cell: (row) => whole(row.downloads) },
      { title: "In all", number: true, cell: (row) => whole(row.cumulative) },
    ],
    rows: rows.toReversed(),
  });
}
