// Tables: sortable by their headings, scrollable by the keyboard where they are too wide.

import { h } from "./write.js";

/**
 * Returns a table. A column is {title, cell(row), sort(row)?, number?, wide?}: `wide` ones are left out on a phone.
 * The first column names the row. `order` is kept by the caller, so that a redrawn table is sorted as before.
 */
export function table({ name, caption, columns, rows, order = null, fresh = () => false, onorder }) {
  const sorted = order
    ? [...rows].sort((a, b) => compare(columns[order.column].sort(a), columns[order.column].sort(b), order.sign))
    : rows;
  const css = (column) => [column.number && "number", column.wide && "wide"].filter(Boolean).join(" ") || null;
  const heads = columns.map((column, at) => {
    const sign = order?.column === at ? order.sign : 0;
    const choose = () => onorder({ column: at, sign: sign ? -sign : column.number ? -1 : 1 });
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
      columns.map((column, at) =>
        h(at ? "td" : "th", { class: css(column), scope: at ? null : "row" }, column.cell(row) ?? "–"),
      ),
    ),
  );
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    // A cell that says nothing itself says on hover what the table does.
    h("table", { title: caption }, h("caption", {}, caption), h("thead", {}, h("tr", {}, heads)), h("tbody", {}, body)),
  );
}

// What is missing comes last, whichever way it is sorted.
function compare(a, b, sign) {
  if (a == null || b == null) return (a == null) - (b == null);
  return sign * (a < b ? -1 : a > b ? 1 : 0);
}
