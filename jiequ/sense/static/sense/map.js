// Pictures and shapes on the map: web/js/map.js opens it and tells us. A picture is its tiles within its own bounds, a shape is
// what the table beside says; the row that has the focus is shown on the map, and a shape that is clicked leads to its page.
const STYLES = {
  found: ["--red-shape", ""], open: ["--red-shape", ""], confirmed: ["--red", ""], held: ["--green-shape", "6 4"], lawful: ["--green-shape", ""],
  permit: ["--green-shape", "6 4"], blind: ["--ink-3", "2 6"], quiet: ["--ink-3", ""], reflight: ["--yellow-shape", ""],
  area: ["--brand", "8 4"], seen: ["--ink-3", "1 5"],
};
const FILLS = { blind: 0.08, area: 0.05, seen: 0 };

for (const box of document.querySelectorAll("[data-sense-tiles], [data-sense-shapes]")) {
  if (box.map) draw(box);
  else box.addEventListener("jiequ:map", () => draw(box), { once: true });
}

async function draw(box) {
  box.map.setMaxZoom(24);
  box.map.createPane("sense-pictures").style.zIndex = 420; // over the sketched base map, under what is drawn
  box.map.createPane("sense-shapes").style.zIndex = 430;
  let all = pictures(box);
  if ("senseShapes" in box.dataset) {
    try {
      const drawn = shapes(box, await features(box));
      if (!all.isValid() && drawn.getLayers().length) all.extend(drawn.getBounds());
      const areas = window.L.latLngBounds([]);
      drawn.eachLayer((shape) => {
        if (shape.feature.properties.what === "area") areas.extend(shape.getBounds());
      });
      if (areas.isValid()) all = areas.pad(0.2);
      follow(box, drawn);
    } catch (error) {
      console.warn("shapes not drawn:", error);
    }
  }
  if (all.isValid()) box.map.fitBounds(all, { animate: false, maxZoom: 20 });
}

/** Each picture as a layer; of several, one at a time is chosen by its name, the last one first. */
function pictures(box) {
  const all = window.L.latLngBounds([]);
  if (!box.dataset.senseTiles) return all;
  const choices = {}; // pictures of one name are one choice
  const told = JSON.parse(document.getElementById("sense-layers")?.textContent || "[]");
  for (const { id, name, bounds } of told) {
    const [west, south, east, north] = bounds;
    const place = window.L.latLngBounds([south, west], [north, east]);
    const address = `${box.dataset.senseTiles}sense/${id}/{z}/{x}/{y}?t=${encodeURIComponent(box.dataset.token)}`;
    const tiles = window.L.tileLayer(address, { pane: "sense-pictures", bounds: place, maxZoom: 24, maxNativeZoom: 22 });
    (choices[escaped(name)] ??= window.L.layerGroup()).addLayer(tiles);
    all.extend(place);
  }
  Object.values(choices).at(-1)?.addTo(box.map);
  if (Object.keys(choices).length > 1) window.L.control.layers({ ...choices, [box.dataset.textBasemap || "–"]: window.L.layerGroup() }, {}, { collapsed: false }).addTo(box.map);
  return all;
}

async function features(box) {
  const here = document.getElementById("sense-shapes");
  if (here) return JSON.parse(here.textContent);
  if (!box.dataset.senseShapes) return { type: "FeatureCollection", features: [] };
  const answer = await fetch(box.dataset.senseShapes, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`shapes ${answer.status}`);
  return answer.json();
}

function shapes(box, collection) {
  const tokens = getComputedStyle(document.documentElement);
  const drawn = window.L.geoJSON(collection, {
    pane: "sense-shapes",
    style: ({ properties: { what } }) => {
      const [token, dashArray] = STYLES[what] ?? STYLES.found;
      const color = tokens.getPropertyValue(token).trim() || "#a81e1a";
      return { color, weight: 2.5, dashArray, fillColor: color, fillOpacity: FILLS[what] ?? 0.15 };
    },
    onEachFeature: ({ properties }, shape) => {
      if (properties.title || properties.number) shape.bindTooltip(escaped(properties.title || properties.number));
      if (properties.url) shape.on("click", () => location.assign(properties.url));
    },
  }).addTo(box.map);
  return drawn;
}

/** The row under the pointer or with the focus is the shape that stands out. */
function follow(box, drawn) {
  const known = new Map();
  drawn.eachLayer((shape) => known.set(String(shape.feature.properties.id), shape));
  const show = (event) => {
    const shape = known.get(event.target.closest("[data-shape]")?.dataset.shape);
    if (!shape || shape === box.senseShown) return;
    box.senseShown?.setStyle({ weight: 2.5 });
    box.senseShown = shape.setStyle({ weight: 5 });
    if (event.type === "focusin" || !box.map.getBounds().contains(shape.getBounds())) box.map.panTo(shape.getBounds().getCenter(), { animate: false });
  };
  document.addEventListener("focusin", show);
  document.addEventListener("mouseover", show);
}

function escaped(text) {
  const span = document.createElement("span");
  span.textContent = text;
  return span.innerHTML;
}
