// Several rows at once: how many are ticked, all of them, a range with Shift, and a long lot that goes on by itself.

const theBar = () => document.querySelector("form[data-lot]"); // it comes and goes with the rows
const ticks = () => [...document.querySelectorAll("[data-tick]")];
const everything = () => document.querySelector("[data-tick-all]");
let last = null;

function count() {
  const bar = theBar();
  if (!bar) return;
  const all = ticks();
  const chosen = all.filter((box) => box.checked);
  bar.hidden = !chosen.length;
  const place = bar.querySelector("[data-lot-count]");
  place.textContent = place.dataset.text.replace("{n}", chosen.length);
  for (const box of all) box.closest("[data-row]").toggleAttribute("data-ticked", box.checked);
  const whole = everything();
  if (!whole) return;
  whole.closest("[data-tick-all-label]").hidden = false;
  whole.checked = chosen.length > 0 && chosen.length === all.length;
  whole.indeterminate = chosen.length > 0 && chosen.length < all.length;
}

document.addEventListener("change", (event) => {
  if (event.target === everything()) for (const box of ticks()) box.checked = event.target.checked;
  if (event.target.matches?.("[data-tick], [data-tick-all]")) count();
});
document.addEventListener("click", (event) => {
  const box = event.target.matches?.("[data-tick]") ? event.target : null;
  if (!box) return;
  const all = ticks();
  if (event.shiftKey && last?.isConnected) {
    const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
    for (const one of all.slice(from, to + 1)) one.checked = box.checked;
    count();
  }
  last = box;
});
document.addEventListener("jiequ:renewed", count);
document.addEventListener("jiequ:escape", (event) => {
  const chosen = ticks().filter((box) => box.checked);
  if (!chosen.length) return;
  event.preventDefault();
  for (const box of chosen) box.checked = false;
  count();
});
addEventListener("pageshow", count);
count();

document.querySelector("form[data-lot-going]")?.requestSubmit();
