// The console's map: clusters far out, points close by, and the list of what it shows. Where it cannot be drawn, the page
// says so and keeps its lists. Positions are CGCS2000, which web-mercator tiles in CGCS2000 or WGS-84 share (within 1 m).

import { teach } from "./map_shift.js";
import { NOTHING, features, grids, style } from "./map_style.js";

const FEW = 600; // so many points are clearer than clusters, however far out
const NEAR_ZOOM = 14;
const MOST = 4000;
const SOON_MS = 150;
const CHANGED_MS = 800;
const AGAIN_MS = 60000; // lights change with time alone
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const box = document.querySelector("[data-desk-map]");
const without = document.getElementById("map-without");
if (box) {
  box.state = { map: null, markers: [], asked: 0, chosen: null, points: NOTHING };
  hear();
  begin().catch(cannot);
}

async function begin() {
  if (!document.createElement("canvas").getContext("webgl2")) return cannot();
  const library = await import(box.dataset.library);
  library.setWorkerUrl(box.dataset.worker);
  box.hidden = false;
  without.hidden = true;
  const { bounds, sources } = await ground();
  teach(library, sources.layers);
  const room = document.getElementById("desk-map-room");
  const map = new library.Map({ container: room, style: style(sources), bounds, fitBoundsOptions: { padding: 24 }, hash: "at", attributionControl: { compact: true }, maxZoom: 19, dragRotate: false, pitchWithRotate: false, locale: {} });
  map.touchZoomRotate.disableRotation();
  map.addControl(new library.NavigationControl({ showCompass: false }), "top-right");
  map.addControl(new library.ScaleControl(), "bottom-right");
  await new Promise((done) => map.once("load", done));
  Object.assign(box.state, { map, library, sources });
  listen(map);
  document.documentElement.dataset.map = "drawn";
  await refresh();
}

function cannot(error) {
  if (error) console.warn("map not opened:", error);
  box.state.map = null;
  box.hidden = true;
  without.hidden = false;
  without.querySelector("[data-map-why]").textContent = box.dataset.textWhy;
  document.documentElement.dataset.map = "none";
}

// ---- the ground: our own drawing, or the tile process's

async function ground() {
  const [shapes, own] = await Promise.all([json(box.dataset.basemap).then((found) => found ?? NOTHING), served()]);
  const outlines = { ...NOTHING, features: shapes.features.filter((one) => one.properties.kind === "other") };
  const units = own ? null : await json(box.dataset.units);
  const sources = {
    base: own ? vector("basemap") : { type: "geojson", data: shapes },
    units: own ? vector("grids") : { type: "geojson", data: units ? grids(units) : NOTHING },
    outlines: { type: "geojson", data: outlines },
    layers: [...JSON.parse(box.dataset.layers || "[]"), ...(own ?? []).map(file)],
  };
  choices(sources.layers);
  return { bounds: bounds(outlines.features.length ? outlines : shapes), sources };
}

/** The layers of the tile process; null where there is none, or it does not answer: the page's own drawing then. */
async function served() {
  if (!box.dataset.tiles) return null;
  try {
    return (await json(`${box.dataset.tiles}layers.json?t=${encodeURIComponent(box.dataset.token)}`))?.layers ?? null;
  } catch {
    return null;
  }
}

const tileUrl = (layer) => `${new URL(box.dataset.tiles, location.href)}${layer}/{z}/{x}/{y}?t=${encodeURIComponent(box.dataset.token)}`;
const vector = (layer) => ({ type: "vector", tiles: [tileUrl(layer)], minzoom: 0, maxzoom: 16 });

/** An MBTiles file of pictures as a layer; vector files of others have no style here and are left out. */
function file({ id, name, format, attribution, minzoom, maxzoom }) {
  const isPicture = ["png", "jpg", "jpeg", "webp"].includes(format);
  return { id: `file-${id}`, name: name || id, tiles: isPicture ? [tileUrl(id)] : [], size: 256, attribution: attribution ?? "", minzoom: Number(minzoom ?? 0), maxzoom: Number(maxzoom ?? 18), is_on: false };
}

/** A button for each layer of pictures. */
function choices(layers) {
  const last = box.querySelector("[data-refresh]");
  for (const layer of layers) {
    if (!layer.tiles.length) continue;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "button", textContent: layer.name });
    button.dataset.layer = layer.id;
    button.setAttribute("aria-pressed", String(layer.is_on));
    last.before(button);
  }
}

async function json(url) {
  if (!url) return null;
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  return answer.ok ? answer.json() : null;
}

