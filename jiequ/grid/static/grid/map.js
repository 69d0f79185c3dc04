// Draws unit grids and monitoring points on the desk's map. The page's list or form says the same without it.
// web/js/map.js opens the map and tells us by "jiequ:map"; positions are CGCS2000, as that map takes them.

const TINTS = ["#0b5563", "#b97800", "#35428f", "#1e8a53", "#a81e1a", "#6b4e9b", "#7d4e00", "#0f766e", "#9d3d6b", "#4a6b1e", "#2b6cb0", "#8a5a2b"];
const POINTS = { drone: "#a81e1a", camera: "#35428f", foot: "#17683f" };

for (const box of document.querySelectorAll("[data-grid-map]")) {
  if (box.map) draw(box);
  else box.addEventListener("jiequ:map", () => draw(box), { once: true });
}

async function draw(box) {
  const mode = box.dataset.gridMap;
  try {
    const units = await json(box.dataset.units);
    const shapes = drawUnits(box, units, mode);
    if (mode === "points" || mode === "point") drawPoints(box, await json(box.dataset.pointLayer));
    if (mode === "communities") follow(box, shapes, "community", (row) => row.dataset.community);
    if (mode === "grids") follow(box, shapes, "grid", (row) => row.dataset.grid);
    if (mode === "pick") pickUnits(box, shapes);
    if (mode === "point") pickPoint(box);
  } catch (error) {
    console.warn("layers not drawn:", error);
  }
}

