/** What a phone asks its reader: a picture, a word, a choice. Each returns a promise; undefined when it was left. */

import { ask, make } from "./api.js";
import { _ } from "./words.js";

const MARGIN = 14;

/** At the foot of its own phone, as far as that is in sight. */
const place = (sheet) => {
  const phone = sheet.parentElement.getBoundingClientRect();
  const left = Math.max(MARGIN, Math.min(phone.left + MARGIN, innerWidth - phone.width));
  Object.assign(sheet.style, {
    left: `${left}px`, right: "auto", top: "auto", bottom: `${innerHeight - phone.bottom + MARGIN}px`, margin: "0",
    width: `${phone.width - 2 * MARGIN}px`, maxHeight: `${phone.height - 4 * MARGIN}px`,
  });
};

const show = (sheet, title, ...inside) => {
  sheet.replaceChildren(make("h2", {}, title), ...inside);
  place(sheet);
  sheet.showModal();
};

const closed = (sheet, value) =>
  new Promise((tell) => {
    sheet.addEventListener("close", () => tell(value()), { once: true });
  });

const deeds = (sheet, label, finish) =>
  make("div", { className: "deeds" },
    make("button", { type: "button", onclick: () => sheet.close() }, _("取消")),
    make("button", { type: "submit", className: "yes", onclick: finish }, label));

/** Values of fields: `[{ name, label, value }]`. */
export const words = (sheet, title, fields, label = _("确定")) => {
  let found;
  const inputs = fields.map((one) => make("input", { name: one.name, value: one.value ?? "", type: "text", autocomplete: "off" }));
  const form = make("form", {
    method: "dialog",
    onsubmit: () => { found = Object.fromEntries(inputs.map((one) => [one.name, one.value.trim()])); },
  }, ...inputs.map((one, at) => make("label", {}, fields[at].label, one)), deeds(sheet, label));
  show(sheet, title, form);
  return closed(sheet, () => found);
};

/** One of several: `[[value, label]]`. */
export const choice = (sheet, title, all) => {
  let found;
  const buttons = all.map(([value, label]) =>
    make("button", { type: "button", onclick: () => { found = value; sheet.close(); } }, label));
  show(sheet, title, make("div", { className: "choices" }, ...buttons), make("div", { className: "deeds" },
    make("button", { type: "button", onclick: () => sheet.close() }, _("取消"))));
  return closed(sheet, () => found);
};

/** Pictures of the camera roll, at most `count`; a picture of this computer may be added. */
export const pictures = (sheet, person, count = 1) => {
  const chosen = new Set();
  let found;
  const roll = make("div", { className: "roll" });
  const add = (id) => {
    const button = make("button", { type: "button", ariaPressed: "false", ariaLabel: `${_("照片")} ${roll.childElementCount + 1}` },
      make("img", { src: `/res/local/${id}`, alt: "" }));
    button.addEventListener("click", () => {
      if (chosen.has(id)) chosen.delete(id);
      else if (count === 1) { chosen.clear(); chosen.add(id); } else if (chosen.size < count) chosen.add(id);
      [...roll.children].forEach((one) => { one.ariaPressed = String(chosen.has(one.dataset.id)); });
    });
    button.dataset.id = id;
    roll.append(button);
  };
  person.photos.forEach(add);
  const file = make("input", {
    type: "file", accept: "image/jpeg,image/png",
    onchange: async () => {
      for (const one of file.files) add((await ask("POST", `/people/${person.id}/photos`, one)).photo);
    },
  });
  const form = make("form", { method: "dialog", onsubmit: () => { found = [...chosen]; } },
    roll, make("label", {}, _("这台电脑上的照片"), file), deeds(sheet, _("选好了")));
  show(sheet, _("相册"), form);
  return closed(sheet, () => (found && found.length ? found : undefined));
};

/** A sentence that has to be read. */
export const tell = (sheet, title, sentence) => {
  show(sheet, title, make("p", {}, sentence), make("form", { method: "dialog", className: "deeds" },
    make("button", { type: "submit", className: "yes" }, _("知道了"))));
  return closed(sheet, () => true);
};
