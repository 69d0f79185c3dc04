// Every page's first module: says that scripts run, then loads only what this page asks for by its data attributes.
const root = document.documentElement;
root.classList.add("has-js");

const PARTS = [
  ["[data-photos]", "./photo.js"],
  ["[data-place]", "./place.js"],
  ["form[data-queue], [data-queue-list]", "./queue.js"],
  ["[data-undo]", "./undo.js"],
  ["[data-map]", "./map.js"],
  ["[data-keys], [data-keys-help]", "./keys.js"],
  ["form[data-draft]", "./drafts.js"],
];
