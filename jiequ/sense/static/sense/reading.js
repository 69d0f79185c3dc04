// One suspect after another without waiting: the next two are fetched beforehand with their pictures; a verdict shows the next at
// once and is stored behind it, in order. What could not be stored is said, with the way back to that suspect. U takes one back.
import { say } from "../web/js/say.js";
import { start as startSight } from "./sight.js";

const room = document.querySelector("[data-reading]");
const back = document.querySelector("[data-verdict-undo]");
const fetched = new Map();
const read = new Set();
const given = back.getAttribute("action") ? [{ undo: back.getAttribute("action"), words: back.querySelector("[data-verdict-said]").textContent }] : [];
let storing = Promise.resolve();

const panel = () => room.querySelector("[data-suspect]");
const addressOf = (id) => panel().dataset.address.replace(/\d+\/$/, `${id}/`);

document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-verdict]")) judge(event);
  else if (event.target === back) takeBack(event);
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-read-next]") || event.ctrlKey || event.metaKey) return;
  const id = waiting()[0];
  if (!id) return;
  event.preventDefault();
  open(id);
});

function begin() {
  startSight(room);
  room.dispatchEvent(new CustomEvent("jiequ:suspect", { bubbles: true }));
  for (const id of waiting()) ahead(id);
}

const waiting = () => (panel()?.dataset.next || "").split(",").filter((id) => id && !read.has(id));

/** The part of a page about a suspect, with its pictures in the browser's store. */
function ahead(id) {
  if (!fetched.has(id)) fetched.set(id, part(id).catch(() => fetched.delete(id) && null));
  return fetched.get(id);
}

async function part(id) {
  const answer = await fetch(`${addressOf(id)}?part=1`, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(String(answer.status));
  const html = await answer.text();
  const seen = new DOMParser().parseFromString(html, "text/html");
  for (const picture of seen.querySelectorAll("img[src]")) new Image().src = picture.getAttribute("src");
  return html;
}

async function open(id) {
  const html = id && (await ahead(id));
  if (!html) return location.assign(id ? addressOf(id) : room.dataset.desk);
  fetched.delete(id);
  const address = addressOf(id);
  room.innerHTML = html;
  document.title = document.title.replace(/^\S+/, panel().dataset.number);
  history.replaceState(null, "", address);
  begin();
}

async function judge(event) {
  event.preventDefault();
  const { form, submitter } = { form: event.target, submitter: event.submitter };
  if (form.dataset.sent || !submitter) return;
  form.dataset.sent = "1";
  const sent = new FormData(form, submitter);
  const { suspect, number, address } = panel().dataset;
  read.add(suspect);
  const words = `${number}：${submitter.textContent.replace(/\s+\S$/, "").trim()}`;
  storing = storing.then(() => store(form.action, sent, { suspect, words, address }));
  const next = waiting()[0];
  if (next) return open(next);
  const told = await storing;
  await open(told?.next?.map(String).find((id) => !read.has(id)));
}

async function store(action, sent, { suspect, words, address }) {
  try {
    const answer = await fetch(action, { method: "POST", body: sent, headers: { Accept: "application/json" } });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.message || String(answer.status));
    given.push({ undo: told.undo, words });
    offer();
    return told;
  } catch (error) {
    read.delete(suspect);
    const text = error instanceof TypeError ? room.dataset.textLost : error.message;
    say(text, { key: `lost-${suspect}`, stays: true, tone: "stop", link: address, linkText: room.dataset.textLook });
    return null;
  }
}

function offer() {
  const last = given.at(-1);
  back.hidden = !last;
  if (!last) return;
  back.action = last.undo;
  back.querySelector("[data-verdict-said]").textContent = last.words;
}

async function takeBack(event) {
  event.preventDefault();
  await storing;
  const last = given.pop();
  if (!last) return;
  const answer = await fetch(last.undo, { method: "POST", body: new FormData(back), headers: { Accept: "application/json" } });
  const told = await answer.json().catch(() => ({}));
  offer();
  if (!answer.ok) return say(told.message, { key: "undo", tone: "stop" });
  const id = String(told.suspect);
  read.delete(id);
  fetched.delete(id);
  await open(id);
}

begin();
