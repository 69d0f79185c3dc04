// Parts of a page that renew themselves when something changed; live.js hears of it. Nothing moves under the reader's hand.
//
// A part is [data-live-part="address"] with an id. Its fresh state comes from there as a fragment with the same id: all of it,
// or, with `&cases=12,15`, only the rows of these cases that belong there now. What does not come back has left.
//   data-live-states="reported verifying" ("*": any), data-live-lights="red": which changes may bring a new row
//   [data-live-rows] inside: [data-row] with data-mark (another: it says other things) and data-turn (its place; "down": the
//     greatest first). data-live-more, data-live-earlier: there are pages after and before, whose rows do not come in here
//   data-live-still: rows are renewed where they stand, none comes or goes; [data-live-news] says how many would be new
//   data-live-own: only the rows it shows are asked for      data-live-slow: numbers only, which follow a little later

const SOON_MS = 500;
const SPREAD_MS = 60; // a hundred pages hear of a change at once
const SLOW_MS = 5000;
const SLOW_SPREAD_MS = 3000;
const MOST_ROWS = 20; // more at once: all of the part
const MOST_STILL = 60; // of a part that stands still (views/live.py takes no more): its own rows before what is new
const MARKED_MS = 6000;

const wanted = new Map(); // address → ids of cases, or null: all of it
const news = new Set(); // cases that a still part does not show yet

let timer = 0;
let pause = SOON_MS;
let renewedAt = -Infinity;
let isRenewing = false;
let slowTimer = 0;
let slowAt = -Infinity;
let signedOut = () => {};

export const whenSignedOut = (call) => (signedOut = call);

/** What happened elsewhere; `all`: too much to say one by one, or time has passed and lights may have changed. */
export function follow(changes, all) {
  for (const part of document.querySelectorAll("[data-live-part]")) {
    if ("liveSlow" in part.dataset) slowly();
    else if (all) want(part, null);
    else want(part, changes.filter((change) => concerns(part, change)).map((change) => String(change.id)));
  }
}

function concerns(part, change) {
  const { liveStates = "", liveLights = "", liveOwn } = part.dataset;
  const named = (list, word) => list.split(" ").includes(word);
  if (rowsOf(part, String(change.id)).length) return true;
  return liveOwn === undefined && (liveStates === "*" || named(liveStates, change.state) || named(liveLights, change.light));
}

const caseOf = (row) => row.dataset.row.split("-")[0];
const rowsIn = (list) => [...(list?.querySelectorAll(":scope > [data-row]") ?? [])];
const listOf = (part) => part?.querySelector("[data-live-rows]");
const rowsOf = (part, id) => rowsIn(listOf(part)).filter((row) => caseOf(row) === id);

function want(part, ids) {
  const address = part.dataset.livePart;
  const isStill = "liveStill" in part.dataset;
  if (ids === null && isStill) ids = rowsIn(listOf(part)).map(caseOf);
  if (ids?.length === 0) return;
  const before = wanted.get(address);
  const all = ids === null || before === null ? null : [...new Set([...(before ?? []), ...ids])];
  wanted.set(address, isStill ? mostOf(part, all) : all?.length > MOST_ROWS ? null : all);
  soon();
}

/** Of too many the rows that the part shows, and the latest of the others. */
function mostOf(part, ids) {
  if (ids.length <= MOST_STILL) return ids;
  const own = new Set(rowsIn(listOf(part)).map(caseOf));
  const [shown, others] = [ids.filter((id) => own.has(id)), ids.filter((id) => !own.has(id))];
  const room = Math.max(0, MOST_STILL - shown.length);
  return [...shown.slice(0, MOST_STILL), ...others.slice(Math.max(0, others.length - room))];
}

/** At once when nothing was fetched lately, else after a pause that grows where answers take long. */
function soon() {
  if (timer || isRenewing || document.hidden) return;
  const wait = Math.max(Math.random() * SPREAD_MS, renewedAt + pause - performance.now());
  timer = setTimeout(renew, wait);
}

