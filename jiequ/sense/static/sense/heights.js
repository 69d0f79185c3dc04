// The heights of both dates between two places of one's own: press the button, then two places on either picture. The dashed
// line and the drawing below follow; Escape leaves both as they were. Without this script the line lies along the suspect.
const LEAST_METRES = 0.5;

export function measure({ sight, room, facts }) {
  const image = sight.closest("[data-suspect]")?.querySelector("[data-heights]");
  const button = sight.querySelector("[data-measure]");
  if (!image || !facts.heights || room.dataset.draws) return;
  const help = sight.querySelector("[data-measure-help]");
  const lines = [...room.querySelectorAll(".shape-line")];
  const before = lines[0].getAttribute("d");
  const listen = new AbortController();
  let from = null;
  room.dataset.draws = "line";
  help.hidden = false;
  button.setAttribute("aria-pressed", "true");
  room.addEventListener("click", take, { signal: listen.signal });
  room.addEventListener("pointermove", (event) => from && paint(from, placeOf(event)), { signal: listen.signal });
  document.addEventListener("keydown", giveUp, { signal: listen.signal, capture: true });
  sight.addEventListener("click", (event) => event.target.closest("[data-measure]") && stop(before), { signal: listen.signal, capture: true });

  function take(event) {
    const place = placeOf(event);
    if (!from) return paint((from = place), place);
    if (Math.hypot(place.x - from.x, place.y - from.y) < LEAST_METRES) return;
    image.src = `${facts.heights.base}${[...degreesOf(from), ...degreesOf(place)].join(",")}.svg?t=${facts.heights.token}`;
    stop(lineOf(from, place));
    image.scrollIntoView({ block: "nearest" });
  }

  function giveUp(event) {
    if (event.key !== "Escape") return;
    event.preventDefault();
    event.stopImmediatePropagation();
    stop(before);
  }

  function stop(line) {
    listen.abort();
    delete room.dataset.draws;
    help.hidden = true;
    button.setAttribute("aria-pressed", "false");
    for (const one of lines) one.setAttribute("d", line);
  }

  /** Metres east and south of the suspect's middle. */
  function placeOf(event) {
    const side = event.target.closest("[data-side]") || room.querySelector("[data-side=after]");
    const shapes = side.querySelector("[data-shapes]");
    return new DOMPoint(event.clientX, event.clientY).matrixTransform(shapes.getScreenCTM().inverse());
  }

  const degreesOf = ({ x, y }) => [(facts.middle[0] + x / facts.metre[0]).toFixed(7), (facts.middle[1] - y / facts.metre[1]).toFixed(7)];
  const lineOf = (one, other) => `M${one.x} ${one.y} L${other.x} ${other.y}`;
  const paint = (one, other) => lines.forEach((line) => line.setAttribute("d", lineOf(one, other)));
}
