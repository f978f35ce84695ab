// Sections that are shown only while they have something to show.

import { fill, h, problemNotice } from "./dom.js";

/**
 * Renders the section `id` into its element `ID-content`. Without content (null) the complete section is hidden;
 * an error is shown in its place.
 */
export async function renderSection(id, draw) {
  const section = document.getElementById(id);
  let content;
  let failure = null;
  try {
    content = await draw();
  } catch (error) {
    content = problemNotice(error);
    failure = error;
  }
  const children = [content].flat(Infinity).filter((child) => child != null);
  section.hidden = !children.length;
  fill(`${id}-content`, children);
  // Without a status it is not a response of the server but a bug: log it to the console.
  if (failure && failure.status === undefined) throw failure;
}

/** Returns links to the sections of the page that are shown. */
export function contents(container) {
  return [...container.querySelectorAll("section[id]:not([hidden])")].map((section) =>
    h("a", { href: `#${section.id}`, "data-name": `contents-${section.id}` }, section.querySelector("h2").textContent),
  );
}
