// Files of a chart: SVG and PNG with source and citation in the image, and CSV of the drawn data.

import { standaloneSvg } from "./chart_image.js";
import { h } from "./dom.js";

const PIXELS_PER_UNIT = 2;
// What a spreadsheet would read as a formula, as the API's `csv_safe` defines it.
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/** Returns the buttons that download a chart: {name, title, response, draw, drawn, key, hidden}. */
export function fileButtons(chart) {
  const formats = {
    SVG: async () => new Blob([standaloneSvg(chart).text], { type: "image/svg+xml" }),
    PNG: async () => png(standaloneSvg(chart)),
    CSV: async () => new Blob([csvText(chart.drawn(chart.hidden))], { type: "text/csv" }),
  };
  return Object.entries(formats).map(([format, build]) =>
    h("button", {
      type: "button",
      class: "file",
      "data-name": `${chart.name}-${format}`,
      "aria-label": `${format}: download ${chart.title}`,
      onclick: async () => save(fileName(chart, format), await build()),
    }, format),
  );
}

/** Returns rows as CSV (RFC 4180 with line feeds, as the API's). Texts that a spreadsheet would execute are escaped. */
export function csvText(rows) {
  const columns = Object.keys(rows[0] ?? {});
  return [columns, ...rows.map((row) => columns.map((column) => row[column]))]
    .map((cells) => `${cells.map(cell).join(",")}\n`).join("");
}

function cell(value) {
  if (value == null) return "";
  if (value instanceof Date) return value.toISOString().slice(0, 10);
  if (typeof value !== "string") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

async function png({ text, width, height }) {
  const picture = new Image();
  // Not a blob: the page's policy allows images of its own and data URLs.
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await picture.decode();
  const canvas = h("canvas", { width: PIXELS_PER_UNIT * width, height: PIXELS_PER_UNIT * height });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

const fileName = ({ name, response }, format) =>
  ["breakout", name, response.as_of?.slice(0, 10)].filter(Boolean).join("-") + `.${format.toLowerCase()}`;

function save(name, blob) {
  const url = URL.createObjectURL(blob);
  h("a", { href: url, download: name }).click();
  // The browser reads it after the click.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
