/** The lines of a chat as elements. `phone` has `open(url)`, `say(text, answer)`, `tap(item, key, chosen)`. */

import { hour, make } from "./api.js";
import { _ } from "./words.js";

const STAMP_AFTER = 300;
const LINK = /<a\s+[^>]*href="([^"]+)"[^>]*>([^<]*)<\/a>|(https?:\/\/[^\s<>，。；）]+)/g;

/** A tapped link: a page is opened; an answer that is offered in words (weixin://bizmsgmenu) is said, with its id. */
const follow = (phone, url) => {
  if (!url.startsWith("weixin://bizmsgmenu?")) return phone.open(url);
  const offered = new URLSearchParams(url.slice(url.indexOf("?") + 1));
  return phone.say(offered.get("msgmenucontent") || "", offered.get("msgmenuid") || "");
};

/** Words with their links, as WeChat shows them. */
const words = (phone, text) => {
  const found = [];
  let from = 0;
  for (const one of text.matchAll(LINK)) {
    found.push(text.slice(from, one.index));
    const url = one[1] || one[3];
    found.push(make("button", { type: "button", className: "link", onclick: () => follow(phone, url) }, one[2] || url));
    from = one.index + one[0].length;
  }
  found.push(text.slice(from));
  return found;
};

const go = (phone, label, url) =>
  make("button", { type: "button", className: "go", onclick: () => phone.open(url) }, make("span", {}, label), make("span", {}, "›"));

const list = (pairs) => make("dl", {}, ...pairs.flatMap(([name, value]) => [make("dt", {}, name), make("dd", {}, value)]));

const template = (phone, data) =>
  make("div", { className: "card" }, make("h3", {}, data.title), list(data.lines), data.url ? go(phone, _("查看详情"), data.url) : null);

const article = (phone, one) =>
  make("div", { className: "card" }, make("h3", {}, one.title), make("p", {}, one.text || ""), one.url ? go(phone, _("阅读"), one.url) : null);

const options = (data) => {
  const lists = [...(data.button_selection ? [data.button_selection] : []), ...(data.select_list || [])];
  const asked = data.checkbox ? [{ ...data.checkbox, many: data.checkbox.mode === 1 }] : data.replaced ? [] : lists;
  return asked.map((one) =>
    make("fieldset", {},
      one.title ? make("legend", {}, one.title) : null,
      ...(one.option_list || []).map((option) => {
        const input = make("input", { type: one.many ? "checkbox" : "radio", name: one.question_key, value: option.id });
        return make("label", {}, input, ` ${option.text}`);
      })));
};

const chosenIn = (card) => {
  const found = {};
  card.querySelectorAll("input:checked").forEach((one) => { (found[one.name] ||= []).push(one.value); });
  return found;
};

const buttons = (phone, item, card) => {
  const data = item.data;
  if (data.replaced) {
    return make("div", { className: "buttons" }, make("button", { type: "button", disabled: true }, data.replaced));
  }
  const all = [...(data.button_list || []), ...(data.submit_button ? [data.submit_button] : [])];
  if (!all.length) return null;
  return make("div", { className: "buttons" }, ...all.map((one) =>
    make("button", {
      type: "button",
      onclick: () => (one.url ? phone.open(one.url) : phone.tap(item.number, one.key, chosenIn(card))),
    }, one.text)));
};

const work = (phone, item) => {
  const data = item.data;
  const title = (data.main_title || {}).title || data.sub_title_text || "";
  const card = make("div", { className: "card" }, make("h3", {}, title));
  const more = [(data.main_title || {}).desc, title === data.sub_title_text ? "" : data.sub_title_text].filter(Boolean);
  card.append(...more.map((one) => make("p", {}, one)));
  const rows = (data.horizontal_content_list || []).map((one) => [one.keyname, one.value || ""]);
  if (rows.length) card.append(list(rows));
  card.append(...options(data));
  const url = (data.card_action || {}).url;
  card.append(...[url ? go(phone, _("打开"), url) : null, buttons(phone, item, card)].filter(Boolean));
  return card;
};

const bubble = (kind, ...inside) => make("div", { className: `bubble ${kind}` }, ...inside);

const SHOWN = {
  text: (phone, { data }) => bubble("", ...words(phone, data.text || "")),
  markdown: (phone, { data }) => bubble("", ...words(phone, data.text || "")),
  note: (phone, { data }) => bubble("", _(data.text)),
  fault: (phone, { data }) => Object.assign(bubble("fault", _(data.text)), { title: data.why || "" }),
  image: (phone, { data }) => bubble("picture", make("img", { src: `/mp/media/${data.media_id}`, alt: _("照片"), loading: "lazy" })),
  voice: (phone, { data }) => bubble("", `${_("语音")} ${data.seconds || 1}″`, data.words ? make("div", {}, `“${data.words}”`) : null),
  video: () => bubble("", _("▶ 视频")),
  shortvideo: () => bubble("", _("▶ 小视频")),
  file: () => bubble("", _("文件")),
  location: (phone, { data }) =>
    bubble("place", make("b", {}, data.label || _("位置")), make("span", {}, `${data.lat.toFixed(5)}, ${data.lon.toFixed(5)}`)),
  mail: (phone, { data }) => make("div", { className: "card" }, make("h3", {}, data.title), make("p", {}, ...words(phone, data.text))),
  template: (phone, { data }) => template(phone, data),
  textcard: (phone, { data }) => article(phone, data),
  news: (phone, { data }) => make("div", {}, ...data.articles.map((one) => article(phone, one))),
  choices: (phone, { data }) =>
    bubble("", data.head, ...data.choices.map((one, number) =>
      make("div", {}, make("button", { type: "button", className: "link", onclick: () => phone.say(one, data.ids[number]) }, one))), data.tail),
  card: work,
};

const WIDE = new Set(["template", "textcard", "news", "card", "mail"]);

/** All lines, with a time where there was a pause. */
export const lines = (phone, items, faces) => {
  const found = make("ol", { className: "lines" });
  let last = 0;
  for (const item of items) {
    if (item.at - last > STAMP_AFTER) found.append(make("li", { className: "stamp" }, hour(item.at)));
    last = item.at;
    const shown = (SHOWN[item.kind] || ((_phone, one) => bubble("", `[${one.kind}]`)))(phone, item);
    const line = make("li", { className: `line ${item.by}` });
    if (item.by !== "system" && !WIDE.has(item.kind)) {
      const face = make("span", { className: "face", ariaHidden: "true" }, faces[item.by].text);
      face.style.background = faces[item.by].colour;
      line.append(face);
    }
    line.append(shown);
    found.append(line);
  }
  return found;
};

/** A line in a few words, for the list of chats. */
export const brief = (item) => {
  const kinds = { image: _("[照片]"), voice: _("[语音]"), video: _("[视频]"), location: _("[位置]"), template: _("[通知]"), card: _("[卡片]"), news: _("[图文]") };
  const data = item.data;
  return data.title || (kinds[item.kind] ? `${kinds[item.kind]} ${data.label || (data.main_title || {}).title || ""}` : _(data.text || data.head || "").replace(/<[^>]*>/g, "")) || "";
};
