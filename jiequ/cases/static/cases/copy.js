// Copies a private link; where the browser forbids it, the text beside it is selected for the reader's own hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const field = button.parentElement.querySelector("input[readonly]");
    field.select();
    const isCopied = await copied(button.dataset.copy);
    if (isCopied) button.querySelector("span").textContent = button.dataset.textDone;
  });
}

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return document.execCommand("copy");
  }
}
