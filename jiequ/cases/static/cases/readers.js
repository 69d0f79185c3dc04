// Who reads a row: this page says so while a case is open beside the tray and somebody is there, and shows who else does.

const SAY_MS = 20000;
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

async function show() {
  const rows = new Map();
  for (const place of document.querySelectorAll("[data-readers]")) {
    const id = place.closest("[data-row]")?.dataset.row;
    if (id) rows.set(id, [...(rows.get(id) ?? []), place]);
  }
  if (!rows.size || document.hidden) return;
  try {
    const answer = await fetch(`/desk/readers?cases=${[...rows.keys()].join(",")}`, { headers: { "Jiequ-By-Itself": "1", Accept: "application/json" } });
    if (!answer.ok) return;
    const names = await answer.json();
    for (const [id, places] of rows)
      for (const place of places) {
        place.textContent = names[id] ?? "";
        place.hidden = !names[id];
      }
  } catch {
    // no network: who reads is not worth a word
  }
}

for (const name of ["pointerdown", "keydown", "wheel"]) addEventListener(name, () => (touchedAt = performance.now()), { passive: true });
document.body.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "desk-panel" && !event.target.closest?.("#desk-panel")) return;
  say();
  show();
});
document.addEventListener("visibilitychange", () => (say(), show()));
document.addEventListener("jiequ:reading", show);
document.addEventListener("jiequ:renewed", show);
addEventListener("pagehide", () => said && (tell(said, true), (said = null)));
setInterval(say, SAY_MS);
setInterval(show, SAY_MS);
say();
show();
