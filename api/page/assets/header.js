// The header of every page: its search box opens the page of what is chosen.

import { pageOf, searchBox } from "./search.js";

const form = document.getElementById("search");
searchBox(form, { choose: (hit) => location.assign(pageOf(hit)) });

const EDITABLE = "input, textarea, select, [contenteditable]";
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.(EDITABLE)) return;
  event.preventDefault();
  form.elements.search.focus();
  form.elements.search.select();
});
