// Filters: forms whose values are in the address, so that a view can be shared.

import { h } from "./dom.js";
import { region } from "./format.js";

export const SIZES = ["<1B", "1-5B", "7-9B", "10-50B", "50-100B", "100-250B", "250B+"];
const REGIONS = ["us", "china", "eu", "other", "unknown", "unreviewed"];
const OPTIONS = { size_bin: SIZES, region: REGIONS, status: ["confirmed", "burst"], tracked: ["true", "false"] };
const LABELS = { region, tracked: (value) => (value === "true" ? "tracked" : "not tracked") };

/** Fills the form's selects, and sets its fields from the address. Values that a field does not have are ignored. */
export function restore(form) {
  const query = new URLSearchParams(location.search);
  for (const field of form.elements) {
    if (OPTIONS[field.name] && field.options.length === 1)
      field.append(...OPTIONS[field.name].map((value) => h("option", { value }, (LABELS[field.name] ?? String)(value))));
    const value = query.get(field.name) ?? "";
    if (field.type === "checkbox") field.checked = value === field.value;
    else if (field.name) field.value = value;
    if (field.type === "select-one" && field.selectedIndex < 0) field.value = "";
  }
}

/** Returns the values of the form by name, without empty ones. */
export const valuesOf = (form) =>
  Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, value.trim()]).filter(([, value]) => value));

/** Returns the address of this page with these values. */
export function addressOf(values) {
  const query = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  return query.size ? `${location.pathname}?${query}` : location.pathname;
}
