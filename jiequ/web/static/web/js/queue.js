// Sending forms over a bad network: each is first kept on the device, then sent until an answer comes, exactly once
// (its idempotency key is its id). What waits is visible on every page and survives a reload.
import { icon } from "./icons.js";
import { all, drop, put } from "./store.js";
import { say } from "./say.js";

const TIMEOUT_MS = 120_000;
const STEPS_S = [5, 15, 45, 120, 300];
const LOCK = "jiequ-queue";
let timer = 0;

const me = () => document.body.dataset.person || "";
const list = () => document.querySelector("[data-queue-list]");

/** Takes over the forms in `scope` and, once a page, begins to send what waits. */
export function start(scope) {
  for (const form of scope.querySelectorAll("form[data-queue]")) {
    if (form.dataset.queueStarted) continue;
    form.dataset.queueStarted = "1";
    form.addEventListener("submit", (event) => submit(event, form));
  }
  if (document.body.dataset.queue) return;
  document.body.dataset.queue = "1";
  addEventListener("online", () => flush({ now: true }));
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && flush());
  draw().then(() => flush());
}

async function submit(event, form) {
  if (event.defaultPrevented) return;
  event.preventDefault();
  if (form.getAttribute("aria-busy") === "true") return;
  form.setAttribute("aria-busy", "true");
  try {
    const entry = entryOf(form, event.submitter);
    await put(entry);
    await settle(form, entry, await sendLocked(entry));
  } catch {
    HTMLFormElement.prototype.submit.call(form); // no storage here: send it the plain way
  } finally {
    form.removeAttribute("aria-busy");
  }
}

/** What is kept of a form: everything but its security token, which is taken fresh when it is sent. */
function entryOf(form, submitter) {
  const fields = [...new FormData(form, submitter)].filter(
    ([name, value]) => name !== "csrfmiddlewaretoken" && !(value instanceof File && !value.name && !value.size),
  );
  const id = form.elements.idempotency_key.value;
  const url = new URL(form.getAttribute("action") || location.href, location.href).href;
  const label = form.dataset.queueLabel || document.title;
  return { id, owner: me(), url, label, fields, at: Date.now(), tries: 0, nextAt: 0, state: "waiting", sentence: "" };
}

/** After a reader's own submit: go on, stay and wait, or show why it was refused. */
async function settle(form, entry, outcome) {
  if (outcome.kind === "done") {
    form.dispatchEvent(new Event("jiequ:taken"));
    return location.assign(outcome.url);
  }
  if (outcome.kind === "refused") {
    await drop(entry.id);
    showRefusal(outcome.sentence);
  } else {
    form.dispatchEvent(new Event("jiequ:taken"));
    form.reset();
    form.elements.idempotency_key.value = newKey();
    say(list()?.dataset.textKept, { key: "kept" });
  }
  await draw();
  again();
}

/** 128 random bits; crypto.randomUUID is missing on plain http. */
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Sends everything of this reader that is due, oldest first; the first network failure ends the round. */
async function flush({ now = false } = {}) {
  const due = (await all()).filter((one) => one.owner === me() && one.state !== "refused" && (now || one.nextAt <= Date.now()));
  for (const entry of due.sort((a, b) => a.at - b.at)) {
    const outcome = await sendLocked(entry);
    if (outcome.kind === "done") announce(entry, outcome.url);
    if (outcome.kind === "wait" && outcome.isNetwork) break;
  }
  await draw();
  again();
}

/** One tab at a time, and not at all if another tab has just sent it. */
async function sendLocked(entry) {
  const run = async () => {
    const kept = (await all()).find((one) => one.id === entry.id);
    if (!kept) return { kind: "gone" };
    const outcome = await send(kept);
    if (outcome.kind === "done") await drop(kept.id);
    else if (outcome.kind === "refused") await put({ ...kept, state: "refused", sentence: outcome.sentence });
    else await put({ ...kept, tries: kept.tries + 1, nextAt: Date.now() + pause(kept.tries, outcome), sentence: outcome.sentence ?? "" });
    return outcome;
  };
  return navigator.locks ? navigator.locks.request(LOCK, run) : run();
}

const pause = (tries, outcome) => 1000 * (outcome.afterS ?? STEPS_S[Math.min(tries, STEPS_S.length - 1)]);

