// What can be put on other pages: links, iframes and badges, each as a line to paste.

import { copyButton } from "./citation.js";
import { writeState } from "./compare_state.js";
import { h } from "./dom.js";
import { modelPath } from "./format.js";

const HEIGHT = 560;
const BADGES = [["ram", "RAM"], ["rank", "RAM rank"], ["downloads", "downloads"]];

/** Returns the lines of a comparison. `asOf` is the timestamp of its figures. */
export function comparisonShare(state, asOf) {
  const query = writeState(state);
  return h(
    "dl", { class: "lines" },
    line("Link", `${location.origin}/compare${query}`),
    asOf && line("Link, as of now", `${location.origin}/compare${writeState({ ...state, as_of: asOf })}`),
    line("Embed", iframe(`/embed/compare${query}`, `Breakout: ${state.models.join(", ")}`)),
  );
}

/** Returns the badges and the iframe of a model. */
export function modelShare(modelId) {
  const path = modelPath(modelId);
  return h(
    "dl", { class: "lines" },
    BADGES.flatMap(([kind, label]) => {
      const image = `/badge/${kind}/${path}.svg`;
      const page = `${location.origin}/models/${path}`;
      return line(`Badge: ${label}`, `[![${label}](${location.origin}${image})](${page})`, h("img", { src: image, alt: `Badge: ${label} of ${modelId}`, height: 20 }));
    }),
    line("Embed", iframe(`/embed/models/${path}`, `Breakout: ${modelId}`)),
  );
}

function iframe(address, title) {
  const attribute = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  return `<iframe src="${attribute(location.origin + address)}" title="${attribute(title)}" width="100%" height="${HEIGHT}" style="border:0" loading="lazy"></iframe>`;
}

function line(label, text, preview = null) {
  return [h("dt", {}, label), h("dd", {}, preview, h("code", {}, text), copyButton(`Copy ${label[0].toLowerCase()}${label.slice(1)}`, text))];
}
