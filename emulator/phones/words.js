/** The page's words: Chinese in the code, English here. Names, roles' holders and what people write stay as they are. */

const KEPT_AS = "emulator-language";
const EN = {
  "▶ 小视频": "▶ short video",
  "▶ 视频": "▶ video",
  "+1 天": "+1 day",
  "+1 小时": "+1 hour",
  "+10 分钟": "+10 minutes",
  "[卡片]": "[card]",
  "[图文]": "[article]",
  "[照片]": "[photo]",
  "[视频]": "[video]",
  "[位置]": "[place]",
  "[语音]": "[voice]",
  "[通知]": "[notice]",
  "{0}的手机": "{0}'s phone",
  "企业微信": "WeCom",
  "位置": "Place",
  "允许": "Allow",
  "允许发送通知？": "Allow notices?",
  "公众号": "Official account",
  "关注公众号": "Follow the account",
  "关闭": "Close",
  "关闭网页": "Close the page",
  "几部手机并排，同一个公众号和企业微信。点一下手机开始。": "One official account and WeCom on several phones.",
  "刷新": "Reload",
  "发送": "Send",
  "发送位置": "Send a place",
  "发送语音": "Send a voice message",
  "取消": "Cancel",
  "取消关注": "Unfollow",
  "地点": "Place",
  "往来记录": "Record",
  "微信": "WeChat",
  "您已关注此公众号": "You follow this account",
  "您已取消关注": "You no longer follow",
  "手机": "Phones",
  "打开": "Open",
  "打开应用主页": "Open the application's home",
  "扫一扫": "Scan",
  "拒收这个公众号的消息": "Refuse this account's messages",
  "拒绝": "Refuse",
  "推送": "push",
  "文件": "file",
  "新": "new",
  "显示哪些手机": "Which phones are shown",
  "更多": "More",
  "更多方式": "More ways",
  "查看详情": "Details",
  "模拟器": "Emulator",
  "模拟器：手机": "Emulator: phones",
  "水务处置": "Water works",
  "水务负责人": "Head of water works",
  "没有办成": "That did not work",
  "没有短信": "No text messages",
  "消息": "Message",
  "照片": "Photo",
  "环卫处置": "Sanitation",
  "相册": "Camera roll",
  "短信": "Text messages",
  "知道了": "All right",
  "码里的内容": "What the code says",
  "码里的内容：二维码的网址、ticket，或网页地址": "What the code says: its address, its ticket, or a page",
  "确定": "OK",
  "经度": "Longitude",
  "纬度（WGS-84）": "Latitude (WGS-84)",
  "网格员": "Grid worker",
  "网页": "Page",
  "网页登录：改为快照页的虚拟用户": "Pages see a virtual snapshot user",
  "网页登录：改回本人": "Pages see the owner again",
  "网页没有打开": "The page did not open",
  "菜单": "Menu",
  "街道领导": "Leader",
  "说了什么（平台识别出的文字，可空）": "What was said (as the platform recognises it; may be empty)",
  "调用": "call",
  "语音": "Voice",
  "这台电脑上的照片": "A picture of this computer",
  "这部手机在哪里": "Where this phone is",
  "返回": "Back",
  "选好了": "Chosen",
  "邮件": "Mail",
  "键盘": "Keyboard",
  "阅读": "Read",
  "该公众号提供的服务出现故障，请稍后再试": "The service of this account is out of order, try again later",
  "居民": "Resident",
};

const kept = () => {
  try { return localStorage.getItem(KEPT_AS); } catch { return null; }
};
const isEnglish = (kept() || (navigator.language.startsWith("zh") ? "zh" : "en")) === "en";

/** The words in the reader's language, with `{0}` filled in. */
export const _ = (text, ...values) =>
  ((isEnglish && EN[text]) || text || "").replace(/\{(\d)\}/g, (_all, at) => values[Number(at)]);

/** The other language's name for itself. */
export const other = () => (isEnglish ? "中文" : "English");

/** Change to the other language. */
export const speak = () => {
  localStorage.setItem(KEPT_AS, isEnglish ? "zh" : "en");
  location.reload();
};

/** The words that stand in the page itself. */
export const translate = (root) => {
  root.querySelectorAll("[data-word]").forEach((one) => { one.textContent = _(one.textContent); });
  for (const name of ["aria-label", "title"]) {
    root.querySelectorAll(`[${name}]`).forEach((one) => one.setAttribute(name, _(one.getAttribute(name))));
  }
  if (root === document) {
    document.documentElement.lang = isEnglish ? "en" : "zh-CN";
    document.title = _(document.title);
  }
};
