// Parts of a page that show work in hand: fetched again every two seconds while anything moves, without moving what one reads.
for (const part of document.querySelectorAll("[data-sense-renew]")) renew(part);

async function renew(part) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, document.hidden ? 10000 : 2000));
    try {
      const answer = await fetch(part.dataset.senseRenew, { headers: { "Jiequ-By-Itself": "1" } });
      if (!answer.ok) continue;
      const html = await answer.text();
      const focused = document.activeElement?.closest("[data-row]")?.dataset.row;
      part.innerHTML = html;
      if (focused) part.querySelector(`[data-row="${focused}"]`)?.focus({ preventScroll: true });
      if (!part.querySelector('[data-sense-moving="1"]')) {
        if ("senseReload" in part.dataset) location.reload();
        return;
      }
    } catch (error) {
      console.warn("not renewed:", error);
    }
  }
}
