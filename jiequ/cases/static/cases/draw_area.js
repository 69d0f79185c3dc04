// Draws a control area: each tap on the map is a corner, written as a line of the form's text field, which says the same
// without the map. web/js/map.js opens the map and tells us by "jiequ:map"; positions are CGCS2000, as that map takes them.

for (const box of document.querySelectorAll("[data-draw-area]")) {
  if (box.map) begin(box);
  else box.addEventListener("jiequ:map", () => begin(box), { once: true });
}

function begin(box) {
  const form = box.closest("form");
  const field = form.querySelector("[data-corners]");
  const clear = form.querySelector("[data-clear-corners]");
  const shape = window.L.polygon([], { color: "#a81e1a", weight: 2, fillOpacity: 0.15 }).addTo(box.map);
  const draw = () => shape.setLatLngs(corners(field.value));
  box.map.on("click", ({ latlng }) => {
    const line = `${latlng.lng.toFixed(6)}, ${latlng.lat.toFixed(6)}`;
    field.value = field.value.trim() ? `${field.value.trim()}\n${line}` : line;
    draw();
  });
  field.addEventListener("input", draw);
  clear.hidden = false;
  clear.addEventListener("click", () => {
    field.value = "";
    draw();
  });
  draw();
  if (shape.getBounds().isValid()) box.map.fitBounds(shape.getBounds(), { animate: false, maxZoom: 17 });
}

/** "lon, lat" lines as Leaflet's pairs; a line that is no pair is left out until it is one. */
function corners(text) {
  return text
    .replaceAll("，", ",")
    .split("\n")
    .map((line) => line.split(",").map(Number))
    .filter((pair) => pair.length === 2 && pair.every(Number.isFinite) && pair.some(Boolean))
    .map(([lon, lat]) => [lat, lon]);
}