function bounds({ features: shapes }) {
  let found = [Infinity, Infinity, -Infinity, -Infinity];
  const take = (node) => (typeof node[0] === "number" ? (found = [Math.min(found[0], node[0]), Math.min(found[1], node[1]), Math.max(found[2], node[0]), Math.max(found[3], node[1])]) : node.forEach(take));
  shapes.forEach((shape) => take(shape.geometry.coordinates));
  return Number.isFinite(found[0]) ? found : [73, 17, 136, 54];
}

// ---- what happens

/** The list and the part beside it, with or without a map. */
function hear() {
  document.addEventListener("jiequ:row", ({ target }) => target.matches?.("#map-rows [data-row]") && choose(target.dataset));
  document.addEventListener("click", (event) => {
    const row = event.target.closest?.("#map-rows [data-row]");
    if (row) choose(row.dataset, { opens: !event.target.closest("a") });
  });
  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => detail.target?.id === "desk-panel" && open());
}

function listen(map) {
  map.on("moveend", () => plan(SOON_MS));
  map.on("click", "points", ({ features: [hit] }) => choose(hit.properties, { opens: true }));
  for (const [event, cursor] of [["mouseenter", "pointer"], ["mouseleave", ""]]) map.on(event, "points", () => (map.getCanvas().style.cursor = cursor));
  tips(map);
  document.addEventListener("jiequ:changed", () => plan(CHANGED_MS));
  setInterval(() => document.hidden || plan(SOON_MS), AGAIN_MS);
  for (const button of box.querySelectorAll("[data-layer]")) button.addEventListener("click", () => toggle(button));
  box.querySelector("[data-refresh]").addEventListener("click", () => refresh());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
}

function tips(map) {
  const tip = new box.state.library.Popup({ closeButton: false, closeOnClick: false, offset: 12 });
  map.on("mousemove", "points", ({ features: [hit] }) => tip.setLngLat(hit.geometry.coordinates).setText(`${hit.properties.said} · ${hit.properties.number}`).addTo(map));
  map.on("mouseleave", "points", () => tip.remove());
}

function toggle(button) {
  const shown = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(shown));
  show(button.dataset.layer, shown);
}

function show(name, shown) {
  for (const id of [name, `${name}-names`]) if (box.state.map.getLayer(id)) box.state.map.setLayoutProperty(id, "visibility", shown ? "visible" : "none");
}

/** Day or night: the same map in other colours; what is on it is put back. */
function repaint() {
  const { map, sources } = box.state;
  map.setStyle(style(sources));
  map.once("styledata", () => {
    for (const button of box.querySelectorAll("[data-layer]")) show(button.dataset.layer, button.getAttribute("aria-pressed") === "true");
    draw(box.state.points);
    ring();
  });
}

// ---- asking for what lies in the box

let planned = 0;
function plan(pause) {
  clearTimeout(planned);
  planned = setTimeout(refresh, pause);
}

async function refresh() {
  const { state } = box;
  const turn = ++state.asked;
  const around = state.map.getBounds();
  const asked = new URLSearchParams(box.dataset.query);
  asked.set("bbox", [around.getWest(), around.getSouth(), around.getEast(), around.getNorth()].map((degrees) => degrees.toFixed(6)).join());
  asked.set("zoom", state.map.getZoom().toFixed(2));
  try {
    const [seen] = await Promise.all([look(asked, turn), list(asked, turn)]);
    if (turn === state.asked && seen) say(seen);
  } catch (error) {
    console.warn("map not refreshed:", error);
    if (turn === state.asked) say(box.dataset.textFailed);
  }
}

async function look(asked, turn) {
  const { state } = box;
  const counted = box.dataset.clusters ? await get(box.dataset.clusters, asked) : { is_counted: false };
  if (turn !== state.asked) return "";
  if (counted.is_counted) {
    const open = sum(counted.waiting) + sum(counted.work);
    const all = open + sum(counted.ended);
    if (all > (state.map.getZoom() >= NEAR_ZOOM ? MOST : FEW)) {
      draw(NOTHING);
      cluster(counted);
      return box.dataset.textClusters.replace("{all}", all).replace("{open}", open);
    }
  }
  const columns = await get(box.dataset.points, asked);
  if (turn !== state.asked) return "";
  cluster(null);
  draw(features(columns));
  return box.dataset[columns.more ? "textMore" : "textPoints"].replace("{all}", columns.id.length);
}

const sum = (column) => column.reduce((all, n) => all + n, 0);

