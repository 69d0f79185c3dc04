// The desk beside its rows: which row is chosen, where the focus goes, and the map.
// Everything here is a link or a form without it.

import { begin } from "./aids.js";

const NARROW = matchMedia("(max-width: 62rem)");

document.addEventListener("click", (event) => {
  const row = event.target.closest?.("[data-keys] [data-row]");
  if (row) choose(row);
});

// On a narrow screen there is no room beside the rows: a row opens the case's page, as its link says.
// A form that stands open already is not fetched again: what was typed into it stays. A letter that was quicker than the
// row's own part (which waits a moment while one walks through the rows) is not overtaken by it.
// (htmx:confirm comes before hx-sync takes back what is under way; htmx:beforeRequest would come after.)
let askedFor = null;

document.addEventListener("jiequ:row", () => (askedFor = null));
document.body.addEventListener("htmx:confirm", (event) => {
  const { elt, target } = event.detail;
  if (target?.id !== "desk-panel") return;
  const isLink = elt.matches("a[href]");
  const row = elt.closest("[data-row]");
  const shown = !NARROW.matches && openForm(elt);
  if (!NARROW.matches && !shown && (isLink || row !== askedFor || !row)) {
    askedFor = isLink ? row : null;
    return;
  }
  event.preventDefault();
  if (shown) focusInto(shown.closest("[data-panel]"));
  else if (isLink) location.assign(elt.href);
});

function openForm(link) {
  const number = link.closest("[data-number]")?.dataset.number;
  return link.dataset.move && document.querySelector(`#desk-panel [data-panel="${number}"] #do-${link.dataset.move}`);
}

document.body.addEventListener("htmx:afterSettle", (event) => {
  const asked = event.target.querySelector?.("[data-panel-focus]");
  if (asked) focusInto(asked);
});

function choose(row) {
  for (const other of row.parentElement.querySelectorAll("[aria-selected]")) other.removeAttribute("aria-selected");
  row.setAttribute("aria-selected", "true");
}

/** The first thing still to be filled in, else the button: with a right suggestion Enter is all that is left. */
function focusInto(panel) {
  const form = panel.querySelector("form.move-form");
  if (!form) return;
  begin(panel); // it may be so new that nobody has told it yet
  const lacks = (field) => (field.matches("select") && field.required && !field.value) || !field.checkValidity();
  const isOpen = (field) => field.willValidate && field.offsetParent !== null && lacks(field);
  const empty = [...form.elements].find(isOpen);
  const finder = empty?.matches("[data-pick]") && empty.parentElement.querySelector("[data-pick-find]");
  (finder || empty || form.querySelector("button[type=submit]"))?.focus({ preventScroll: true });
  const room = panel.closest("#desk-panel");
  const below = form.getBoundingClientRect().bottom - room.getBoundingClientRect().bottom;
  if (below > 0) room.scrollTop += below + 12;
}

// ---- a case or the list at the desk: the map is there without being asked for, where there is room

function openMap() {
  const button = document.querySelector(".case-facts [data-map-open], .list-map [data-map-open]");
  if (!button || button.hidden || NARROW.matches) return;
  button.click();
  button.hidden = true;
}

if (document.documentElement.classList.contains("is-started")) openMap();
else
  new MutationObserver((_changes, watch) => {
    if (!document.documentElement.classList.contains("is-started")) return;
    watch.disconnect();
    openMap();
  }).observe(document.documentElement, { attributes: true, attributeFilter: ["class"] });

document.documentElement.dataset.desk = "started";
