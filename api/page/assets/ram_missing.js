// Why a model has no RAM: the API decides and words it.

import { get } from "./api.js";

/** Returns the reasons of models by their id; those with RAM, now and by age, have none. */
export async function ramMissing(models) {
  if (!models.length) return new Map();
  const response = await get("ram/missing", { model: models, limit: models.length });
  return new Map(response.data.map((row) => [row.model_id, row]));
}

/** Returns a reason as the text of a notice. */
export const noRam = (detail) =>
  `No RAM: ${detail}. RAM needs a size, a release date, and ten models of the same size bin, observed at the same age.`;
