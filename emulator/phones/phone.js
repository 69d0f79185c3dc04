/** One phone: the list of chats, a chat with its menu, and a browser. */

import { ask, icon, make } from "./api.js";
import { brief, lines } from "./lines.js";
import { choice, pictures, tell, words } from "./sheets.js";
import { _, translate } from "./words.js";

const ICONS = {
  照片: "M4 6h4l2-2h4l2 2h4v13H4zM12 9a4 4 0 1 0 0 8 4 4 0 0 0 0-8z",
  位置: "M12 3a6 6 0 0 0-6 6c0 4 6 12 6 12s6-8 6-12a6 6 0 0 0-6-6zm0 4a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  语音: "M9 4h6v8H9zM6 11a6 6 0 0 0 12 0M12 17v4",
  扫一扫: "M4 8V4h4M16 4h4v4M20 16v4h-4M8 20H4v-4M4 12h16",
};
const LOCAL = "weixin://resourceid/";

export class Phone {
  constructor(person, template) {
    this.id = person.id;
    this.where = "";
    this.seen = {};
    this.isWriting = true;
    this.element = template.content.cloneNode(true).querySelector(".phone");
    this.element.setAttribute("aria-label", _("{0}的手机", person.name));
    this.find = (name) => this.element.querySelector(name);
    this.find(".owner").textContent = person.name;
    this.find(".role").textContent = _(person.role);
    translate(this.element);
    this.find(".back").addEventListener("click", () => this.go(""));
    this.find(".more").addEventListener("click", () => this.more());
    this.find(".web .close").addEventListener("click", () => this.closeWeb());
    this.find(".web .again").addEventListener("click", () => { this.frame.src = this.frameUrl; });
    this.frame = this.find("iframe");
    window.addEventListener("message", (event) => this.called(event));
  }

  get sheet() { return this.find(".sheet"); }

  /** Do something; a refusal is told. */
  async does(deed, given = {}) {
    const who = this.where.includes(":") ? { agent: this.where } : { account: this.where };
    try {
      return await ask("POST", `/people/${this.id}/${deed}`, { ...who, ...given });
    } catch (fault) {
      await tell(this.sheet, _("没有办成"), fault.message);
      return null;
    }
  }

  async refresh() {
    this.data = await ask("GET", `/people/${this.id}/phone`);
    if (this.isFirst === undefined) {
      this.isFirst = false;
      Object.entries(this.data.chats).forEach(([where, last]) => { this.seen[where] = last.number; });
    }
    if (this.where) await this.drawChat();
    else this.drawList();
  }

  /** Something came: shown at once, with a flash if it is news. */
  async told({ by }) {
    if (by === "account") {
      this.element.classList.remove("is-told");
      void this.element.offsetWidth;
      this.element.classList.add("is-told");
    }
    await this.refresh();
  }

  async go(where) {
    this.where = where;
    this.find(".tray").hidden = true;
    this.isWriting = !this.menu().length;
    if (where && !where.includes(":") && this.account(where)?.is_following) {
      await this.does("open_account");
    }
    await this.refresh();
  }

  account(where = this.where) { return this.data?.accounts.find((one) => one.where === where); }

  agent(where = this.where) { return this.data?.agents.find((one) => one.where === where); }

  menu() { return (this.account() || this.agent() || {}).menu || []; }

  // --- the list of chats

  drawList() {
    this.find(".title").textContent = _("微信");
    this.find(".back").hidden = true;
    const rows = make("ul", { className: "rows" });
    this.data.accounts.forEach((one) => rows.append(this.row(one.where, one.name, one.colour, _("公众号"))));
    this.data.agents.forEach((one) => rows.append(this.row(one.where, `${one.name} · ${_("企业微信")}`, "#2b5fa8", one.corp)));
    rows.append(this.row("sms", _("短信"), "#5b6f3a", _("没有短信")));
    if (this.data.chats.mail) rows.append(this.row("mail", _("邮件"), "#7a5230", ""));
    this.find(".screen").replaceChildren(rows);
    this.find(".foot").replaceChildren();
  }

  row(where, name, colour, nothing) {
    const last = this.data.chats[where];
    const isNew = last && last.by === "account" && last.number > (this.seen[where] || 0);
    const face = make("span", { className: "icon", ariaHidden: "true" }, name[0]);
    face.style.background = colour;
    const text = make("span", { className: "text" }, make("span", { className: "name" }, name),
      make("span", { className: "last" }, last ? brief(last) : nothing));
    return make("li", {}, make("button", { type: "button", onclick: () => this.go(where) }, face, text,
      isNew ? make("span", { className: "badge" }, _("新")) : null));
  }

