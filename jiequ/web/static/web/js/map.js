// A map is opened only when somebody asks for it: Leaflet and the base map come then, never before.
// Positions are lon, lat in CGCS2000 (what the product stores); a map drawn in another system is converted here, at its edge.
import { fromMap, toMap } from "./coords.js";

const KINDS = {
  water: { color: "#7fb0c1", fillColor: "#bfdce4", weight: 1, fillOpacity: 1 },
  river: { color: "#7fb0c1", fillColor: "#bfdce4", weight: 1, fillOpacity: 1 },
  park: { color: "#a3c6ad", fillColor: "#d6e8d8", weight: 1, fillOpacity: 1 },
  building: { color: "#c3cccd", fillColor: "#e3e8e8", weight: 1, fillOpacity: 1 },
  lane: { color: "#ffffff", weight: 2, fillColor: "#ffffff", fillOpacity: 1 },
  road: { color: "#ffffff", weight: 4, fillColor: "#ffffff", fillOpacity: 1 },
  trunk: { color: "#f4dfae", weight: 6, fillColor: "#f4dfae", fillOpacity: 1 },
  other: { color: "#8b9da4", weight: 1, dashArray: "5 5", fill: false },
};
const NIGHT = { water: "#16414f", river: "#16414f", park: "#153024", building: "#1b2a30", lane: "#24363d", road: "#2f434b", trunk: "#4d4326" };
const LIGHTS = { red: "--red-shape", yellow: "--yellow-shape", green: "--green-shape" };
let library = null;

/** Starts every map in `scope`: at once with data-map="open", else when its button [data-map-open] is pressed. */
export function start(scope) {
  for (const box of scope.querySelectorAll("[data-map]")) {
    if (box.dataset.started) continue;
    box.dataset.started = "1";
    const button = document.querySelector(`[data-map-open="${box.id}"]`);
    if (box.dataset.map === "open") open(box);
    else if (button) begin(box, button);
  }
}

function begin(box, button) {
  box.hidden = true;
  button.hidden = false;
  button.addEventListener("click", () => {
    box.hidden = false;
    button.setAttribute("aria-expanded", "true");
    open(box);
  });
}

async function open(box) {
  if (box.map) return;
  try {
    const [L, base] = await Promise.all([leaflet(box.dataset), features(box.dataset.basemap)]);
    box.map = draw(L, box, base);
    if (box.dataset.points) await points(L, box);
    if ("pick" in box.dataset) pick(L, box);
    box.dispatchEvent(new CustomEvent("jiequ:map", { bubbles: true }));
  } catch (error) {
    console.warn("map not opened:", error);
    box.replaceChildren(Object.assign(document.createElement("p"), { className: "map-wait", textContent: box.dataset.textFailed }));
  }
}

/** Leaflet's own build, as a plain script and stylesheet of this site. */
function leaflet({ leafletJs, leafletCss }) {
  library ??= new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: leafletCss }));
    const script = Object.assign(document.createElement("script"), { src: leafletJs });
    script.onload = () => resolve(window.L);
    script.onerror = () => reject(new Error("leaflet"));
    document.head.append(script);
  });
  return library;
}

async function features(url) {
  if (!url) return { features: [] };
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`base map ${answer.status}`);
  return answer.json();
}

function draw(L, box, base) {
  const { lon, lat, zoom, system } = box.dataset;
  const room = Object.assign(document.createElement("div"), { className: "map-room" });
  box.replaceChildren(room);
  const map = L.map(room, { preferCanvas: true, attributionControl: false, zoomSnap: 0.5, maxZoom: 20 });
  const isNight = getComputedStyle(document.documentElement).getPropertyValue("--page").trim().startsWith("#0");
  const layer = L.geoJSON(base, {
    interactive: false,
    coordsToLatLng: ([x, y]) => L.latLng(...toMap(x, y, system).reverse()),
    style: (feature) => styleOf(feature.properties.kind, isNight),
  }).addTo(map);
  names(L, layer, map);
  const bounds = layer.getBounds();
  if (lon && lat) map.setView(toMap(Number(lon), Number(lat), system).reverse(), Number(zoom || 16));
  else if (bounds.isValid()) map.fitBounds(bounds, { animate: false });
  else map.setView([23.18, 113.5], 13);
  return map;
}

function styleOf(kind, isNight) {
  const style = { ...(KINDS[kind] ?? KINDS.other) };
  if (isNight && NIGHT[kind]) Object.assign(style, { color: NIGHT[kind], fillColor: NIGHT[kind] });
  return style;
}

/** Names of roads and waters, drawn only close enough to read. */
function names(L, layer, map) {
  const labels = L.layerGroup();
  layer.eachLayer((shape) => {
    const name = shape.feature.properties.name;
    if (!name) return;
    const icon = L.divIcon({ className: "map-name", html: "", iconSize: null });
    const marker = L.marker(shape.getBounds().getCenter(), { icon, interactive: false, keyboard: false });
    marker.on("add", () => (marker.getElement().textContent = name));
    labels.addLayer(marker);
  });
  const show = () => (map.getZoom() >= 15 ? labels.addTo(map) : labels.remove());
  map.on("zoomend", show);
  map.whenReady(show);
}

/** Columns {ids, lon, lat, light, title, url} from data-points; a dot's shape has the light's colour and its own ring. */
async function points(L, box) {
  const answer = await fetch(box.dataset.points, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`points ${answer.status}`);
  const columns = await answer.json();
  const tokens = getComputedStyle(document.documentElement);
  box.dots = new Map(columns.ids.map((id, i) => [String(id), dot(L, box, columns, i, tokens)]));
  document.addEventListener("jiequ:row", (event) => show(box, event.detail.id));
}

function dot(L, box, columns, i, tokens) {
  const at = toMap(columns.lon[i], columns.lat[i], box.dataset.system).reverse();
  const colour = tokens.getPropertyValue(LIGHTS[columns.light[i]] ?? "--grey-shape");
  const mark = L.circleMarker(at, { radius: columns.light[i] === "red" ? 9 : 7, color: "#fff", weight: 2, fillColor: colour, fillOpacity: 1 });
  mark.addTo(box.map);
  if (columns.title) mark.bindTooltip(Object.assign(document.createElement("span"), { textContent: columns.title[i] }));
  if (columns.url) mark.on("click", () => location.assign(columns.url[i]));
  return mark;
}

function show(box, id) {
  const mark = box.dots?.get(String(id));
  if (!mark) return;
  box.map.panTo(mark.getLatLng(), { animate: false });
  mark.openTooltip();
}

/** One tap says where; the form's hidden place fields take it, and the place part says so. */
function pick(L, box) {
  const form = box.closest("form");
  let mark = null;
  const put = (spot) => {
    mark ??= L.circleMarker(spot, { radius: 11, color: "#fff", weight: 3, fillColor: "#a81e1a", fillOpacity: 1 }).addTo(box.map);
    mark.setLatLng(spot);
  };
  box.map.on("click", ({ latlng }) => {
    put(latlng);
    const [lon, lat] = fromMap(latlng.lng, latlng.lat, box.dataset.system).map((value) => Number(value.toFixed(6)));
    form?.dispatchEvent(new CustomEvent("jiequ:picked", { detail: { lon, lat } }));
  });
  form?.addEventListener("jiequ:place", ({ detail }) => {
    const spot = toMap(detail.lon, detail.lat, box.dataset.system).reverse();
    put(spot);
    box.map.setView(spot, Math.max(17, box.map.getZoom()));
  });
}
