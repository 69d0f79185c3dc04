/** The page: which phones are shown, the clock, the record of what went to and fro, and news by server-sent events. */

import { ask, hour, make } from "./api.js";
import { Phone } from "./phone.js";
import { _, other, speak, translate } from "./words.js";

const SHOWN = ["zhou", "he", "shui", "chen"];
const KEPT_AS = "emulator-phones";
const LOGGED = 60;
const phones = new Map();
let people = {};
let ahead = 0;

const kept = () => {
  try { return JSON.parse(localStorage.getItem(KEPT_AS)); } catch { return null; }
};

const chosen = () => {
  const known = (kept() || SHOWN).filter((id) => id in people);
  return known.length ? known : Object.keys(people).slice(0, 4);
};

const draw = async () => {
  const wanted = chosen();
  const place = document.getElementById("phones");
  for (const [id, phone] of phones) {
    if (!wanted.includes(id)) { phone.element.remove(); phones.delete(id); }
  }
  for (const id of wanted) {
    if (!phones.has(id)) phones.set(id, new Phone(people[id], document.getElementById("phone")));
    place.append(phones.get(id).element);
  }
  document.getElementById("who").replaceChildren(...Object.values(people).map((one) =>
    make("button", { type: "button", ariaPressed: String(wanted.includes(one.id)), title: _(one.role), onclick: () => toggle(one.id) }, one.name)));
  tick();
  await Promise.all([...phones.values()].map((phone) => phone.refresh()));
};

const toggle = (id) => {
  const now = chosen();
  localStorage.setItem(KEPT_AS, JSON.stringify(now.includes(id) ? now.filter((one) => one !== id) : [...now, id]));
  return draw();
};

const tick = () => {
  const now = Date.now() / 1000 + ahead;
  document.getElementById("now").textContent = `${new Date(now * 1000).toLocaleDateString("zh-CN", { timeZone: "Asia/Shanghai" })} ${hour(now)}`;
  document.querySelectorAll(".status .at").forEach((one) => { one.textContent = hour(now); });
};

const setClock = async (given) => {
  const found = await ask(given ? "POST" : "GET", "/clock", given);
  ahead = found.now - Date.now() / 1000;
  tick();
};

// --- the record

const log = document.getElementById("log");
let lastEntry = 0;

const entry = (one) => {
  const isWrong = one.status !== 200 || (one.answer && one.answer.errcode) || one.note;
  const path = one.way === "out" ? `${one.kind} → ${one.path.replace(/^https?:\/\//, "")}` : one.path;
  const body = [one.body, one.answer].filter(Boolean).map((part) => (typeof part === "string" ? part : JSON.stringify(part, null, 1))).join("\n⇒ ");
  return make("li", { className: isWrong ? "is-wrong" : "" },
    make("span", { className: "way" }, one.way === "out" ? _("推送") : _("调用")), make("code", {}, path),
    ` ${one.status || "—"} ${one.note || ""}`,
    make("details", {}, make("summary", {}, hour(one.at)), make("pre", {}, body)));
};

const drawLog = async () => {
  if (log.hidden) return;
  const found = await ask("GET", `/transcript?after=${lastEntry}`);
  if (!found.length) return;
  lastEntry = found.at(-1).number;
  const list = document.getElementById("entries");
  list.prepend(...found.slice(-LOGGED).reverse().map(entry));
  while (list.childElementCount > LOGGED) list.lastElementChild.remove();
};

const showLog = (isShown) => {
  log.hidden = !isShown;
  document.body.classList.toggle("has-log", isShown);
  document.getElementById("open-log").setAttribute("aria-expanded", String(isShown));
  return drawLog();
};

// --- news

const listen = (after) => {
  const source = new EventSource(`/_emu/events?after=${after}`);
  source.addEventListener("chat", (event) => {
    const told = JSON.parse(event.data);
    phones.get(told.person)?.told(told);
  });
  for (const name of ["people", "reset"]) source.addEventListener(name, () => start());
  source.addEventListener("clock", () => setClock());
  for (const name of ["called", "pushed"]) source.addEventListener(name, () => drawLog());
};

const start = async () => {
  const state = await ask("GET", "/state");
  people = state.people;
  await draw();
  return state.number;
};

document.querySelectorAll("[data-advance]").forEach((one) =>
  one.addEventListener("click", () => setClock({ advance: Number(one.dataset.advance) })));
document.getElementById("open-log").addEventListener("click", () => showLog(log.hidden));
document.getElementById("close-log").addEventListener("click", () => showLog(false));
const language = document.getElementById("language");
language.textContent = other();
language.addEventListener("click", () => speak());
translate(document);
setInterval(tick, 5000);
await setClock();
listen(await start());
