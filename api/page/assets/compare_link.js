// A link from a list to the comparison of its first models.

import { comparePath, MAX_MODELS } from "./compare_state.js";
import { h } from "./dom.js";

/** Returns the link, null for fewer than two models. `rows` have a `model_id`. */
export function compareLink(rows) {
  const models = rows.slice(0, MAX_MODELS).map((row) => row.model_id);
  return models.length > 1 ? h("a", { href: comparePath(models) }, `Compare the first ${models.length}`) : null;
}
