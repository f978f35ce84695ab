// Questions to the API.

import { visible } from "./write.js";

export class Problem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

// Texts are others'. A whole number that passes 2^53 stays exact where the browser lets it.
function read(_name, value, context) {
  if (typeof value === "string") return visible(value);
  return typeof value === "number" && Number.isInteger(value) && !Number.isSafeInteger(value) && context?.source
    ? BigInt(context.source)
    : value;
}

/** Returns {data, as_of, self, sources}. Values that are arrays are repeated; empty ones are left out. */
export async function ask(path, parameters = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    for (const one of [value].flat()) if (one !== "" && one != null) query.append(name, one);
  const address = `/v1/${path}${query.size ? `?${query}` : ""}`;
  let answer;
  try {
    answer = await fetch(address, { headers: { Accept: "application/json" } });
  } catch {
    throw new Problem(0, "The server does not answer");
  }
  const said = JSON.parse(await answer.text(), read);
  if (!answer.ok) throw new Problem(answer.status, said.detail);
  return said;
}