  // --- a chat

  async drawChat() {
    const items = await ask("GET", `/people/${this.id}/chats/${encodeURIComponent(this.where)}`);
    if (items.length) this.seen[this.where] = items.at(-1).number;
    const other = this.account() || this.agent() || { name: this.where === "sms" ? _("短信") : _("邮件") };
    this.find(".title").textContent = other.name;
    this.find(".back").hidden = false;
    const person = this.data.person;
    const faces = {
      person: { text: person.name[0], colour: person.colour },
      account: { text: other.name[0], colour: other.colour || "#2b5fa8" },
    };
    const screen = this.find(".screen");
    const draft = this.find(".write input")?.value || "";
    const hadFocus = this.element.contains(document.activeElement) && document.activeElement.tagName === "INPUT";
    screen.replaceChildren(lines(this, items, faces));
    screen.scrollTop = screen.scrollHeight;
    screen.querySelectorAll("img").forEach((one) => one.addEventListener("load", () => { screen.scrollTop = screen.scrollHeight; }));
    this.drawFoot(draft);
    if (hadFocus) this.find(".write input")?.focus();
  }

  drawFoot(draft) {
    const foot = this.find(".foot");
    const account = this.account();
    if (account && !account.is_following) {
      const follow = make("button", { type: "button", className: "send", onclick: async () => { await this.does("follow"); } }, _("关注公众号"));
      foot.replaceChildren(make("div", { className: "write" }, follow));
      follow.style.flex = "1";
    } else if (this.where === "mail") foot.replaceChildren();
    else if (this.menu().length && !this.isWriting) foot.replaceChildren(this.menuBar());
    else foot.replaceChildren(this.writeBar(draft));
  }