async function get(url, asked) {
  const answer = await fetch(`${url}?${asked}`, { headers: { Accept: "application/json", "Jiequ-By-Itself": "1" } });
  if (!answer.ok) throw new Error(`${url} ${answer.status}`);
  return answer.json();
}

const say = (words) => (document.getElementById("map-status").textContent = words);

// ---- drawing

function draw(collection) {
  box.state.points = collection;
  box.state.map.getSource("points")?.setData(collection);
  box.dataset.drawn = collection.features.length;
}

function cluster(counted) {
  const { state } = box;
  const held = document.activeElement?.closest?.(".map-cluster")?.dataset.tile;
  state.markers.forEach((marker) => marker.remove());
  state.markers = counted ? counted.lon.map((_lon, at) => bubble(counted, at)) : [];
  box.dataset.clustersDrawn = state.markers.length;
  if (held) box.querySelector(`.map-cluster[data-tile="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
}

function bubble(counted, at) {
  const { map, library } = box.state;
  const open = counted.waiting[at] + counted.work[at];
  const all = open + counted.ended[at];
  const place = [counted.lon[at], counted.lat[at]];
  const button = Object.assign(document.createElement("button"), { type: "button", className: `map-cluster${open ? "" : " is-ended"}` });
  button.dataset.size = all < 100 ? 1 : all < 2000 ? 2 : 3;
  button.dataset.tile = place.join();
  button.append(short(open || all), Object.assign(document.createElement("small"), { textContent: open ? `/ ${short(all)}` : "" }));
  button.addEventListener("click", () => map[calm.matches ? "jumpTo" : "easeTo"]({ center: place, zoom: Math.min(map.getZoom() + 2, 17) }));
  const marker = new library.Marker({ element: button }).setLngLat(place).addTo(map);
  button.setAttribute("aria-label", box.dataset.textCluster.replace("{all}", all).replace("{open}", open));
  return marker;
}

const short = (n) => (n < 10000 ? String(n) : `${(n / 10000).toFixed(n < 100000 ? 1 : 0)}万`);

// ---- the list beside it

async function list(asked, turn) {
  const rows = document.getElementById("map-rows");
  if (!rows) return;
  const answer = await fetch(`${box.dataset.rows}?${asked}&show=rows`, { headers: { "HX-Request": "true", "Jiequ-By-Itself": "1" } });
  if (!answer.ok || answer.redirected || turn !== box.state.asked) return;
  const text = await answer.text();
  if (turn !== box.state.asked || text === box.state.listed) return;
  box.state.listed = text;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const held = document.activeElement?.closest?.("#map-rows [data-row]")?.dataset.row;
  rows.replaceChildren(...fresh.body.childNodes);
  window.htmx?.process(rows);
  mark();
  if (held) rows.querySelector(`[data-row="${held}"]`)?.focus({ preventScroll: true });
}

// ---- the chosen case: its row, its point and its part beside belong together

function choose({ id, row, number, lon, lat }, { opens = false } = {}) {
  box.state.chosen = { id: String(id ?? row), lon, lat };
  mark();
  ring();
  if (!opens) return;
  if (!box.dataset.peek || !document.getElementById("desk-panel")) return location.assign(`${box.dataset.case}${number}/`);
  window.htmx.ajax("GET", `${box.dataset.peek}${number}/?next=${encodeURIComponent(box.dataset.here)}`, { target: "#desk-panel", swap: "innerHTML" });
}

function mark() {
  for (const row of document.querySelectorAll("#map-rows [data-row]")) {
    const isChosen = row.dataset.row === box.state.chosen?.id;
    if (!isChosen) row.removeAttribute("aria-selected");
    else if (row.getAttribute("aria-selected") !== "true") {
      row.setAttribute("aria-selected", "true");
      row.scrollIntoView({ block: "nearest" });
    }
  }
}

function ring() {
  const { map, chosen, points } = box.state;
  if (!chosen || !map) return;
  const point = points.features.find((one) => String(one.properties.id) === chosen.id);
  const place = point?.geometry.coordinates ?? (chosen.lon ? [Number(chosen.lon), Number(chosen.lat)] : null);
  map.getSource("chosen")?.setData(place ? { type: "Feature", properties: {}, geometry: { type: "Point", coordinates: place } } : NOTHING);
  box.dataset.chosen = place ? chosen.id : "";
}

function open() {
  const panel = document.getElementById("desk-panel");
  if (!panel?.hidden) return;
  panel.hidden = false;
  box.state.map?.resize();
}
