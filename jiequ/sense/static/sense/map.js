// Pictures on the map: web/js/map.js opens it and tells us; each layer is a picture's tiles within its own bounds.
for (const box of document.querySelectorAll("[data-sense-tiles]")) {
  if (box.map) draw(box);
  else box.addEventListener("jiequ:map", () => draw(box), { once: true });
}

function draw(box) {
  const layers = JSON.parse(document.getElementById("sense-layers")?.textContent || "[]");
  const all = window.L.latLngBounds([]);
  for (const { id, bounds } of layers) {
    const [west, south, east, north] = bounds;
    const place = window.L.latLngBounds([south, west], [north, east]);
    const address = `${box.dataset.senseTiles}sense/${id}/{z}/{x}/{y}?t=${encodeURIComponent(box.dataset.token)}`;
    window.L.tileLayer(address, { bounds: place, maxZoom: 24, maxNativeZoom: 22 }).addTo(box.map);
    all.extend(place);
  }
  box.map.setMaxZoom(24);
  if (all.isValid()) box.map.fitBounds(all, { animate: false });
}
