// Every page's first module: says that scripts run, then loads only what this page asks for by its data attributes.
import { say } from "./say.js";
import { settleDrafts } from "./sent.js";

const PARTS = [
  ["[data-photos]", () => import("./photo.js")],
  ["[data-place]", () => import("./place.js")],
  ["form[data-queue], [data-queue-list]", () => import("./queue.js")],
  ["[data-undo]", () => import("./undo.js")],
  ["[data-wechat]", () => import("./wechat.js")],
  ["[data-wechat-subscribe]", () => import("./subscribe.js")],
  ["[data-map]", () => import("./map.js")],
  ["[data-keys], [data-key]", () => import("./keys.js")],
  ["form[data-draft]", () => import("./drafts.js")],
  ["[data-live-part], [data-live-case], [data-live-listen]", () => import("./live.js")],
  ["dialog[data-dialog]", () => import("./dialog.js")],
];

/** Starts every part found in `scope`; a part that cannot be loaded leaves the page as it is without scripts. */
async function start(scope) {
  for (const [selector, load] of PARTS) {
    if (!scope.querySelector(selector) && !scope.matches?.(selector)) continue;
    try {
      (await load()).start(scope);
    } catch (error) {
      console.warn("part not started:", selector, error);
    }
  }
}

function listen() {
  const texts = document.body.dataset;
  addEventListener("offline", () => say(texts.textOffline, { key: "offline", stays: true }));
  addEventListener("online", () => say("", { key: "offline" }));
  document.body.addEventListener("htmx:load", (event) => event.target !== document.body && start(event.target));
  document.body.addEventListener("htmx:sendError", () => say(texts.textOffline, { key: "net" }));
  document.body.addEventListener("htmx:timeout", () => say(texts.textSlow, { key: "net" }));
  document.body.addEventListener("htmx:responseError", () => say(texts.textFailed, { key: "net" }));
  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "refusal") event.target.querySelector("[data-refusal]")?.focus();
  });
}

document.documentElement.classList.add("has-js");
settleDrafts(document);
listen();
start(document).then(() => document.documentElement.classList.add("is-started"));
