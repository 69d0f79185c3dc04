// Two files of one's own: dropped or chosen, their days read from their names where they stand there, sent by pieces one after
// the other; then the form itself goes with what they became, and its page shows the rest.
import { line, send } from "./upload.js";

const SLOTS = ["one", "other"];
const DAY = /(20\d\d)[-_.年]?(0[1-9]|1[0-2])[-_.月]?(0[1-9]|[12]\d|3[01])(?!\d)/;
const TIFF = /\.tiff?$/i;

for (const form of document.querySelectorAll("[data-sense-two]")) start(form);

function start(form) {
  for (const slot of form.querySelectorAll("[data-two-slot]")) {
    slot.querySelector("[data-two-drop]").hidden = false;
    slot.addEventListener("change", (event) => event.target.type === "file" && chosen(form, slot.dataset.twoSlot));
    slot.addEventListener("input", () => check(form));
  }
  form.addEventListener("dragover", (event) => over(event, true));
  form.addEventListener("dragleave", (event) => over(event, false));
  form.addEventListener("drop", (event) => drop(event, form));
  form.addEventListener("submit", (event) => go(event, form));
}

function over(event, isOver) {
  event.preventDefault();
  for (const slot of event.currentTarget.querySelectorAll("[data-two-slot]")) slot.classList.toggle("is-over", isOver && slot.contains(event.target));
}

/** One file goes where it was dropped, or where none is yet; of several the two earliest by name, in that order. */
function drop(event, form) {
  over(event, false);
  const files = [...event.dataTransfer.files].sort((a, b) => dayOf(a).localeCompare(dayOf(b)) || a.name.localeCompare(b.name));
  if (!files.length) return;
  const here = event.target.closest("[data-two-slot]")?.dataset.twoSlot;
  const free = SLOTS.find((slot) => !form.elements[slot].files.length) ?? SLOTS[0];
  const places = files.length > 1 ? SLOTS : [here ?? free];
  places.forEach((slot, number) => {
    const kept = new DataTransfer();
    kept.items.add(files[number]);
    form.elements[slot].files = kept.files;
    chosen(form, slot);
  });
}

function chosen(form, slot) {
  const file = form.elements[slot].files[0];
  const day = form.elements[`${slot}_on`];
  if (file && (!day.value || day.dataset.guessed)) {
    day.value = dayOf(file);
    day.dataset.guessed = "1";
  }
  check(form);
}

function dayOf(file) {
  const found = DAY.exec(file.name);
  return found ? found.slice(1, 4).join("-") : "";
}

/** What the server would refuse is said before anything is sent. */
function check(form) {
  const texts = form.dataset;
  const [one, other] = SLOTS.map((slot) => form.elements[slot].files[0]);
  const isSame = one && other && one.name === other.name && one.size === other.size && one.lastModified === other.lastModified;
  form.elements.other.setCustomValidity(isSame ? texts.textSame : "");
  for (const slot of SLOTS) {
    const file = form.elements[slot].files[0];
    const day = form.elements[`${slot}_on`];
    day.setCustomValidity(file && TIFF.test(file.name) && !day.value ? texts.textDay : "");
  }
}

async function go(event, form) {
  event.preventDefault();
  const button = form.querySelector("[type=submit]");
  const list = form.querySelector("[data-sense-going]");
  const ids = {};
  list.replaceChildren();
  button.disabled = true;
  for (const slot of SLOTS) {
    const file = form.elements[slot].files[0];
    const kind = form.elements.is_view.checked ? "snapshot" : "";
    ids[slot] = await send(form, file, line(list, file.name), { taken_on: form.elements[`${slot}_on`].value, kind });
    if (!ids[slot]) break;
  }
  button.disabled = false;
  if (!SLOTS.every((slot) => ids[slot])) return;
  for (const slot of SLOTS) {
    form.querySelector(`[data-two-id="${slot}"]`).value = ids[slot];
    form.elements[slot].disabled = true; // they are there
  }
  form.submit();
}
