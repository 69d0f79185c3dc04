/* Stands for jweixin-1.6.0.js: same calls and callbacks, answered by the emulator and its phone. */
(() => {
  "use strict";
  const here = document.currentScript ? document.currentScript.src : "";
  const base = here.replace(/\/open\/js\/[^/]*$/, "");
  const state = { config: null, ready: [], error: [], verdict: null };
  const device = ["chooseImage", "uploadImage", "getLocation", "scanQRCode"];
  const quiet = [
    "previewImage", "downloadImage", "startRecord", "stopRecord", "onVoiceRecordEnd", "playVoice",
    "uploadVoice", "openLocation", "hideOptionMenu", "showOptionMenu", "hideMenuItems", "showMenuItems",
    "hideAllNonBaseMenuItem", "updateAppMessageShareData", "updateTimelineShareData", "onMenuShareAppMessage", "getNetworkType",
  ];

  const ask = async (path, body) => {
    const answer = await fetch(base + path, {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
    return answer.json();
  };

  const isInPhone = window.parent !== window;
  const waiting = new Map();
  let number = 0;
  const askPhone = (name, params) =>
    new Promise((tell) => {
      number += 1;
      waiting.set(number, tell);
      window.parent.postMessage({ emu: "call", number, name, params }, "*");
    });
  window.addEventListener("message", (event) => {
    if (event.source === window.parent && event.data && event.data.emu === "answer" && waiting.has(event.data.number)) {
      waiting.get(event.data.number)(event.data.value);
      waiting.delete(event.data.number);
    }
  });

  const finish = (name, given, value) => {
    const isOk = /:ok$/.test(value.errMsg);
    const called = isOk ? given.success : /:cancel$/.test(value.errMsg) ? given.cancel : given.fail;
    if (called) called(value);
    if (given.complete) given.complete(value);
  };

  const plain = (given) => Object.fromEntries(Object.entries(given).filter(([, value]) => typeof value !== "function"));

  const call = async (name, given = {}) => {
    if (!state.verdict || state.verdict !== "config:ok") {
      return finish(name, given, { errMsg: `${name}:permission denied` });
    }
    if (!(state.config.jsApiList || []).includes(name) && device.includes(name)) {
      return finish(name, given, { errMsg: `${name}:permission denied` });
    }
    const params = { ...plain(given), appId: state.config.appId };
    const isAsked = isInPhone && ["chooseImage", "scanQRCode", "closeWindow"].includes(name);
    const value = isAsked ? await askPhone(name, params) : await ask(`/device/${name}`, params);
    return finish(name, given, value);
  };

  /** A picture of the phone as a data: address, as iOS gives it. */
  const read = async (given) => {
    if (state.verdict !== "config:ok") return finish("getLocalImgData", given, { errMsg: "getLocalImgData:permission denied" });
    const answer = await fetch(`${base}/local/${String(given.localId).replace(/^weixin:\/\/resourceid\//, "")}`);
    if (!answer.ok) return finish("getLocalImgData", given, { errMsg: "getLocalImgData:fail" });
    const reader = new FileReader();
    reader.onload = () => finish("getLocalImgData", given, { errMsg: "getLocalImgData:ok", localData: reader.result });
    return reader.readAsDataURL(await answer.blob());
  };

  const settle = (verdict) => {
    state.verdict = verdict;
    const isOk = verdict === "config:ok";
    (isOk ? state.ready : state.error).forEach((one) => one({ errMsg: verdict }));
  };

  const wx = {
    config(given) {
      state.config = given;
      ask("/check", { ...plain(given), url: location.href.split("#")[0] }).then((found) => settle(found.errMsg));
    },
    agentConfig(given) {
      const params = { ...plain(given), appId: given.corpid, url: location.href.split("#")[0] };
      ask("/check", params).then((found) =>
        finish("agentConfig", given, { errMsg: found.errMsg.replace("config", "agentConfig") }));
    },
    ready(one) {
      if (state.verdict === "config:ok") one({ errMsg: state.verdict });
      else state.ready.push(one);
    },
    error(one) {
      if (state.verdict && state.verdict !== "config:ok") one({ errMsg: state.verdict });
      else state.error.push(one);
    },
    checkJsApi(given) {
      const checkResult = Object.fromEntries((given.jsApiList || []).map((name) => [name, name in wx]));
      finish("checkJsApi", given, { errMsg: "checkJsApi:ok", checkResult });
    },
    closeWindow() {
      if (isInPhone) askPhone("closeWindow", {});
      else window.close();
    },
    invoke(name, given, told) {
      if (name === "agentConfig") return wx.agentConfig({ ...given, complete: told });
      if (name in wx) return wx[name]({ ...given, complete: told });
      return told({ err_msg: `${name}:fail no permission` });
    },
    miniProgram: { getEnv: (told) => told({ miniprogram: false }) },
  };
  wx.getLocalImgData = (given) => read(given);
  device.forEach((name) => { wx[name] = (given) => call(name, given); });
  quiet.forEach((name) => { wx[name] = (given = {}) => finish(name, given, { errMsg: `${name}:ok` }); });
  window.wx = window.jWeixin = wx;
  window.__wxjs_environment = "browser";

  // A localId is shown by <img src="weixin://resourceid/…"> in WeChat; here it becomes an address.
  const show = (img) => {
    const found = /^weixin:\/\/resourceid\/(.+)$/.exec(img.getAttribute("src") || "");
    if (found) img.src = `${base}/local/${found[1]}`;
  };
  new MutationObserver((changes) => changes.forEach((change) => {
    if (change.type === "attributes") show(change.target);
    change.addedNodes.forEach((node) => {
      if (node.nodeName === "IMG") show(node);
      else if (node.querySelectorAll) node.querySelectorAll("img").forEach(show);
    });
  })).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["src"] });

  class Subscribe extends HTMLElement {
    connectedCallback() {
      const template = this.querySelector("template, script[type='text/wxtag-template']");
      const shadow = this.attachShadow({ mode: "open" });
      const box = document.createElement("div");
      box.innerHTML = template ? template.innerHTML : "<button>订阅</button>";
      shadow.append(box);
      box.addEventListener("click", () => this.answer());
    }
    async answer() {
      const asked = (this.getAttribute("template") || "").split(",").map((one) => one.trim()).filter(Boolean);
      const isGranted = isInPhone ? (await askPhone("subscribe", { asked })).isGranted : true;
      const answers = Object.fromEntries(asked.map((one) => [one, isGranted ? "accept" : "reject"]));
      const found = await ask("/device/subscribe", { appId: state.config && state.config.appId, answers });
      this.dispatchEvent(new CustomEvent(found.errMsg === "subscribe:ok" ? "success" : "error", { detail: found }));
    }
  }
  customElements.define("wx-open-subscribe", Subscribe);
})();