async function json(url) {
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${url} ${answer.status}`);
  return answer.json();
}

/** Turns columns into polygons; each knows its code, community and responsibility grid. */
function drawUnits(box, units, mode) {
  const order = new Map(Object.keys(mode === "communities" ? units.communities : units.grids).map((id, i) => [id, i]));
  const all = window.L.featureGroup();
  const shapes = units.code.map((code, i) => {
    const known = { code, community: String(units.community[i]), grid: units.grid[i] === null ? "" : String(units.grid[i]) };
    const group = mode === "communities" ? known.community : known.grid;
    const shape = window.L.polygon(units.rings[i].map((steps) => ring(steps, units)), style(group, order, mode));
    shape.known = known;
    const said = [units.communities[known.community], code, units.grids[known.grid] ?? box.dataset.textFree].filter(Boolean);
    shape.bindTooltip(Object.assign(document.createElement("span"), { textContent: said.join(" · ") }), { sticky: true });
    all.addLayer(shape);
    return shape;
  });
  all.addTo(box.map);
  if (shapes.length) box.map.fitBounds(all.getBounds(), { animate: false });
  box.gridNames = units.grids;
  return shapes;
}

export function ring(steps, { scale, origin }) {
  let x = Math.round(origin[0] * scale);
  let y = Math.round(origin[1] * scale);
  const pairs = [];
  for (let i = 0; i < steps.length; i += 2) {
    x += steps[i];
    y += steps[i + 1];
    pairs.push([y / scale, x / scale]);
  }
  return pairs;
}

function style(group, order, mode) {
  if (mode === "points" || mode === "point") return { color: "#566970", weight: 0.5, opacity: 0.5, fillOpacity: 0 };
  const tint = order.has(group) ? TINTS[order.get(group) % TINTS.length] : "#7b8d94";
  return { color: tint, weight: 0.6, opacity: 0.7, fillColor: tint, fillOpacity: order.has(group) ? 0.22 : 0.04 };
}

function drawPoints(box, columns) {
  const dots = new Map();
  columns.id.forEach((id, i) => {
    const dot = window.L.circleMarker([columns.lat[i], columns.lon[i]], { radius: 6, color: "#fff", weight: 2, fillColor: POINTS[columns.kind[i]], fillOpacity: 1 });
    dot.bindTooltip(Object.assign(document.createElement("span"), { textContent: `${columns.code[i]} ${columns.name[i]}` }));
    dots.set(String(id), dot.addTo(box.map));
  });
  const show = (event) => {
    const dot = dots.get(event.target.closest("[data-point]")?.dataset.point);
    if (dot) box.map.panTo(dot.getLatLng(), { animate: false }) && dot.openTooltip();
  };
  for (const kind of ["pointerover", "focusin"]) document.querySelector("[data-keys=rows]")?.addEventListener(kind, show);
}

/** A row that is pointed at or focused lights up its grids. */
function follow(box, shapes, kind, idOf) {
  let lit = "";
  const show = (event) => {
    const row = event.target.closest("[data-row]");
    const id = row ? idOf(row) : "";
    if (id === lit) return;
    for (const shape of shapes) {
      if (shape.known[kind] === lit && lit) shape.setStyle({ fillOpacity: 0.22, weight: 0.6 });
      if (shape.known[kind] === id && id) shape.setStyle({ fillOpacity: 0.6, weight: 1.2 });
    }
    lit = id;
  };
  for (const name of ["pointerover", "focusin"]) document.querySelector("[data-keys=rows]")?.addEventListener(name, show);
}

/** Pressing a unit grid puts its code into the form's field, or takes it out; the field can also be typed in. */
function pickUnits(box, shapes) {
  const field = document.querySelector("[data-grid-codes]");
  const count = document.querySelector("[data-grid-count]");
  const own = box.dataset.own ?? "";
  const read = () => new Set(field.value.split(/[\s,，、;；]+/).filter(Boolean));
  const paint = () => {
    const chosen = read();
    for (const shape of shapes) {
      const isTaken = shape.known.grid && shape.known.grid !== own;
      const isChosen = chosen.has(shape.known.code);
      shape.setStyle(isChosen ? { fillColor: "#0b5563", fillOpacity: 0.6, color: "#083e49", weight: 1 } : { fillColor: "#566970", fillOpacity: isTaken ? 0.28 : 0.02, color: "#7b8d94", weight: 0.6 });
    }
    count.textContent = count.dataset.text.replace("{n}", chosen.size);
  };
  for (const shape of shapes) {
    shape.on("click", () => {
      if (shape.known.grid && shape.known.grid !== own) {
        count.textContent = box.dataset.textTaken.replace("{name}", box.gridNames[shape.known.grid]);
        return;
      }
      const chosen = read();
      if (!chosen.delete(shape.known.code)) chosen.add(shape.known.code);
      field.value = [...chosen].sort().join("\n");
      paint();
    });
  }
  field.addEventListener("input", paint);
  paint();
  const mine = shapes.filter((shape) => read().has(shape.known.code));
  if (mine.length) box.map.fitBounds(window.L.featureGroup(mine).getBounds().pad(0.6), { animate: false });
}

/** Pressing the map fills in the point's position. */
function pickPoint(box) {
  const [x, y, system] = ["x", "y", "system"].map((name) => document.querySelector(`[data-grid-${name}]`));
  let mark = null;
  const put = (spot) => {
    mark ??= window.L.circleMarker(spot, { radius: 10, color: "#fff", weight: 3, fillColor: "#0b5563", fillOpacity: 1 }).addTo(box.map);
    mark.setLatLng(spot);
  };
  if (x.value && y.value && system.value === "cgcs2000") {
    put([Number(y.value), Number(x.value)]);
    box.map.setView(mark.getLatLng(), 16, { animate: false });
  }
  const line = followLine(box, system);
  box.map.on("click", ({ latlng }) => {
    if (line?.isAsked()) return line.add(latlng);
    put(latlng);
    x.value = latlng.lng.toFixed(6);
    y.value = latlng.lat.toFixed(6);
    system.value = "cgcs2000";
  });
}

/** The course of a road or a river: drawn as it stands in its field; presses on the map go on with it while the field was used last. */
function followLine(box, system) {
  const field = document.querySelector("[data-grid-line]");
  if (!field) return null;
  const drawn = window.L.polyline([], { color: "#0b5563", weight: 5, opacity: 0.8, interactive: false }).addTo(box.map);
  let last = null;
  const paint = () => {
    const parts = field.value.trim().split(/\n\s*\n/).map((part) => part.split("\n").map(pair).filter(Boolean));
    drawn.setLatLngs(system.value === "cgcs2000" ? parts : []);
  };
  field.form.addEventListener("focusin", (event) => (last = event.target));
  field.addEventListener("input", paint);
  system.addEventListener("change", paint);
  paint();
  return {
    isAsked: () => last === field && system.value === "cgcs2000",
    add(spot) {
      field.value = `${field.value.trimEnd()}\n${spot.lng.toFixed(5)},${spot.lat.toFixed(5)}`.trimStart();
      paint();
    },
  };
}

function pair(text) {
  const [x, y] = text.trim().split(/[,，\s]+/).map(Number);
  return Number.isFinite(x) && Number.isFinite(y) ? [y, x] : null;
}
