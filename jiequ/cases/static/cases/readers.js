// Who reads a row: this page says so while a case is open beside the tray and somebody is there, and shows who else does.

const SAY_MS = 20000;
const PAUSE_MS = 1000;
const AWAY_MS = 300000; // nobody touched the page: nobody reads
let touchedAt = performance.now();
let said = null; // the form by which it was said last

const form = () => document.querySelector("form[data-reading]");
const isThere = () => !document.hidden && performance.now() - touchedAt < AWAY_MS;

function tell(one, away = false) {
  const body = new FormData(one);
  if (away) body.set("away", "1");
  fetch(one.action, { method: "POST", body, keepalive: away, headers: { "Jiequ-By-Itself": "1" } }).catch(() => {});
}

function say() {
  const now = isThere() ? form() : null;
  if (said && said.action !== now?.action) tell(said, true);
  if (now) tell(now);
  said = now;
}

// Rows are renewed without their readers: those are remembered here, and asked for only when somebody came or went.

let names = {};
let elsewhere = new Set(); // cases that are read and that this page does not show (yet)
let asking = 0;
let askedAt = -Infinity;

function places() {
  const rows = new Map();
  for (const place of document.querySelectorAll("[data-readers]")) {
    const id = place.closest("[data-row]")?.dataset.row;
    if (id) rows.set(id, [...(rows.get(id) ?? []), place]);
  }
  return rows;
}

function paint() {
  for (const [id, all] of places())
    for (const place of all) {
      place.textContent = names[id] ?? "";
      place.hidden = !names[id];
    }
}

async function show() {
  asking = 0;
  askedAt = performance.now();
  const rows = places();
  if (!rows.size || document.hidden) return;
  try {
    const answer = await fetch(`/desk/readers?cases=${[...rows.keys()].join(",")}`, { headers: { "Jiequ-By-Itself": "1", Accept: "application/json" } });
    if (!answer.ok) return;
    names = await answer.json();
    elsewhere = new Set();
    paint();
  } catch {
    // no network: who reads is not worth a word
  }
}

/** Somebody came or went: a desk that walks through its rows makes no other ask at each of its steps. */
function heard(ids) {
  const rows = places();
  ids.forEach((id) => elsewhere.add(String(id)));
  if (asking || ![...elsewhere].some((id) => rows.has(id))) return;
  asking = setTimeout(show, Math.max(0, askedAt + PAUSE_MS - performance.now()));
}

for (const name of ["pointerdown", "keydown", "wheel"]) addEventListener(name, () => (touchedAt = performance.now()), { passive: true });
document.body.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "desk-panel" && !event.target.closest?.("#desk-panel")) return;
  say();
  show();
});
document.addEventListener("visibilitychange", () => (say(), show()));
document.addEventListener("jiequ:reading", (event) => heard(event.detail.ids));
document.addEventListener("jiequ:renewed", () => (paint(), heard([])));
addEventListener("pagehide", () => said && (tell(said, true), (said = null)));
setInterval(say, SAY_MS);
setInterval(show, SAY_MS);
say();
show();
