// Elements of the page.

/** Returns an element. Null children are omitted; texts are never parsed as HTML. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child != null));
  return element;
}

/** Says that what an element shows is about to be replaced. */
export const setBusy = (id) => document.getElementById(id).setAttribute("aria-busy", "true");

/** Replaces the children of an element, which is then not busy; keeps focus and open details, by their `data-name`. */
export function fill(id, ...children) {
  const container = document.getElementById(id);
  const focused = container.contains(document.activeElement) ? document.activeElement.dataset.name : null;
  const opened = [...container.querySelectorAll("details[open]")].map((details) => details.dataset.name);
  container.replaceChildren(...children.flat().filter((child) => child != null));
  container.removeAttribute("aria-busy");
  for (const name of opened) container.querySelector(`details[data-name="${name}"]`)?.setAttribute("open", "");
  if (focused) container.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
}

export const notice = (text) => h("p", { class: "notice" }, text);
export const problemNotice = (error) => h("p", { class: "problem", role: "alert" }, `Cannot load this: ${error.message}.`);

const latest = new Map();

/**
 * Renders a part of the page; an error is shown in its place. A drawing that a later one has overtaken is dropped:
 * `draw(isLatest)` shows nothing elsewhere then.
 */
export async function render(id, draw) {
  const own = {};
  latest.set(id, own);
  setBusy(id);
  const isLatest = () => latest.get(id) === own;
  const show = (content) => isLatest() && fill(id, content);
  try {
    show(await draw(isLatest));
  } catch (error) {
    show(problemNotice(error));
    // Without a status it is not a response of the server but a bug: log it to the console.
    if (error.status === undefined) throw error;
  }
}
