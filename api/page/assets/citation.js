// The citation of a response, as a text and as BibTeX, each copied with a click.

import { h } from "./dom.js";

const SHOWN_MS = 2500;

/** Shows the citation of a response in the page's element `cite`. */
export function showCitation({ citation, bibtex }) {
  const place = document.getElementById("cite");
  // Unchanged on most refreshes; a reader may have selected a part of it.
  if (place.dataset.citation === citation) return;
  place.dataset.citation = citation;
  const opened = place.querySelector("details")?.open ?? false;
  const details = h("details", { "data-name": "bibtex", open: opened }, h("summary", {}, "BibTeX"), h("pre", { tabindex: "0" }, bibtex));
  place.replaceChildren(
    h("p", {}, "Cite as: ", h("span", { class: "citation" }, citation)),
    h("p", {}, copyButton("Copy citation", citation), " ", copyButton("Copy BibTeX", bibtex)),
    details,
  );
}

/** Returns a button that copies a text, and says so. */
export function copyButton(label, text) {
  const button = h("button", { type: "button", "data-name": label, onclick: copy }, label);
  const said = h("span", { role: "status", class: "copied" });
  async function copy() {
    said.textContent = (await copied(text)) ? "Copied" : "Cannot copy: select the text instead";
    setTimeout(() => { said.textContent = ""; }, SHOWN_MS);
  }
  return h("span", { class: "copy" }, button, said);
}

/** Returns whether a text was copied. Browsers offer the clipboard to pages of HTTPS and localhost only. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copiedBySelection(text);
  }
}

function copiedBySelection(text) {
  const focused = document.activeElement;
  const area = h("textarea", { class: "outside", "aria-hidden": "true", tabindex: "-1" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  focused?.focus();
  return done;
}
