// A part of the page (reached by its address without scripts) shown as a native dialog with them.

/** Every link to "#id" of a dialog opens it; a [data-close] inside closes it. Without scripts the dialog is a section of the page. */
export function start(scope) {
  for (const dialog of scope.querySelectorAll("dialog[data-dialog]")) {
    if (dialog.dataset.started) continue;
    dialog.dataset.started = "1";
    dialog.removeAttribute("open");
    dialog.querySelectorAll("[data-close]").forEach((button) => {
      button.hidden = false;
      button.addEventListener("click", () => dialog.close());
    });
  }
  if (!document.body.dataset.dialogs) document.body.addEventListener("click", open);
  document.body.dataset.dialogs = "1";
}

function open(event) {
  const link = event.target.closest?.('a[href^="#"]');
  const dialog = link && document.getElementById(link.getAttribute("href").slice(1));
  if (!(dialog instanceof HTMLDialogElement)) return;
  event.preventDefault();
  dialog.showModal();
}
