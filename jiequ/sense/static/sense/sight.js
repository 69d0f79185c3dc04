// Both dates before one's eyes: beside each other, under a sliding edge, or in turn; nearer and farther; dragged about.
// How one looked stays from one suspect to the next. Without this script both pictures stand side by side.
import { measure } from "./heights.js";

const LEVELS = [["wide", 1], ["around", 1], ["near", 1], ["near", 2], ["near", 4]];
const BLINK_MS = 650;
const still = matchMedia("(prefers-reduced-motion: reduce)");
const kept = { look: matchMedia("(max-width: 40rem)").matches ? "swipe" : "beside", level: 1, hidden: false };
let blinking = null;

export function start(scope) {
  const sight = scope.querySelector("[data-sight]");
  clearInterval(blinking);
  if (!sight || sight.dataset.started) return;
  sight.dataset.started = "1";
  const view = { sight, room: sight.querySelector("[data-room]"), at: { x: 0, y: 0 }, facts: factsOf(sight) };
  sight.querySelector("[data-sight-bar]").hidden = false;
  sight.addEventListener("click", (event) => press(view, event.target.closest("button")));
  const swipe = sight.querySelector("[data-swipe]");
  swipe.addEventListener("input", () => edge(view, swipe.value));
  drag(view, swipe);
  look(view, kept.look, true);
  zoom(view, 0);
  hide(view, kept.hidden);
}

export const factsOf = (sight) => JSON.parse(sight.querySelector("script[type='application/json']").textContent);

function press(view, button) {
  if (!button) return;
  if (button.dataset.look) look(view, button.dataset.look);
  else if (button.dataset.zoom) zoom(view, Number(button.dataset.zoom));
  else if ("outlines" in button.dataset) hide(view, !kept.hidden);
  else if ("measure" in button.dataset) measure(view);
}

function look(view, how, isFirst = false) {
  const again = how === "blink" && kept.look === "blink" && !isFirst;
  kept.look = how;
  view.room.dataset.look = how;
  for (const one of view.sight.querySelectorAll("[data-look]")) if (one !== view.room) one.setAttribute("aria-pressed", String(one.dataset.look === how));
  view.sight.querySelector("[data-swipe]").hidden = how !== "swipe";
  edge(view, view.sight.querySelector("[data-swipe]").value);
  clearInterval(blinking);
  if (how !== "blink") return view.room.classList.remove("shows-before");
  const turn = () => view.room.classList.toggle("shows-before");
  if (again || isFirst) turn();
  if (!still.matches && !again) blinking = setInterval(turn, BLINK_MS);
}

const edge = (view, share) => view.room.style.setProperty("--edge", `${share}%`);

function hide(view, hidden) {
  kept.hidden = hidden;
  view.room.classList.toggle("hides-shapes", hidden);
  view.sight.querySelector("[data-outlines]").setAttribute("aria-pressed", String(hidden));
}

function zoom(view, step) {
  kept.level = Math.min(LEVELS.length - 1, Math.max(0, kept.level + step));
  if (step) view.at = { x: 0, y: 0 };
  show(view);
}

function show(view) {
  const [name, times] = LEVELS[kept.level];
  const [, , side] = view.facts.boxes[name].split(" ").map(Number);
  const half = side / 2 / times;
  const most = side / 2 - half;
  for (const way of ["x", "y"]) view.at[way] = Math.min(most, Math.max(-most, view.at[way]));
  for (const one of view.room.querySelectorAll("[data-side]")) {
    const picture = one.querySelector("[data-picture]");
    const wanted = view.facts[one.dataset.side][name];
    if (picture.getAttribute("src") !== wanted) picture.src = wanted;
    const shift = (way) => (-view.at[way] / side) * 100 * times;
    picture.style.transform = times === 1 ? "" : `translate(${shift("x")}%, ${shift("y")}%) scale(${times})`;
    one.querySelector("[data-shapes]").setAttribute("viewBox", `${view.at.x - half} ${view.at.y - half} ${2 * half} ${2 * half}`);
  }
  view.half = half;
}

/** Over the pictures: the edge follows the finger when swiping, else the ground does. A wheel turns the zoom. */
function drag(view, swipe) {
  let from = null;
  view.room.addEventListener("pointerdown", (event) => {
    if (view.room.dataset.draws || event.button) return;
    from = { x: event.clientX, y: event.clientY, at: { ...view.at } };
    view.room.setPointerCapture(event.pointerId);
    follow(event);
  });
  view.room.addEventListener("pointermove", (event) => from && follow(event));
  for (const over of ["pointerup", "pointercancel"]) view.room.addEventListener(over, () => (from = null));
  view.room.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    zoom(view, event.deltaY < 0 ? 1 : -1);
  }, { passive: false });

  function follow(event) {
    const box = view.room.querySelector("[data-picture]").parentElement.getBoundingClientRect();
    if (kept.look === "swipe") {
      swipe.value = Math.round(((event.clientX - box.left) / box.width) * 100);
      return edge(view, swipe.value);
    }
    const metres = (2 * view.half) / box.width;
    view.at = { x: from.at.x - (event.clientX - from.x) * metres, y: from.at.y - (event.clientY - from.y) * metres };
    show(view);
  }
}