function slowly() {
  if (slowTimer || document.hidden) return;
  const wait = Math.max(1000, slowAt + SLOW_MS - performance.now()) + Math.random() * SLOW_SPREAD_MS;
  slowTimer = setTimeout(renewSlow, wait);
}

/** A page that nobody looks at fetches nothing; it does when it is looked at again. */
document.addEventListener("visibilitychange", () => {
  if (wanted.size) soon();
  if (document.querySelector("[data-live-slow]")) slowly();
});

async function renew() {
  timer = 0;
  isRenewing = true;
  renewedAt = performance.now();
  const asked = [...wanted];
  wanted.clear();
  try {
    for (const [address, ids] of asked) await renewFrom(address, ids);
    document.dispatchEvent(new CustomEvent("jiequ:renewed"));
  } catch {
    // no network: the next change, or the minute, brings it
  } finally {
    isRenewing = false;
    pause = Math.max(SOON_MS, 3 * (performance.now() - renewedAt));
    if (wanted.size) soon();
  }
}

async function renewSlow() {
  slowTimer = 0;
  slowAt = performance.now();
  try {
    for (const part of document.querySelectorAll("[data-live-slow]")) await renewFrom(part.dataset.livePart, null);
  } catch {
    // no network: they follow the next change
  }
}

async function renewFrom(address, ids) {
  const mark = address.includes("?") ? "&" : "?";
  const fresh = await fragment(ids ? `${address}${mark}cases=${ids.join()}` : address);
  for (const part of document.querySelectorAll("[data-live-part]")) {
    const one = part.dataset.livePart === address && fresh?.getElementById(part.id);
    if (!one) continue;
    if (!ids) replace(part, one);
    else if ("liveStill" in part.dataset) inPlace(part, rowsIn(listOf(one)), ids);
    else someRows(part, rowsIn(listOf(one)), ids);
  }
}

async function fragment(address) {
  const answer = await fetch(address, { headers: { "HX-Request": "true", "Jiequ-By-Itself": "1" } });
  if (answer.status === 401) signedOut();
  if (!answer.ok || answer.redirected) return null;
  return new DOMParser().parseFromString(await answer.text(), "text/html");
}

// ---- all of a part

function replace(part, fresh) {
  const [rows, given] = [part, fresh].map(listOf);
  if (rows && given) return keepingPlace(part, () => merge(rows, given));
  if (rowsIn(rows).some(isHeld)) return;
  if (part.innerHTML === fresh.innerHTML) return;
  keepingPlace(part, () => swap(part, fresh));
}

function swap(part, fresh) {
  const reach = () => [...part.querySelectorAll("a[href], button, input, select, textarea")];
  const at = reach().indexOf(document.activeElement);
  part.replaceChildren(...fresh.childNodes);
  part.dataset.livePart = fresh.dataset.livePart ?? part.dataset.livePart; // an empty tray asked for rows without ticks
  begin(part);
  if (at >= 0) reach()[at]?.focus({ preventScroll: true });
}

function merge(rows, given) {
  const old = new Map(rowsIn(rows).map((row) => [row.dataset.row, row]));
  let at = rows.firstElementChild;
  for (const fresh of rowsIn(given)) {
    const row = old.get(fresh.dataset.row);
    old.delete(fresh.dataset.row);
    while (at && at !== row && old.has(at.dataset.row) && isHeld(at)) at = at.nextElementSibling;
    if (!row) insert(rows, fresh, at);
    else {
      refresh(row, fresh);
      if (row === at) at = at.nextElementSibling;
      else rows.insertBefore(row, at);
    }
  }
  [...old.values()].forEach(leave);
}

// ---- only the rows of some cases

function someRows(part, came, ids) {
  const rows = listOf(part);
  if (!rows) return came.length ? want(part, null) : undefined; // it said that there is nothing: now there is
  const names = new Set(came.map((row) => row.dataset.row));
  keepingPlace(part, () => {
    for (const row of rowsIn(rows)) if (ids.includes(caseOf(row)) && !names.has(row.dataset.row)) leave(row);
    for (const fresh of came) put(part, rows, fresh);
  });
  if (!rowsIn(rows).length) want(part, null);
}

