// The desk by keyboard: j/k through the rows, Enter opens, letters act, / finds, ? explains.

let isListening = false;

/** Rows are [data-row] inside [data-keys]; acts are elements with data-key="a" (in the selected row first, then the page). */
export function start() {
  if (!isListening) document.addEventListener("keydown", act);
  isListening = true;
}

function act(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") return leave(event.target);
  if (event.target.closest?.("input, textarea, select, [contenteditable], dialog[open]")) return;
  const does = { j: () => move(1), k: () => move(-1), J: () => extend(1), K: () => extend(-1), " ": () => tick(event.target), "/": find, "?": help, Enter: () => event.target.matches?.("[data-row]") && enter(event.target) };
  const done = does[event.key] ? does[event.key]() : press(event.key.toLowerCase());
  if (done !== false) event.preventDefault();
}

const rows = () => [...document.querySelectorAll("[data-keys] [data-row]")].filter((row) => row.offsetParent !== null);
const selected = () => document.querySelector("[data-keys] [data-row][aria-selected=true]");

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const at = all.indexOf(selected());
  const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? (step > 0 ? 0 : all.length - 1) : at + step))];
  all.forEach((row) => row.removeAttribute("aria-selected"));
  next.setAttribute("aria-selected", "true");
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
  next.dispatchEvent(new CustomEvent("jiequ:row", { bubbles: true, detail: { id: next.dataset.row } }));
  return true;
}

// ---- several rows: the space bar ticks the chosen one, Shift with j or k goes on ticking

const tickOf = (row) => row?.querySelector("[data-tick]");

function tick(target) {
  if (target.closest?.("a[href], button, summary")) return false;
  return set(tickOf(selected()), (box) => !box.checked);
}

function extend(step) {
  set(tickOf(selected()), () => true);
  move(step);
  return set(tickOf(selected()), () => true);
}

function set(box, value) {
  if (!box) return false;
  box.checked = value(box);
  box.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

function enter(row) {
  const link = row.querySelector("a[href]") ?? (row.matches("a[href]") ? row : null);
  link?.click();
  return Boolean(link);
}

function press(key) {
  if (key.length !== 1) return false;
  const mark = `[data-key="${CSS.escape(key)}"]`;
  const together = document.querySelector("[data-tick]:checked") && document.querySelector(`[data-lot] ${mark}`);
  const target = together || selected()?.querySelector(mark) || document.querySelector(`[data-offer] ${mark}`) || document.querySelector(`${mark}:not([data-row] *, [data-lot] *)`);
  if (!target || target.disabled || target.offsetParent === null) return false;
  if (target.matches("input, select, textarea, [data-key-focus]")) target.focus();
  else target.click();
  return true;
}

function find() {
  const field = document.querySelector("[data-keys-search]");
  field?.focus();
  field?.select?.();
  return Boolean(field);
}

function help() {
  const box = document.querySelector("[data-keys-help]");
  if (!box) return false;
  const list = box.querySelector("[data-keys-actions]");
  list.replaceChildren(...acts());
  box.hidden = !box.hidden;
  if (!box.hidden) box.focus();
  return true;
}

function acts() {
  const seen = new Map([...document.querySelectorAll("[data-key]")].map((one) => [one.dataset.key, one]));
  return [...seen].map(([key, one]) => {
    const pair = document.createElement("div");
    const label = one.dataset.keyLabel || one.textContent.replace(key, "").trim();
    const term = document.createElement("dt");
    term.append(Object.assign(document.createElement("kbd"), { textContent: key }));
    pair.append(term, Object.assign(document.createElement("dd"), { textContent: label }));
    return pair;
  });
}

function leave(target) {
  const box = document.querySelector("[data-keys-help]");
  if (box && !box.hidden) box.hidden = true;
  else if (target.matches?.("input, textarea, select")) target.blur();
  else if (!document.dispatchEvent(new CustomEvent("jiequ:escape", { cancelable: true }))) return;
  else selected()?.removeAttribute("aria-selected");
}
