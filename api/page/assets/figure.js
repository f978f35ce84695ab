// Figures: a chart with its key, its source, its files, and its data table.

import { fileButtons } from "./chart_files.js";
import { h } from "./dom.js";
import { provenance } from "./format.js";
import { table } from "./table.js";

const hiddenByFigure = new Map();

/** Returns the labels of the lines that are hidden in a figure; a figure that is drawn again keeps them. */
export function hiddenLines(name) {
  if (!hiddenByFigure.has(name)) hiddenByFigure.set(name, new Set());
  return hiddenByFigure.get(name);
}

/**
 * Returns a figure. `draw(width, hidden)` returns the chart and is called with the width in pixels, again when it changes.
 * `drawn(hidden)` returns the rows behind the chart, as its CSV file has them. With `hidden`, a set of labels, each entry of
 * `key` is a button that hides or shows its line, and calls `onhide`. `fileTitle` is the title where the page is not around it.
 * `links` are [text, address] of related pages.
 */
export function figure({ name, title, response, draw, drawn = () => rows, columns, rows, key = null, hidden = null, onhide, fileTitle = title, files = true, links = [] }) {
  const container = h("div");
  const source = provenance(response);
  let width = 0;
  const show = () => container.replaceChildren(image(draw(width, hidden ?? new Set()), title));
  new ResizeObserver(() => {
    const available = Math.round(container.clientWidth);
    if (!available || available === width) return;
    width = available;
    show();
  }).observe(container);
  const toggle = (label) => {
    if (!hidden.delete(label)) hidden.add(label);
    if (width) show();
    onhide?.();
  };
  const chart = { name, title: fileTitle, response, draw, drawn, key, hidden: hidden ?? new Set() };
  return h(
    "figure",
    { "data-name": name },
    title && h("h3", {}, title),
    key && legend(name, key, hidden, toggle),
    container,
    h(
      "figcaption", {}, source, ". ",
      files ? [...fileButtons(chart), h("a", { href: csv(response.self), title: "All rows of the response, as CSV" }, "API")] : null,
      links.flatMap(([text, href]) => [" ", h("a", { href }, text)]),
    ),
    h("details", { "data-name": name }, h("summary", {}, "Data table"), table({ name, caption: `${title}. ${source}`, columns, rows })),
  );
}

function legend(name, key, hidden, toggle) {
  const swatch = (colour) => h("i", { style: `background:${colour}` });
  const entry = (label, colour) => {
    if (!hidden) return [swatch(colour), label];
    const button = h("button", {
      type: "button",
      "aria-pressed": String(!hidden.has(label)),
      "data-name": `${name}-${label}`,
      title: "Show or hide this line",
      onclick: () => {
        toggle(label);
        button.setAttribute("aria-pressed", String(!hidden.has(label)));
      },
    }, swatch(colour), label);
    return [button];
  };
  return h("ul", { class: "key" }, key.map(([label, colour]) => h("li", {}, entry(label, colour))));
}

// One image to screen readers: the numbers are in the table.
function image(drawing, title) {
  for (const mark of drawing.querySelectorAll("[aria-label]")) mark.removeAttribute("aria-label");
  drawing.setAttribute("role", "img");
  drawing.setAttribute("aria-label", `${title}. The data are in the table below.`);
  return drawing;
}

/** Returns the URL of a response as CSV, with all rows. */
export function csv(self) {
  const url = new URL(self, location.href);
  for (const name of ["limit", "cursor"]) url.searchParams.delete(name);
  url.searchParams.set("format", "csv");
  return url.pathname + url.search;
}
