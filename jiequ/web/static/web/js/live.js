// What happened elsewhere appears here within a second: listens to live events, asks every few seconds where it cannot.
// renew.js fetches what the page shows. [data-live-case="12"] with data-live-shown (the newest event the page shows) is shown or
// told (`jiequ:stale`) when that case changed since. `jiequ:changed` tells maps and others.
import { follow, whenSignedOut } from "./renew.js";
import { say } from "./say.js";

const POLL_MS = 4000;
const SILENT_MS = 40000; // a beat comes every 15 s
const HIDDEN_MS = 60000; // a page nobody looks at stops listening and catches up when it is looked at
const ALL_MS = 60000; // lights change with time alone
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
  setInterval(() => document.hidden || isOver || follow([], true), ALL_MS);
  whenSignedOut(over);
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
  for (const one of document.querySelectorAll("[data-live-case]")) tell(one, changes, all);
  follow(changes, all);
}

/** Of what this page shows already (its reader's own move, mostly) nobody is told again. */
function tell(one, changes, all) {
  const change = changes.find(({ id }) => id === Number(one.dataset.liveCase));
  const shown = Number(one.dataset.liveShown ?? 0);
  if (!all && !change?.events.some((event) => event > shown)) return;
  one.dispatchEvent(new CustomEvent("jiequ:stale", { bubbles: true }));
  if (one.matches("[data-live-notice]")) one.hidden = false;
}
