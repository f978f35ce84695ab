// Requests to the API.

import { escapeInvisible } from "./format.js";

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

// Texts come from third parties. Integers above 2^53 stay exact where the browser supports it.
function revive(name, value, context) {
  if (name === "bibtex" && typeof value === "string") return value.split("\n").map(escapeInvisible).join("\n");
  if (typeof value === "string") return escapeInvisible(value);
  return typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source
    ? BigInt(context.source)
    : value;
}

/** Returns {data, as_of, self, sources}. Array parameters are repeated, empty ones omitted. Throws Problem. */
export async function get(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(parameters))
    for (const value of [values].flat()) if (value !== "" && value != null) query.append(name, value);
  let response;
  try {
    response = await fetch(`/v1/${path}${query.size ? `?${query}` : ""}`, { headers: { Accept: "application/json" } });
  } catch {
    throw new Problem(0, "The server does not respond");
  }
  const body = JSON.parse(await response.text(), revive);
  if (!response.ok) throw new Problem(response.status, body.detail);
  return body;
}