  writeBar(draft) {
    const input = make("input", { type: "text", value: draft, ariaLabel: _("消息"), autocomplete: "off" });
    const form = make("form", { className: "write" });
    if (this.menu().length) {
      form.append(make("button", { type: "button", ariaLabel: _("菜单"), onclick: () => { this.isWriting = false; this.drawFoot(""); } }, "☰"));
    }
    form.append(input, make("button", { type: "submit", className: "send" }, _("发送")));
    if (this.where !== "sms") {
      form.append(make("button", { type: "button", ariaLabel: _("更多方式"), onclick: () => this.toggleTray() }, "＋"));
    }
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const text = input.value.trim();
      input.value = "";
      if (text) await this.say(text);
    });
    return form;
  }

  async say(text, answer = "") { await this.does(this.where === "sms" ? "reply_sms" : "say", answer ? { text, answer } : { text }); }

  menuBar() {
    const bar = make("div", { className: "menu" });
    bar.append(make("button", { type: "button", className: "keys", ariaLabel: _("键盘"), onclick: () => { this.isWriting = true; this.drawFoot(""); } }, "⌨"));
    this.menu().forEach((top) => {
      const below = top.sub_button || [];
      const place = make("div", {});
      const button = make("button", { type: "button" }, below.length ? `≡ ${top.name}` : top.name);
      button.addEventListener("click", () => {
        const open = bar.querySelector("ul");
        const wasHere = open && place.contains(open);
        open?.remove();
        if (!below.length) this.tapMenu(top);
        else if (!wasHere) {
          place.append(make("ul", {}, ...below.map((one) =>
            make("li", {}, make("button", { type: "button", onclick: () => { bar.querySelector("ul").remove(); this.tapMenu(one); } }, one.name)))));
        }
      });
      place.append(button);
      bar.append(place);
    });
    return bar;
  }

  async tapMenu(button) {
    const given = { name: button.name };
    if (button.type?.startsWith("scancode")) {
      const found = await words(this.sheet, _("扫一扫"), [{ name: "scan", label: _("码里的内容") }]);
      if (!found) return;
      Object.assign(given, found);
    }
    const told = await this.does("tap_menu", given);
    if (told && button.type?.startsWith("pic_")) await this.sendPhotos();
    if (told?.url) await this.open(told.url);
  }

  toggleTray() {
    const tray = this.find(".tray");
    tray.hidden = !tray.hidden;
    if (tray.hidden) return;
    const deeds = { 照片: () => this.sendPhotos(), 位置: () => this.sendPlace(), 语音: () => this.sendVoice(), 扫一扫: () => this.scan() };
    tray.replaceChildren(...Object.entries(deeds).map(([name, deed]) =>
      make("button", { type: "button", onclick: async () => { tray.hidden = true; await deed(); } }, icon(ICONS[name]), _(name))));
  }

  async sendPhotos() {
    const chosen = await pictures(this.sheet, this.data.person, 9);
    for (const photo of chosen || []) await this.does("send_photo", { photo });
  }

  async sendPlace() {
    const { lat, lon, label } = this.data.person;
    const found = await words(this.sheet, _("发送位置"), [
      { name: "label", label: _("地点"), value: label }, { name: "lat", label: _("纬度（WGS-84）"), value: lat }, { name: "lon", label: _("经度"), value: lon },
    ], _("发送"));
    if (found) await this.does("send_place", { label: found.label, lat: Number(found.lat), lon: Number(found.lon) });
  }

  async sendVoice() {
    const found = await words(this.sheet, _("发送语音"), [{ name: "words", label: _("说了什么（平台识别出的文字，可空）") }], _("发送"));
    if (found) await this.does("send_voice", { words: found.words, seconds: Math.max(1, Math.round(found.words.length / 4)) });
  }

  async scan(asked) {
    const found = asked || (await words(this.sheet, _("扫一扫"), [{ name: "text", label: _("码里的内容：二维码的网址、ticket，或网页地址") }]));
    if (!found?.text) return;
    const told = await this.does("scan", { text: found.text });
    if (told?.url) await this.open(told.url);
  }

  async tap(item, key, chosen) { await this.does("tap_card", { item, key, chosen }); }

  async more() {
    const account = this.account();
    const person = this.data.person;
    const all = [["scan", _("扫一扫")], ["place", _("这部手机在哪里")], ["snapshot", person.is_snapshot ? _("网页登录：改回本人") : _("网页登录：改为快照页的虚拟用户")]];
    if (account?.is_following) all.push(["unfollow", _("取消关注")], ["block", _("拒收这个公众号的消息")]);
    if (account && !account.is_following) all.push(["follow", _("关注公众号")]);
    if (this.agent()?.home) all.push(["home", _("打开应用主页")]);
    const chosen = await choice(this.sheet, person.name, all);
    if (chosen === "scan") await this.scan();
    if (chosen === "place") await this.move();
    if (chosen === "snapshot") await ask("POST", `/people/${this.id}`, { is_snapshot: !person.is_snapshot });
    if (chosen === "home") await this.open(this.agent().home);
    if (["follow", "unfollow", "block"].includes(chosen)) await this.does(chosen);
    await this.refresh();
  }

  async move() {
    const { lat, lon, label } = this.data.person;
    const found = await words(this.sheet, _("这部手机在哪里"), [
      { name: "label", label: _("地点"), value: label }, { name: "lat", label: _("纬度（WGS-84）"), value: lat }, { name: "lon", label: _("经度"), value: lon },
    ]);
    if (found) await ask("POST", `/people/${this.id}`, { label: found.label, lat: Number(found.lat), lon: Number(found.lon) });
  }

  // --- the browser

  async open(url) {
    try {
      const { frame } = await ask("POST", `/people/${this.id}/open`, { url, is_work: this.where.includes(":") });
      this.frameUrl = frame;
      this.frame.src = frame;
      this.find(".web").hidden = false;
      this.find(".web .close").focus();
    } catch (fault) {
      await tell(this.sheet, _("网页没有打开"), fault.message);
    }
  }

  closeWeb() {
    this.find(".web").hidden = true;
    this.frame.src = "about:blank";
  }

  /** A page in the frame calls the phone, by the JS-SDK. */
  async called(event) {
    const asked = event.data;
    if (event.source !== this.frame.contentWindow || asked?.emu !== "call") return;
    const value = await this.answer(asked.name, asked.params || {});
    event.source.postMessage({ emu: "answer", number: asked.number, value }, event.origin);
  }

  async answer(name, params) {
    if (name === "chooseImage") {
      const chosen = await pictures(this.sheet, this.data.person, params.count || 9);
      return chosen ? { errMsg: "chooseImage:ok", localIds: chosen.map((one) => LOCAL + one) } : { errMsg: "chooseImage:cancel" };
    }
    if (name === "scanQRCode") {
      const found = await words(this.sheet, _("扫一扫"), [{ name: "text", label: _("码里的内容") }]);
      if (found?.text && !params.needResult) await this.scan(found);
      return found?.text ? { errMsg: "scanQRCode:ok", resultStr: found.text } : { errMsg: "scanQRCode:cancel" };
    }
    if (name === "subscribe") {
      return { isGranted: (await choice(this.sheet, _("允许发送通知？"), [[true, _("允许")], [false, _("拒绝")]])) === true };
    }
    if (name === "closeWindow") this.closeWeb();
    return { errMsg: `${name}:ok` };
  }
}
