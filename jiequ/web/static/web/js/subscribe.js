// In WeChat: asks whether the account may send a notice of what becomes of this report. Without WeChat's script nothing is shown.
import { told } from "./wechat.js";

/** Starts the part in `scope`: puts WeChat's own element into the box, with our words inside. */
export function start(scope) {
  for (const box of scope.querySelectorAll("[data-wechat-subscribe]")) {
    if (!box.dataset.started) begin(box);
  }
}

async function begin(box) {
  box.dataset.started = "1";
  const templates = (await told(box))?.subscriptions ?? [];
  if (!templates.length) return;
  const asks = document.createElement("wx-open-subscribe");
  asks.setAttribute("template", templates.join(","));
  const face = Object.assign(document.createElement("script"), { type: "text/wxtag-template" });
  face.textContent = `<button>${box.dataset.textAsk}</button>`; // WeChat draws it in a frame of its own
  asks.append(face);
  asks.addEventListener("success", ({ detail }) => say(box, isGranted(detail) ? box.dataset.textYes : box.dataset.textNo));
  asks.addEventListener("error", () => say(box, box.dataset.textNo));
  box.querySelector("[data-subscribe-ask]").append(asks);
  box.hidden = false;
}

/** WeChat says it as an object or as JSON of one, "accept" or { status: "accept" } by template. */
function isGranted(detail) {
  return JSON.stringify(detail?.subscribeDetails ?? "").includes("accept");
}

function say(box, text) {
  const said = box.querySelector("[data-subscribe-said]");
  said.textContent = text;
  said.hidden = false;
}
