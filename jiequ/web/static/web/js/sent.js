// Drafts are cleared only when the page after the form shows that the form was taken.
const SENT = "jiequ:sent";

/** The key of a form's draft: one reader, one form. */
export const draftKey = (form) => `jiequ:draft:${document.body.dataset.person || "-"}:${form.dataset.draft}`;

/** Remembers that this draft's form is on its way. */
export const markSent = (key) => sessionStorage.setItem(SENT, key);

/** On the next page: taken, unless it shows a refusal, the same form again, or asks for a password first. */
export function settleDrafts(page) {
  try {
    const key = sessionStorage.getItem(SENT);
    if (!key) return;
    sessionStorage.removeItem(SENT);
    const isSameForm = [...page.querySelectorAll("form[data-draft]")].some((form) => draftKey(form) === key);
    if (isSameForm || page.querySelector("[data-refusal], input[type=password]")) return;
    localStorage.removeItem(key);
  } catch {
    // storage is off: there are no drafts either
  }
}
