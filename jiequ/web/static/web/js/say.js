// One sentence for the reader, at the bottom of the page, read out by screen readers.

/** Shows `text` as a toast; one toast per `key`, an empty text takes it away; gone after 8 s unless it `stays` or has a `link`. */
export function say(text, { key = "say", stays = false, tone = "", link = "", linkText = "" } = {}) {
  const place = document.querySelector("[data-toasts]");
  place?.querySelector(`[data-say="${key}"]`)?.remove();
  if (!text || !place) return;
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.dataset.say = key;
  if (tone) toast.dataset.tone = tone;
  toast.append(Object.assign(document.createElement("span"), { className: "toast-text", textContent: text }));
  if (link) toast.append(Object.assign(document.createElement("a"), { className: "button button-undo", href: link, textContent: linkText }));
  place.append(toast);
  if (!stays && !link) setTimeout(() => toast.remove(), 8000);
}
