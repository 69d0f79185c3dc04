// An outline or a cutting line drawn on the later picture: each press is a corner, Enter or a double press ends it, Escape begins
// anew. What is drawn is written into the form's field as places, where it may be corrected; nothing is stored before its button.
const SVG = "http://www.w3.org/2000/svg";

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-draw]");
  if (button) begin(button.closest("form"));
});
document.addEventListener("jiequ:suspect", show);
show();

function show() {
  for (const hidden of document.querySelectorAll("[data-outline] [data-draw], [data-drawing-help]")) hidden.hidden = !document.querySelector("[data-side=after] [data-shapes]");
}

function begin(form) {
  const room = document.querySelector("[data-room]");
  const drawing = room?.querySelector("[data-side=after] [data-shapes]");
  if (!drawing || room.dataset.draws) return;
  const { middle, metre } = JSON.parse(document.querySelector("[data-sight] script[type='application/json']").textContent);
  const isLine = form.dataset.draws === "line";
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("class", "shape-drawn");
  drawing.append(path);
  room.dataset.draws = "1";
  room.scrollIntoView({ block: "nearest" });
  let corners = [];

  const listen = new AbortController();
  const { signal } = listen;
  room.addEventListener("click", add, { signal });
  room.addEventListener("dblclick", end, { signal });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter") end();
    else if (event.key === "Escape") corners.length ? paint((corners = [])) : stop();
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { signal, capture: true });

  function add(event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(drawing.getScreenCTM().inverse());
    if (event.detail < 2) corners.push([at.x, at.y]);
    paint();
    if (isLine && corners.length === 2) end();
  }

  function paint() {
    path.setAttribute("d", corners.map(([x, y], n) => `${n ? "L" : "M"}${x} ${y}`).join(" ") + (isLine || corners.length < 3 ? "" : "Z"));
  }

  function end() {
    if (corners.length < (isLine ? 2 : 3)) return;
    form.querySelector("textarea").value = corners.map(([x, y]) => `${(middle[0] + x / metre[0]).toFixed(7)}, ${(middle[1] - y / metre[1]).toFixed(7)}`).join("\n");
    stop();
    form.querySelector("[type=submit]").focus();
  }

  function stop() {
    listen.abort();
    delete room.dataset.draws;
  }
}
