// In WeChat: its location, its camera and its scanner, beside the page's own. Whatever fails leaves the page as it was.
import { askFirst } from "./position.js";

const PATIENCE_MS = 6_000;
const SCRIPT_MS = 3_000;

/** Starts the part in `scope`: loads WeChat's script, has this page signed, then shows what it offers. */
export function start(scope) {
  for (const box of scope.querySelectorAll("[data-wechat]")) {
    if (!box.dataset.started) begin(box);
  }
}

async function begin(box) {
  box.dataset.started = "1";
  const form = box.closest("form");
  const ready = signed(box);
  askFirst(async () => ((await Promise.race([ready, after(PATIENCE_MS)])) ? locate() : null)); // a quick shot waits for it
  if (!(await ready)) return;
  form.querySelectorAll("[data-place-find]").forEach((button) => (button.hidden = false));
  offer(box.querySelector("[data-wechat-scan]"), () => scan(box, form));
  offer(box.querySelector("[data-wechat-camera]"), () => choose(form));
  box.hidden = false;
}

/** True once WeChat's script is there and took our signature. */
async function signed(box) {
  return Boolean(await told(box));
}

/** What our side says of this page, once WeChat's script is there and took our signature; null where it is not used. */
export async function told(box) {
  try {
    await load(box.dataset.wechatScript);
    return await sign(box.dataset.wechatConfig);
  } catch (error) {
    console.warn("WeChat's script is not used:", error);
    return null;
  }
}

const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function offer(button, act) {
  button.hidden = false;
  button.addEventListener("click", () => act().catch((error) => console.warn("WeChat:", error)));
}

/** From the first of the addresses that has it: WeChat names a second one for when the first does not answer. */
async function load(addresses) {
  if (window.wx?.config) return;
  const [address, ...others] = addresses.split(" ");
  try {
    await added(address, others.length ? SCRIPT_MS : 0);
  } catch (fault) {
    if (!others.length) throw fault;
    await load(others.join(" "));
  }
}

/** Rejects when the address has no script, or after `most` ms (one that hangs is as good as gone); 0: it has all the time. */
function added(address, most) {
  return new Promise((resolve, reject) => {
    const failed = () => reject(new Error(`no script at ${address}`));
    const script = Object.assign(document.createElement("script"), { src: address, onload: resolve, onerror: failed });
    if (most) setTimeout(failed, most);
    document.head.append(script);
  });
}

/** The signature is over this very address, without what follows its #. */
async function sign(config) {
  const address = location.href.split("#")[0];
  const answer = await fetch(`${config}?url=${encodeURIComponent(address)}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`not signed: ${answer.status}`);
  const said = await answer.json();
  const { config: given, agent } = said;
  await new Promise((resolve, reject) => {
    wx.ready(resolve);
    wx.error((fault) => reject(new Error(fault.errMsg)));
    wx.config(given);
  });
  if (agent) asApplication(agent); // nothing here waits for it
  return said;
}

/** In WeCom the page is our application's too, by a ticket of its own; what the corporation's ticket allows works without. */
async function asApplication(agent) {
  if (!wx.agentConfig) return; // a script of before 1.2
  await call("agentConfig", agent).catch((fault) => console.warn("WeCom:", fault.errMsg));
}

/** One call of WeChat's; rejects when it fails or is cancelled. */
const call = (name, given = {}) =>
  new Promise((success, fail) => wx[name]({ ...given, success, fail, cancel: fail }));

async function locate() {
  try {
    const found = await call("getLocation", { type: "gcj02" });
    return {
      lon: Number(Number(found.longitude).toFixed(6)),
      lat: Number(Number(found.latitude).toFixed(6)),
      accuracy_m: Math.ceil(Number(found.accuracy) || 100),
      at: new Date().toISOString(),
      system: "gcj02",
    };
  } catch {
    return null; // the browser's own is asked next
  }
}

async function scan(box, form) {
  const { resultStr } = await call("scanQRCode", { needResult: 1, scanType: ["qrCode"] });
  const answer = await fetch(`${box.dataset.wechatPlate}?code=${encodeURIComponent(resultStr)}`, { headers: { Accept: "application/json" } });
  const told = await answer.json();
  const said = box.querySelector("[data-wechat-said]");
  said.textContent = told.ok ? "" : told.message;
  said.hidden = told.ok;
  if (told.ok) form.dispatchEvent(new CustomEvent("jiequ:plate", { detail: told.plate }));
}

/** Photos chosen in WeChat go into the page's own field, which shrinks and shows them like any other. */
async function choose(form) {
  const picker = form.querySelector("[data-photos]");
  const { localIds } = await call("chooseImage", { count: Number(picker.dataset.max), sizeType: ["original", "compressed"] });
  const carry = new DataTransfer();
  for (const localId of localIds) {
    const { localData } = await call("getLocalImgData", { localId });
    carry.items.add(await file(localData, carry.items.length + 1));
  }
  const field = picker.querySelector("[data-photos-album]");
  field.files = carry.files;
  field.dispatchEvent(new Event("change"));
}

/** Some phones leave the beginning of the data: address out. */
async function file(localData, number) {
  const bytes = Uint8Array.from(atob(localData.replace(/^data:[^,]*,/, "")), (mark) => mark.charCodeAt(0));
  const type = bytes[0] === 0x89 ? "image/png" : "image/jpeg";
  return new File([bytes], `wechat-${number}.${type === "image/png" ? "png" : "jpg"}`, { type });
}