/** One POST. done: taken, with the page to go to; refused: with the sentence; wait: try later. */
async function send(entry, isSecondTry = false) {
  const body = new FormData();
  entry.fields.forEach(([name, value]) => (value instanceof Blob ? body.append(name, value, value.name || "photo.jpg") : body.append(name, value)));
  const stop = new AbortController();
  const limit = setTimeout(() => stop.abort(), TIMEOUT_MS);
  try {
    const headers = { Accept: "application/json", "Idempotency-Key": entry.id, "X-CSRFToken": token() };
    const answer = await fetch(entry.url, { method: "POST", body, headers, signal: stop.signal, credentials: "same-origin" });
    return await judge(entry, answer, isSecondTry);
  } catch {
    return { kind: "wait", isNetwork: true };
  } finally {
    clearTimeout(limit);
  }
}

async function judge(entry, answer, isSecondTry) {
  if (answer.ok) return { kind: "done", url: answer.redirected ? answer.url : entry.url };
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 403 && told.code === "page_expired" && !isSecondTry) {
    return (await renewToken()) ? send(entry, true) : { kind: "wait", isNetwork: true };
  }
  if (answer.status === 401) return { kind: "wait", sentence: list()?.dataset.textSignIn, isNetwork: true };
  if (answer.status === 429) return { kind: "wait", sentence: told.message, afterS: told.facts?.retry_after_seconds };
  if (answer.status >= 500) return { kind: "wait" };
  return { kind: "refused", sentence: told.message || list()?.dataset.textRefused };
}

const tokenField = (page) => page.querySelector("input[name=csrfmiddlewaretoken]");
const token = () => tokenField(document)?.value ?? "";

/** A page that stood open over a sign-in has an old token: read the page again and take its new one, if its reader is still the same. */
async function renewToken() {
  const answer = await fetch(location.href, { credentials: "same-origin" });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = tokenField(page)?.value;
  if (!fresh || (page.body.dataset.person || "") !== me()) return false;
  document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((field) => (field.value = fresh));
  return true;
}

function again() {
  clearTimeout(timer);
  all().then((kept) => {
    const next = Math.min(...kept.filter((one) => one.owner === me() && one.state !== "refused").map((one) => one.nextAt));
    if (Number.isFinite(next)) timer = setTimeout(() => flush(), Math.max(1000, next - Date.now()));
  });
}

function showRefusal(sentence) {
  const region = document.getElementById("refusal");
  const template = document.querySelector("template[data-refusal-template]");
  if (!region || !template) return say(sentence, { key: "refused" });
  region.replaceChildren(template.content.cloneNode(true));
  region.querySelector("[data-sentence]").textContent = sentence;
  region.firstElementChild.focus();
}

function announce(entry, url) {
  const texts = list()?.dataset;
  say(texts?.textSent.replace("{what}", entry.label), { key: `sent-${entry.id}`, tone: "done", link: url, linkText: texts?.textOpen });
}

/** The list of what waits, on every page that has a place for it. */
async function draw() {
  const box = list();
  if (!box) return;
  const kept = await all().catch(() => []);
  const mine = kept.filter((one) => one.owner === me());
  box.hidden = !kept.length;
  box.querySelector("[data-queue-count]").textContent = mine.length ? box.dataset.textCount.replace("{n}", mine.length) : "";
  box.querySelector("[data-queue-others]").textContent =
    kept.length > mine.length ? box.dataset.textOthers.replace("{n}", kept.length - mine.length) : "";
  box.querySelector("ul").replaceChildren(...mine.sort((a, b) => a.at - b.at).map((one) => row(one, box.dataset)));
}

function row(entry, texts) {
  const item = document.createElement("li");
  item.className = `is-${entry.state}`;
  const words = document.createElement("div");
  const photos = entry.fields.filter(([, value]) => value instanceof Blob).length;
  const clock = new Date(entry.at).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hour12: false });
  words.append(
    Object.assign(document.createElement("span"), { textContent: entry.label }),
    Object.assign(document.createElement("small"), { textContent: `${clock}${photos ? ` · ${texts.textPhotos.replace("{n}", photos)}` : ""}` }),
  );
  const why = entry.state === "refused" ? entry.sentence : entry.sentence || texts.textWaiting;
  words.append(Object.assign(document.createElement("small"), { textContent: why }));
  item.append(words, act(texts.textAgain, "send", () => retry(entry)));
  if (entry.state === "refused") item.append(act(texts.textDrop, "cross", () => drop(entry.id).then(draw)));
  return item;
}

function act(text, picture, does) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button" });
  button.append(icon(picture), text);
  button.addEventListener("click", does);
  return button;
}

async function retry(entry) {
  await put({ ...entry, state: "waiting", nextAt: 0, sentence: "" });
  await flush({ now: true });
}
