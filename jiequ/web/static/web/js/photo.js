// Photo picker: shrinks on the phone, shows previews, notes time and place at the moment of the shot.
import { icon } from "./icons.js";
import { lookOf } from "./look.js";
import { position } from "./position.js";

const KEEP_BYTES = 1_500_000;
const QUALITY = 0.85;
const TYPES = new Set(["image/jpeg", "image/png", "image/webp"]);
const HEIC = /^(hei[cfmsx]|hev[cmsx]|mif1|msf1)$/;

/** Starts every picker in `scope`. */
export function start(scope) {
  for (const box of scope.querySelectorAll("[data-photos]")) {
    if (!box.dataset.started) new Picker(box);
  }
}

class Picker {
  constructor(box) {
    this.box = box;
    this.texts = box.dataset;
    this.max = Number(box.dataset.max);
    this.photos = [];
    box.dataset.started = "1";
    this.camera = box.querySelector("[data-photos-camera]");
    this.album = box.querySelector("[data-photos-album]");
    this.error = box.parentElement.querySelector("[data-photos-error]");
    this.camera.removeAttribute("name");
    this.camera.addEventListener("change", () => this.take(this.camera, "camera"));
    this.album.addEventListener("change", () => this.take(this.album, "album"));
    box.closest("form")?.addEventListener("reset", () => setTimeout(() => this.empty()));
    if (this.album.files.length) this.take(this.album, "album");
  }

  /** New files of one input: shrink, list, draw. The camera's input is emptied, the album's carries all photos. */
  async take(input, source) {
    const files = [...input.files];
    const shotAt = new Date().toISOString();
    const where = source === "camera" ? position() : null;
    this.complain("");
    this.box.setAttribute("aria-busy", "true");
    if (source === "camera") input.value = "";
    for (const file of files) await this.add(file, source, shotAt, where);
    this.write();
    this.box.removeAttribute("aria-busy");
    if (this.photos.length) this.box.dispatchEvent(new CustomEvent("jiequ:shot", { bubbles: true, detail: { source } }));
  }

  async add(file, source, shotAt, where) {
    if (this.photos.length >= this.max) return this.complain(this.texts.textMax);
    const shrunk = await shrink(file, Number(this.texts.longSide), "photosLook" in this.texts).catch(() => null);
    if (!shrunk) return this.complain((await whyNot(file, this.texts)));
    const facts = source === "camera" ? { source, at: shotAt } : { source };
    if (shrunk.look) facts.look = shrunk.look;
    const photo = { file: shrunk.file, url: URL.createObjectURL(shrunk.file), facts };
    this.photos.push(photo);
    where?.then((found) => {
      if (found) Object.assign(photo.facts, found, { at: shotAt });
      this.write();
    });
  }

  remove(photo) {
    URL.revokeObjectURL(photo.url);
    this.photos.splice(this.photos.indexOf(photo), 1);
    this.write();
    (this.box.querySelector(".photo-remove") ?? this.camera).focus();
  }

  empty() {
    this.photos.forEach((photo) => URL.revokeObjectURL(photo.url));
    this.photos = [];
    this.write();
  }

  /** Puts the list into the form's own fields and draws it. */
  write() {
    const carry = new DataTransfer();
    this.photos.forEach((photo) => carry.items.add(photo.file));
    this.album.files = carry.files;
    const facts = this.photos.map((photo) => ({ name: photo.file.name, ...photo.facts }));
    this.box.querySelector("[data-photos-facts]").value = facts.length ? JSON.stringify(facts) : "";
    this.box.querySelectorAll("figure.photo").forEach((figure) => figure.remove());
    this.box.prepend(...this.photos.map((photo, index) => this.draw(photo, index + 1)));
    this.camera.closest("label").hidden = this.album.closest("label").hidden = this.photos.length >= this.max;
  }

  draw(photo, number) {
    const figure = Object.assign(document.createElement("figure"), { className: "photo" });
    const alt = this.texts.textAlt.replace("{n}", number);
    const button = Object.assign(document.createElement("button"), { type: "button", className: "photo-remove" });
    button.setAttribute("aria-label", this.texts.textRemove.replace("{n}", number));
    button.append(icon("cross"));
    button.addEventListener("click", () => this.remove(photo));
    figure.append(Object.assign(document.createElement("img"), { src: photo.url, alt }), button);
    return figure;
  }

  complain(sentence) {
    this.error.textContent = sentence;
    this.error.hidden = !sentence;
  }
}

/** The file itself if it is small enough, else a JPEG whose long side is `longSide` pixels, and what it looks like where
 * that is wanted (`look`). Rejects what no canvas can read. */
async function shrink(file, longSide, wantsLook) {
  const bitmap = await createImageBitmap(file);
  const look = wantsLook ? lookOf(bitmap) : "";
  const scale = Math.min(1, longSide / Math.max(bitmap.width, bitmap.height));
  if (scale === 1 && TYPES.has(file.type) && file.size <= KEEP_BYTES) {
    bitmap.close();
    return { file, look };
  }
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", QUALITY));
  canvas.width = canvas.height = 0;
  if (!blob) throw new Error("canvas gave nothing");
  const name = file.name.replace(/\.[^.]*$/, "") || "photo";
  return { file: new File([blob], `${name}.jpg`, { type: "image/jpeg", lastModified: file.lastModified }), look };
}

/** The sentence for a file that could not be read. */
async function whyNot(file, texts) {
  const head = new Uint8Array(await file.slice(0, 12).arrayBuffer());
  const brand = String.fromCharCode(...head.slice(8, 12));
  const isBox = String.fromCharCode(...head.slice(4, 8)) === "ftyp";
  if ((isBox && HEIC.test(brand)) || /\.hei[cf]$/i.test(file.name)) return texts.textHeic;
  return TYPES.has(file.type) ? texts.textBroken : texts.textType;
}
