// What was typed survives a closed page and an expired session; kept on this device for seven days at most.
import { draftKey, markSent } from "./sent.js";

const KEPT_MS = 7 * 24 * 3600 * 1000;
const WAIT_MS = 400;
const LEFT_OUT = new Set(["hidden", "file", "password", "submit", "button"]);

/** Starts every form with a draft in `scope`. */
export function start(scope) {
  const found = [...scope.querySelectorAll("form[data-draft]")];
  if (scope.matches?.("form[data-draft]")) found.push(scope);
  found.filter((form) => !form.dataset.draftStarted).forEach(begin);
}

function begin(form) {
  form.dataset.draftStarted = "1";
  const key = draftKey(form);
  bringBack(form, key);
  let timer = 0;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => keep(form, key), WAIT_MS);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    keep(form, key);
    if (!("queue" in form.dataset)) markSent(key); // queue.js says itself when it was taken
  });
  form.addEventListener("jiequ:taken", () => {
    clearTimeout(timer);
    localStorage.removeItem(key);
  });
}

const fields = (form) => [...form.elements].filter((field) => field.name && !LEFT_OUT.has(field.type) && !("noDraft" in field.dataset));
const isTick = (field) => field.type === "checkbox" || field.type === "radio";
const isUntouched = (field) =>
  isTick(field) ? field.checked === field.defaultChecked : field.tagName === "SELECT" ? true : field.value === field.defaultValue;

function keep(form, key) {
  const values = fields(form)
    .filter((field) => !isTick(field) || field.checked)
    .map((field) => [field.name, field.value]);
  try {
    localStorage.setItem(key, JSON.stringify({ at: Date.now(), values }));
  } catch {
    // full or forbidden: the page works without drafts
  }
}

/** Puts a kept draft into fields the server left empty; what the server filled in stays. */
function bringBack(form, key) {
  const kept = read(key);
  if (!kept) return;
  for (const field of fields(form).filter(isUntouched)) {
    const values = kept.filter(([name]) => name === field.name).map(([, value]) => value);
    if (isTick(field)) field.checked ||= values.includes(field.value);
    else if (values.length && !field.defaultValue) field.value = values[0];
  }
  form.dispatchEvent(new Event("jiequ:draft", { bubbles: true }));
}

function read(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "null");
    if (kept && Date.now() - kept.at < KEPT_MS) return kept.values;
    localStorage.removeItem(key);
  } catch {
    // nothing readable is nothing kept
  }
  return null;
}
