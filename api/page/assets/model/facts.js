// Facts about a model, with their sources.

import { h } from "../dom.js";
import { modelLink, number, provenance, region, timestamp } from "../format.js";

/** Returns the facts as terms and descriptions. */
export function facts(response) {
  const [model] = response.data;
  const source = provenance(response);
  const fact = (value, by, format = String) => number(value, format, source, { detail: by ? `By ${by}` : undefined });
  const billions = (value, by) =>
    number(value, (parameters) => `${Number(parameters.toPrecision(3))} billion`, source, { detail: value == null ? undefined : `${value} billion, by ${by}` });
  const bases = model.base_models.flatMap((base, index) => [index ? ", " : "", modelLink(base)]);
  const pairs = [
    ["Organisation", fact(model.org)],
    ["Region", fact(model.region, model.region_source, region)],
    ["Size bin", fact(model.size_bin, model.size_source)],
    ["Parameters", billions(model.total_params_b, model.size_source)],
    ["Active", billions(model.active_params_b, model.size_source)],
    ["Released", fact(model.released_at, model.released_source)],
    ["Licence", fact(model.license)],
    ["Task", fact(model.pipeline_tag)],
    ["Derives from", bases.length ? [...bases, ` (${model.base_relation ?? "unknown"})`] : "unknown"],
    ["Tracked", model.tracked ? "yes: can be a peer of other models" : "no: has RAM, but is not a peer of others"],
    ["Updated", timestamp(model.observed_at)],
  ];
  return pairs.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
}
