// Uses the types that openapi-typescript generated; the compiler checks them.
import type { components, paths } from "./breakout.js";

type Ram = paths["/v1/ram"]["get"];
type Row = Ram["responses"][200]["content"]["application/json"]["data"][number];
type Query = NonNullable<Ram["parameters"]["query"]>;

const query: Query = { model: ["qi/Big-300B"], format: "json", max_age: 90, as_of: "2026-04-01" };
// @ts-expect-error: no such format
const unknownFormat: Query = { format: "xlsx" };
// @ts-expect-error: no such parameter
const unknownParameter: Query = { limti: 5 };

export function describe(row: Row): string {
  const ram: number | null = row.ram;
  return `${row.model_id}: ${ram === null ? "not available" : ram.toFixed(2)}`;
}
export function invalid(problem: components["schemas"]["Problem"]): string[] {
  return (problem.errors ?? []).map((error) => error.parameter);
}
export { query, unknownFormat, unknownParameter };
