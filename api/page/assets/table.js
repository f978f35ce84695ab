// Tables: sortable by column, and scrollable with the keyboard where they are too wide.

import { h } from "./dom.js";

/**
 * Returns a table. A column is {title, cell(row), sort(row)?, number?, wide?, rank?}; `wide` ones are hidden on phones, `rank` ones narrow.
 * The column with `header`, else the first, is the row header. The caller stores `order`, so that a redrawn table keeps it. Rows that are
 * `presorted` are in this order already.
 */
export function table({ name, caption, columns, rows, order = null, fresh = () => false, onorder, presorted = false }) {
  const sorted = order && !presorted
    ? [...rows].sort((a, b) => compare(columns[order.column].sort(a), columns[order.column].sort(b), order.sign))
    : rows;
  const header = Math.max(0, columns.findIndex((column) => column.header));
  const css = (column) => [column.number && "number", column.wide && "wide", column.rank && "rank"].filter(Boolean).join(" ") || null;
  const heads = columns.map((column, index) => {
    const sign = order?.column === index ? order.sign : 0;
    const choose = () => onorder({ column: index, sign: sign ? -sign : column.number ? -1 : 1 });
    return h(
      "th",
      { scope: "col", class: css(column), "aria-sort": sign ? (sign > 0 ? "ascending" : "descending") : null },
      column.sort && onorder
        ? h("button", { type: "button", "data-name": `${name}-${column.title}`, onclick: choose }, column.title)
        : column.title,
    );
  });
  const body = sorted.map((row) =>
    h(
      "tr",
      { class: fresh(row) ? "fresh" : null },
      columns.map((column, index) =>
        h(index === header ? "th" : "td", { class: css(column), scope: index === header ? "row" : null }, column.cell(row) ?? "–"),
      ),
    ),
  );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    // The tooltip of cells without one of their own.
    h("table", { title: caption }, h("caption", {}, caption), h("thead", {}, h("tr", {}, heads)), h("tbody", {}, body)),
  );
}

// Missing values are last in both directions.
function compare(a, b, sign) {
  if (a == null || b == null) return (a == null) - (b == null);
  return sign * (a < b ? -1 : a > b ? 1 : 0);
}
