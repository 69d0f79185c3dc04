// What happened elsewhere appears here within a second: listens to live events, asks every few seconds where it cannot.
//
// A part is [data-live-part="address"] with an id: its fresh state is fetched from there, as a fragment with the same id.
//   data-live-states="reported verifying", data-live-lights="red": which changes may bring a new row
//   [data-live-rows] inside: [data-row] with data-mark are put in order one by one, so that focus, ticks and scroll stay
// [data-live-case="12"]: shown or told (`jiequ:stale`) when that case changed. `jiequ:changed` tells maps and others.
import { say } from "./say.js";

const POLL_MS = 4000;
const SILENT_MS = 40000; // a beat comes every 15 s
const HIDDEN_MS = 60000; // a page nobody looks at stops listening and catches up when it is looked at
const SOON_MS = 500;
const LATER_MS = 5000; // changes that bring this page no row: its counts follow a little later
const ALL_MS = 60000; // lights change with time alone
const MARKED_MS = 6000;
const page = document.body.dataset;

let since = "";
let source = null;
let tries = 0;
let polling = 0;
let heardAt = 0;
let again = 0;
let isStarted = false;
let isOver = false;

/** Starts once a page; parts that come later are found when something changes. */
export function start() {
  if (isStarted || !page.liveAt) return;
  isStarted = true;
  listen();
  setInterval(watch, 5000);
  setInterval(() => plan(LATER_MS), ALL_MS);
  document.addEventListener("visibilitychange", look);
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => event.persisted && listen());
}

// ---- hearing

function listen() {
  source?.close();
  source = null;
  clearTimeout(again);
  if (isOver) return;
  if (!page.live || !window.EventSource) return poll();
  const from = since ? `since=${since}` : `at=${page.liveAt}`;
  source = new EventSource(`${page.live}?${from}`, { withCredentials: true });
  heardAt = performance.now();
  for (const name of ["hello", "beat", "changed"]) source.addEventListener(name, (event) => hear(name, event));
  source.addEventListener("closed", closed);
  source.onerror = lost;
}

function hear(name, event) {
  heardAt = performance.now();
  if (Number(event.lastEventId) > Number(since || 0)) since = event.lastEventId;
  tries = 0;
  clearTimeout(polling);
  polling = 0;
  document.documentElement.dataset.live = "listening";
  if (name === "changed") take(JSON.parse(event.data));
}

function lost() {
  source?.close();
  source = null;
  poll();
  const pause = Math.min(60000, 1000 * 2 ** tries++) * (0.75 + Math.random() / 2);
  clearTimeout(again);
  again = setTimeout(listen, pause);
}

function closed(event) {
  source.close();
  source = null;
  const { reason, sentence } = JSON.parse(event.data);
  if (sentence) say(sentence, { key: "live" });
  if (reason === "signed_out") return over();
  poll();
}

function over() {
  isOver = true;
  source?.close();
  source = null;
  clearTimeout(polling);
  clearTimeout(again);
  document.documentElement.dataset.live = "over";
}

function watch() {
  if (source && performance.now() - heardAt > SILENT_MS) lost();
}

let hiddenSince = 0;
let hiding = 0;
function look() {
  clearTimeout(hiding);
  if (document.hidden) {
    hiddenSince = performance.now();
    hiding = setTimeout(() => {
      source?.close();
      source = null;
      clearTimeout(polling);
      polling = 0;
      clearTimeout(again);
    }, HIDDEN_MS);
  } else if (performance.now() - hiddenSince > HIDDEN_MS || (!source && !polling)) listen();
}

// ---- asking, where it cannot be heard

function poll() {
  if (polling || isOver) return;
  document.documentElement.dataset.live = "asking";
  polling = setTimeout(ask, POLL_MS * (0.75 + Math.random() / 2));
}

async function ask() {
  try {
    const answer = await fetch(`/live/changes?${since ? `since=${since}` : `at=${page.liveAt}`}`, { headers: { "Jiequ-By-Itself": "1", Accept: "application/json" } });
    if (answer.status === 401) return over();
    if (answer.ok) {
      const news = await answer.json();
      since = String(news.since);
      if (news.all || news.changes.length) take(news);
    }
  } catch {
    // no network: asked again
  }
  if (!polling) return; // it is heard again meanwhile
  polling = 0;
  poll();
}

// ---- what to do with it

const known = new Set(); // events that were told before: a stream that comes back may say them again

function take(news) {
  const all = news.all;
  const read = news.changes.filter((change) => change.did.includes("reading"));
  if (read.length) document.dispatchEvent(new CustomEvent("jiequ:reading", { detail: { ids: read.map((change) => change.id) } }));
  const changes = news.changes.filter((change) => change.events.some((event) => !known.has(event)));
  changes.forEach((change) => change.events.forEach((event) => known.add(event)));
  for (const event of known) if (known.size > 1000) known.delete(event);
  if (!all && !changes.length) return;
  const ids = changes.map((change) => change.id);
  document.dispatchEvent(new CustomEvent("jiequ:changed", { detail: { ids, changes, all: Boolean(all) } }));
  for (const one of document.querySelectorAll("[data-live-case]")) {
    if (all || ids.includes(Number(one.dataset.liveCase))) stale(one);
  }
  const parts = [...document.querySelectorAll("[data-live-part]")];
  if (!parts.length) return;
  const concerned = all || parts.some((part) => changes.some((change) => concerns(part, change)));
  plan(concerned ? SOON_MS : LATER_MS);
}

