// A chart as one SVG file: title, key, chart, source and citation, without style sheets.

import { h } from "./dom.js";
import { provenance } from "./format.js";

const WIDTH = 960;
const MARGIN = 24;
const LINE = 18;
const SMALL = 12;
const FONT = "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const TEXT = "#1b2129";
const QUIET = "#55606d";
const PAPER = "#ffffff";
// What style sheets, `currentColor` and inheritance decide.
const STYLES = [
  "fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linejoin", "stroke-linecap",
  "opacity", "font-family", "font-size", "font-style", "font-weight", "text-anchor", "paint-order", "visibility",
];

/** Returns {text, width, height} of a chart, drawn anew in light colours, whatever the page's are. */
export function standaloneSvg({ title, response, draw, key, hidden }) {
  const chart = drawnIn(WIDTH - 2 * MARGIN, (width) => draw(width, hidden));
  let y = MARGIN + LINE;
  const parts = wrapped(title, 20, 700).map((line) => svg("text", { x: MARGIN, y: next(26), "font-size": 20, "font-weight": 700 }, line));
  const entries = (key ?? []).filter(([label]) => !hidden.has(label));
  let x = MARGIN;
  for (const [label, colour] of entries) {
    const width = 18 + widthOf(label, SMALL) + 20;
    if (x > MARGIN && x + width > WIDTH - MARGIN) [x, y] = [MARGIN, y + LINE];
    parts.push(svg("rect", { x, y: y - 10, width: 11, height: 11, rx: 2, fill: colour }), svg("text", { x: x + 17, y }, label));
    x += width;
  }
  if (entries.length) y += LINE;
  chart.setAttribute("x", MARGIN);
  chart.setAttribute("y", y);
  chart.setAttribute("overflow", "visible");
  parts.push(chart);
  y += Number(chart.getAttribute("height")) + LINE + 4;
  for (const line of [...simulated(), `${provenance(response)}.`, response.citation].flatMap((text) => wrapped(text, SMALL)))
    parts.push(svg("text", { x: MARGIN, y: next(LINE), fill: QUIET }, line));
  const height = Math.ceil(y - LINE + MARGIN);
  const root = svg(
    "svg",
    { width: WIDTH, height, viewBox: `0 0 ${WIDTH} ${height}`, "font-family": FONT, "font-size": SMALL, fill: TEXT },
    svg("title", {}, title),
    svg("desc", {}, response.citation),
    svg("rect", { width: WIDTH, height, fill: PAPER }),
    ...parts,
  );
  return { text: new XMLSerializer().serializeToString(root), width: WIDTH, height };

  function next(step) {
    const line = y;
    y += step;
    return line;
  }
}

/** Returns what the page says of data that a demo wrote. */
const simulated = () =>
  [...document.querySelectorAll(".invented, .season")].filter((note) => note.checkVisibility()).map((note) => note.textContent.replace(/\s+/g, " ").trim());

/** Returns a chart with its computed styles as attributes. It is drawn outside the window, in light colours. */
function drawnIn(width, draw) {
  const stage = h("figure", { class: "stage", "aria-hidden": "true" });
  document.body.append(stage);
  try {
    const chart = draw(width);
    stage.append(chart);
    const originals = [chart, ...chart.querySelectorAll("*")];
    const styles = originals.map((element) => getComputedStyle(element));
    const parents = new Map(originals.map((element, index) => [element, styles[index]]));
    const values = originals.map((element, index) => {
      const inherited = parents.get(element.parentElement);
      return STYLES.map((name) => [name, styles[index].getPropertyValue(name)]).filter(
        ([name, value]) => element.hasAttribute(name) || value !== (name === "opacity" ? "1" : inherited?.getPropertyValue(name)),
      );
    });
    originals.forEach((element, index) => {
      for (const name of ["class", "style", "aria-label", "aria-hidden", "tabindex"]) element.removeAttribute(name);
      for (const [name, value] of values[index]) element.setAttribute(name, value);
    });
    for (const sheet of chart.querySelectorAll("style")) sheet.remove();
    return chart;
  } finally {
    stage.remove();
  }
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

let canvas = null;

function widthOf(text, size, weight = 400) {
  canvas ??= document.createElement("canvas").getContext("2d");
  canvas.font = `${weight} ${size}px ${FONT}`;
  return canvas.measureText(text).width;
}

/** Returns the lines of a text, broken at spaces, and within addresses that are too long for a line. */
function wrapped(text, size, weight) {
  const lines = [""];
  for (const piece of text.match(/\s*[^\s&?]+[&?]?|\s+/g) ?? []) {
    if (widthOf(lines.at(-1) + piece, size, weight) <= WIDTH - 2 * MARGIN) lines.push(lines.pop() + piece);
    else lines.push(piece.trimStart());
  }
  return lines.filter(Boolean);
}
