// Search: a combobox of models and organisations, by a part of the name.

import { get } from "./api.js";
import { h } from "./dom.js";
import { modelPath, number, provenance, region, times } from "./format.js";

const TYPING_MS = 150;
const MAX_HITS = 8;

export const organisationPath = (org) => `/organisations/${encodeURIComponent(org)}`;
export const pageOf = (hit) => (hit.kind === "model" ? `/models/${modelPath(hit.id)}` : organisationPath(hit.id));

/** Returns the hits of a text, the best first; without any, the nearest names, whose `match` is "near". */
export async function find(text, kind) {
  return (await get("search", { search: text, kind, limit: MAX_HITS })).data;
}

/** Returns why there are no hits, and links to the nearest names. */
export function nothingFound(text, hits, what = "model or organisation") {
  const links = hits.flatMap((hit, place) => [place ? ", " : " Nearest: ", h("a", { href: pageOf(hit) }, hit.id)]);
  return [`No ${what} named “${text}”.`, ...links];
}

/** Returns a form with one field for `searchBox`. `id` must be unique on the page. */
export function searchForm({ id, label }) {
  return h(
    "form",
    { class: "search", role: "search", "aria-label": label },
    h("label", { class: "unseen", for: id }, label),
    h("input", { id, type: "search", name: "search", maxlength: "200", placeholder: label }),
  );
}

/**
 * Makes a form with a field named `search` a combobox. `choose(hit)` is called with {kind, id, org, size_bin, ...};
 * `kind` limits the hits to "model" or "organisation". Without a hit to choose, Enter submits a form that has an action.
 */
export function searchBox(form, { choose, kind = null }) {
  const field = form.elements.search;
  const message = h("p", { class: "message", "aria-live": "polite" });
  const list = h("ul", { id: `${field.id}-hits`, role: "listbox", "aria-label": "Results" });
  const popup = h("div", { class: "hits", hidden: true }, message, list);
  let shown = { text: "", hits: [] };
  let active = -1;
  let timer = 0;

  form.append(popup);
  for (const [name, value] of Object.entries({
    role: "combobox", autocomplete: "off", "aria-autocomplete": "list", "aria-controls": list.id, "aria-expanded": "false",
  })) field.setAttribute(name, value);

  const text = () => field.value.trim();
  const isOpen = () => !popup.hidden;

  function open(isShown) {
    popup.hidden = !isShown;
    field.setAttribute("aria-expanded", String(isShown));
    if (!isShown) activate(-1);
  }

  function activate(place) {
    active = place;
    for (const [index, option] of [...list.children].entries()) option.setAttribute("aria-selected", String(index === place));
    if (place < 0) field.removeAttribute("aria-activedescendant");
    else {
      field.setAttribute("aria-activedescendant", list.children[place].id);
      list.children[place].scrollIntoView({ block: "nearest" });
    }
  }

  /** Shows the hits of what is typed. What is typed meanwhile has its own look-up. */
  async function look() {
    clearTimeout(timer);
    const wanted = text();
    if (!wanted) return open(false);
    if (wanted === shown.text) return open(true);
    let hits = [];
    try {
      hits = await find(wanted, kind);
      if (wanted === text()) show(wanted, hits);
    } catch (error) {
      if (error.status === undefined) throw error;
      if (wanted === text()) show(wanted, [], `Cannot search: ${error.message}.`);
    }
  }

  function show(wanted, hits, problem) {
    shown = { text: problem ? "" : wanted, hits };
    const near = hits[0]?.match === "near";
    message.replaceChildren(
      problem ?? (hits.length && !near ? count(hits.length) : `No ${kind ?? "model or organisation"} named “${wanted}”.${near ? " Nearest:" : ""}`),
    );
    message.classList.toggle("unseen", !problem && hits.length > 0 && !near);
    list.replaceChildren(...hits.map((hit, place) => option(hit, `${list.id}-${place}`)));
    open(document.activeElement === field);
    addRam(hits);
  }

  function option(hit, id) {
    const ram = h("span", { class: "ram", "data-model": hit.kind === "model" ? hit.id : null });
    const facts = hit.kind === "model"
      ? [hit.size_bin ?? "size unknown", hit.tracked ? null : "not tracked"]
      : [`organisation, ${hit.models} ${hit.models === 1 ? "model" : "models"}`, region(hit.region)];
    return h(
      "li",
      {
        id, role: "option", "aria-selected": "false",
        // The field keeps the focus.
        onpointerdown: (event) => event.preventDefault(),
        onclick: () => accept(hit),
      },
      h("span", { class: "id" }, hit.id),
      h("span", { class: "facts" }, facts.filter(Boolean).join(" · "), ram),
    );
  }

  async function addRam(hits) {
    const models = hits.filter((hit) => hit.kind === "model").map((hit) => hit.id);
    if (!models.length) return;
    let response;
    try {
      response = await get("ram", { model: models, limit: MAX_HITS });
    } catch (error) {
      if (error.status === undefined) throw error;
      return;
    }
    for (const row of response.data)
      list.querySelector(`[data-model="${CSS.escape(row.model_id)}"]`)
        ?.replaceChildren(row.ram === null ? "" : " · RAM ", row.ram === null ? "" : number(row.ram, times, provenance(response)));
  }

  function accept(hit) {
    field.value = "";
    shown = { text: "", hits: [] };
    open(false);
    choose(hit);
  }

  /** Chooses the active hit; else the one that is meant without doubt. Returns whether there was one. */
  function acceptBest() {
    const named = shown.hits.filter((hit) => hit.match !== "near");
    const best = shown.hits[active] ?? (named[0]?.match === "exact" || named.length === 1 ? named[0] : null);
    if (best) accept(best);
    return Boolean(best);
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!text()) return;
    if (shown.text !== text()) await look();
    if (!acceptBest() && form.hasAttribute("action")) form.submit();
  });
  field.addEventListener("input", () => {
    clearTimeout(timer);
    activate(-1);
    timer = setTimeout(look, TYPING_MS);
  });
  field.addEventListener("focus", () => shown.text && shown.text === text() && open(true));
  field.addEventListener("blur", () => open(false));
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      if (!isOpen()) look();
      else if (shown.hits.length) {
        // From the field on to the first or last hit, and back to the field.
        const places = shown.hits.length + 1;
        activate(((active + 1 + step + places) % places) - 1);
      }
    } else if (event.key === "Escape" && (isOpen() || field.value)) {
      event.preventDefault();
      if (isOpen()) open(false);
      else field.value = "";
    }
  });
}

const count = (hits) => `${hits} ${hits === 1 ? "result" : "results"}. Use the arrow keys to choose.`;