function concerns(part, change) {
  const named = (list, word) => (list ?? "").split(" ").includes(word);
  return named(part.dataset.liveStates, change.state) || named(part.dataset.liveLights, change.light) || Boolean(part.querySelector(`[data-row="${change.id}"]`));
}

function stale(one) {
  one.dispatchEvent(new CustomEvent("jiequ:stale", { bubbles: true }));
  if (one.matches("[data-live-notice]")) one.hidden = false;
}

let planned = 0;
let plannedFor = Infinity;
let refreshedAt = -Infinity;
let isRefreshing = false;

/** The next refresh, `pause` after the last one at the earliest; at once when there was none lately. */
function plan(pause) {
  const now = performance.now();
  const when = Math.max(now + Math.random() * 60, refreshedAt + pause);
  if (when >= plannedFor) return;
  clearTimeout(planned);
  plannedFor = when;
  planned = setTimeout(refresh, when - now);
}

async function refresh() {
  plannedFor = Infinity;
  if (isRefreshing) return plan(SOON_MS);
  isRefreshing = true;
  refreshedAt = performance.now();
  try {
    const parts = [...document.querySelectorAll("[data-live-part]")];
    for (const address of new Set(parts.map((part) => part.dataset.livePart))) {
      const answer = await fetch(address, { headers: { "HX-Request": "true", "Jiequ-By-Itself": "1" } });
      if (answer.status === 401) return over();
      if (!answer.ok || answer.redirected) continue;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of parts) if (part.dataset.livePart === address) renew(part, fresh.getElementById(part.id));
    }
    document.dispatchEvent(new CustomEvent("jiequ:renewed"));
  } catch {
    // no network: the next change, or the minute, brings it
  } finally {
    isRefreshing = false;
  }
}

function renew(part, fresh) {
  if (!fresh || !part.isConnected) return;
  const [rows, news] = [part, fresh].map((one) => one.querySelector("[data-live-rows]"));
  if (rows && news) return keepingPlace(part, () => merge(rows, news));
  if (rows && [...rows.querySelectorAll(":scope > [data-row]")].some(isHeld)) return;
  if (part.innerHTML === fresh.innerHTML) return;
  keepingPlace(part, () => swap(part, fresh));
}

function swap(part, fresh) {
  const reach = () => [...part.querySelectorAll("a[href], button, input, select, textarea")];
  const at = reach().indexOf(document.activeElement);
  part.replaceChildren(...fresh.childNodes);
  begin(part);
  if (at >= 0) reach()[at]?.focus({ preventScroll: true });
}

/** What the reader looks at stays where it is on the screen, whatever comes above it. */
function keepingPlace(part, change) {
  const held = document.activeElement;
  const inside = held && held !== document.body && part.contains(held);
  const rows = [...part.querySelectorAll("[data-row]")];
  const eye = rows.find((row) => row.contains(held)) ?? rows.find((row) => row.getBoundingClientRect().bottom > 0);
  const before = eye?.getBoundingClientRect().top;
  change();
  if (inside && held.isConnected && document.activeElement !== held) held.focus({ preventScroll: true });
  if (scrollY > 0 && eye?.isConnected) scrollBy({ top: eye.getBoundingClientRect().top - before, behavior: "instant" });
}

const isHeld = (row) => row.contains(document.activeElement) || row.matches("[aria-selected=true]") || Boolean(row.querySelector("input[type=checkbox]:checked"));
const isWrittenIn = (row) => row !== document.activeElement && row.contains(document.activeElement) && document.activeElement.matches("input:not([type=checkbox]), select, textarea");

function merge(rows, news) {
  const old = new Map([...rows.querySelectorAll(":scope > [data-row]")].map((row) => [row.dataset.row, row]));
  let at = rows.firstElementChild;
  for (const fresh of [...news.querySelectorAll(":scope > [data-row]")]) {
    const row = old.get(fresh.dataset.row);
    old.delete(fresh.dataset.row);
    while (at && at !== row && old.has(at.dataset.row) && isHeld(at)) at = at.nextElementSibling;
    if (!row) {
      fresh.removeAttribute("aria-selected");
      rows.insertBefore(fresh, at);
      begin(fresh);
      mark(fresh);
    } else {
      if (row.dataset.mark !== fresh.dataset.mark && !isWrittenIn(row)) update(row, fresh);
      if (row === at) at = at.nextElementSibling;
      else rows.insertBefore(row, at);
    }
  }
  for (const row of old.values()) {
    if (isHeld(row)) row.classList.add("row-left");
    else row.remove();
  }
}

/** The row keeps its element, with its focus, choice and tick; what it says is new. */
function update(row, fresh) {
  const ticked = Boolean(row.querySelector("input[type=checkbox]:checked"));
  for (const { name, value } of fresh.attributes) if (name !== "aria-selected") row.setAttribute(name, value);
  row.classList.remove("row-left");
  const reach = () => [...row.querySelectorAll("a[href], button, input")];
  const at = reach().indexOf(document.activeElement);
  row.replaceChildren(...fresh.childNodes);
  const tick = row.querySelector("input[type=checkbox]");
  if (tick) tick.checked = ticked;
  begin(row);
  if (at >= 0) reach()[at]?.focus({ preventScroll: true });
  mark(row);
}

function begin(element) {
  window.htmx?.process(element);
  element.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
}

function mark(row) {
  row.classList.add("live-changed");
  setTimeout(() => row.classList.remove("live-changed"), MARKED_MS);
}