function put(part, rows, fresh) {
  const row = rowsIn(rows).find((one) => one.dataset.row === fresh.dataset.row);
  if (!row) return isOfThisPage(part, rows, fresh) && insert(rows, fresh, placeOf(rows, fresh));
  const hasMoved = row.dataset.turn !== fresh.dataset.turn;
  refresh(row, fresh);
  if (hasMoved && !isHeld(row)) rows.insertBefore(row, placeOf(rows, row));
}

const isBefore = (rows, one, other) => (rows.dataset.liveRows === "down" ? one.dataset.turn > other.dataset.turn : one.dataset.turn < other.dataset.turn);
const placeOf = (rows, fresh) => rowsIn(rows).find((row) => row !== fresh && isBefore(rows, fresh, row)) ?? null;

function isOfThisPage(part, rows, fresh) {
  const all = rowsIn(rows);
  if (!all.length) return true;
  if ("liveMore" in part.dataset && isBefore(rows, all.at(-1), fresh)) return false;
  return !("liveEarlier" in part.dataset && isBefore(rows, fresh, all[0]));
}

// ---- a list that stands still

function inPlace(part, came, ids) {
  const rows = listOf(part);
  const shown = new Map(rowsIn(rows).map((row) => [row.dataset.row, row]));
  const found = new Map(came.map((row) => [row.dataset.row, row]));
  keepingPlace(part, () => {
    for (const id of ids) {
      if (shown.has(id)) found.has(id) ? refresh(shown.get(id), found.get(id)) : sayGone(part, shown.get(id));
      else if (found.has(id) && (!rows || isOfThisPage(part, rows, found.get(id)))) news.add(id);
      else news.delete(id);
    }
  });
  const said = part.querySelector("[data-live-news]");
  if (!said) return;
  said.textContent = said.dataset.text.replace("{n}", news.size);
  said.hidden = !news.size;
}

function sayGone(part, row) {
  if (row.classList.contains("row-left")) return;
  row.classList.add("row-left");
  row.lastElementChild?.append(Object.assign(document.createElement("small"), { className: "row-said", textContent: part.dataset.textLeft ?? "" }));
}

// ---- one row

const isHeld = (row) => row.contains(document.activeElement) || row.matches("[aria-selected=true]") || Boolean(row.querySelector("input[type=checkbox]:checked"));
const isWrittenIn = (row) => row !== document.activeElement && row.contains(document.activeElement) && document.activeElement.matches("input:not([type=checkbox]), select, textarea");

function insert(rows, fresh, at) {
  fresh.removeAttribute("aria-selected");
  rows.insertBefore(fresh, at);
  begin(fresh);
  mark(fresh);
}

function leave(row) {
  if (isHeld(row)) row.classList.add("row-left");
  else row.remove();
}

function refresh(row, fresh) {
  row.classList.remove("row-left");
  row.querySelector(".row-said")?.remove();
  if (row.dataset.mark !== fresh.dataset.mark && !isWrittenIn(row)) update(row, fresh);
}

/** The row keeps its element, with its focus, choice and tick; what it says is new. */
function update(row, fresh) {
  const ticked = Boolean(row.querySelector("input[type=checkbox]:checked"));
  for (const { name, value } of fresh.attributes) if (name !== "aria-selected") row.setAttribute(name, value);
  const reach = () => [...row.querySelectorAll("a[href], button, input")];
  const at = reach().indexOf(document.activeElement);
  row.replaceChildren(...fresh.childNodes);
  const tick = row.querySelector("input[type=checkbox]");
  if (tick) tick.checked = ticked;
  begin(row);
  if (at >= 0) reach()[at]?.focus({ preventScroll: true });
  mark(row);
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

function begin(element) {
  window.htmx?.process(element);
  element.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
}

function mark(row) {
  row.classList.add("live-changed");
  setTimeout(() => row.classList.remove("live-changed"), MARKED_MS);
}
