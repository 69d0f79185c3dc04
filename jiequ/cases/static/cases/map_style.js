// What the console's map is drawn with: colours from the page's own tokens, layers from the bottom up.

import { addresses } from "./map_shift.js";

const FACE = ["system-ui, 'PingFang SC', 'Noto Sans SC', 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif"];
const DAY = { ground: "#eef2f0", water: "#bfdce4", park: "#d6e8d8", building: "#e3e8e8", lane: "#ffffff", road: "#ffffff", trunk: "#f4dfae", casing: "#cfd8d6", name: "#3e5159", halo: "#ffffff", border: "#5d7079", unit: "#7b8d94" };
const NIGHT = { ground: "#0f1a1e", water: "#16414f", park: "#153024", building: "#1b2a30", lane: "#24363d", road: "#2f434b", trunk: "#4d4326", casing: "#0c1417", name: "#a9bcc2", halo: "#0f1a1e", border: "#7f949c", unit: "#4c6069" };
export const NOTHING = { type: "FeatureCollection", features: [] };

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
export const isNight = () => token("--page").startsWith("#0");

/** The style: `base` and `units` as sources, the operator's own `layers` between the ground and what we draw. */
export function style({ base, units, outlines, layers }) {
  const paint = isNight() ? NIGHT : DAY;
  const own = layers.filter((layer) => layer.tiles.length);
  return {
    version: 8,
    sources: { base, units, outlines, points: empty(), chosen: empty(), ...Object.fromEntries(own.map((layer) => [layer.id, tiles(layer)])) },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": paint.ground } },
      ...drawn(base, paint),
      ...own.map((layer) => ({ id: layer.id, type: "raster", source: layer.id, layout: { visibility: layer.is_on ? "visible" : "none" } })),
      ...lines(paint, units),
      ...dots(),
    ],
  };
}

const empty = () => ({ type: "geojson", data: NOTHING });

const tiles = (layer) => ({ type: "raster", tiles: addresses(layer), tileSize: layer.size, attribution: layer.attribution, minzoom: layer.minzoom, maxzoom: layer.maxzoom });

const from = (source) => (source.type === "vector" ? { "source-layer": "basemap" } : {});
const kind = (...kinds) => ["in", ["get", "kind"], ["literal", kinds]];

function drawn(base, paint) {
  const layer = (id, type, filter, look, more = {}) => ({ id, type, source: "base", ...from(base), filter, paint: look, ...more });
  const width = (near) => ["interpolate", ["exponential", 1.6], ["zoom"], 11, near / 8, 16, near, 19, near * 4];
  const round = { layout: { "line-cap": "round", "line-join": "round" } };
  return [
    layer("water", "fill", kind("water", "river"), { "fill-color": paint.water }),
    layer("park", "fill", kind("park"), { "fill-color": paint.park }),
    layer("building", "fill", kind("building"), { "fill-color": paint.building, "fill-outline-color": paint.casing }, { minzoom: 14 }),
    ...["lane", "road", "trunk"].map((name, at) => layer(`${name}-area`, "fill", ["all", kind(name), ["==", ["geometry-type"], "Polygon"]], { "fill-color": paint[name], "fill-outline-color": paint.casing }, at ? {} : { minzoom: 13 })),
    ...["lane", "road", "trunk"].map((name, at) => layer(`${name}-line`, "line", ["all", kind(name), ["==", ["geometry-type"], "LineString"]], { "line-color": paint[name], "line-width": width(2 + 3 * at) }, { ...round, ...(at ? {} : { minzoom: 13 }) })),
    { ...layer("names", "symbol", ["all", ["has", "name"], ["!", kind("other")]], { "text-color": paint.name, "text-halo-color": paint.halo, "text-halo-width": 1.5 }), minzoom: 14, layout: { "text-field": ["get", "name"], "text-font": FACE, "text-size": 12, "text-padding": 12 } },
  ];
}

function lines(paint, units) {
  return [
    { id: "units", type: "line", source: "units", ...(units.type === "vector" ? { "source-layer": "grids" } : {}), layout: { visibility: "none" }, paint: { "line-color": paint.unit, "line-width": ["interpolate", ["linear"], ["zoom"], 11, 0.4, 16, 1.4] } },
    { id: "communities", type: "line", source: "outlines", paint: { "line-color": paint.border, "line-width": 1.5, "line-dasharray": [4, 3] } },
    { id: "communities-names", type: "symbol", source: "outlines", layout: { "text-field": ["get", "name"], "text-font": FACE, "text-size": 14 }, paint: { "text-color": paint.border, "text-halo-color": paint.halo, "text-halo-width": 1.5 } },
  ];
}

/** A dot has its light's colour; red ones are larger, marked "!" and lie on top, so that colour is never all there is. */
function dots() {
  const colour = ["match", ["get", "light"], "red", token("--red-shape"), "yellow", token("--yellow-shape"), "green", token("--green-shape"), token("--grey-shape")];
  const order = ["match", ["get", "light"], "red", 3, "yellow", 2, "green", 1, 0];
  const radius = ["interpolate", ["linear"], ["zoom"], 11, ["match", ["get", "light"], "red", 5, 3.5], 16, ["match", ["get", "light"], "red", 10, 8]];
  const ring = token("--surface");
  return [
    { id: "chosen", type: "circle", source: "chosen", paint: { "circle-radius": 16, "circle-color": "rgba(0,0,0,0)", "circle-stroke-width": 4, "circle-stroke-color": token("--focus") } },
    { id: "points", type: "circle", source: "points", layout: { "circle-sort-key": order }, paint: { "circle-radius": radius, "circle-color": ["match", ["get", "light"], "done", ring, colour], "circle-stroke-width": 2, "circle-stroke-color": ["match", ["get", "light"], "done", token("--grey-shape"), ring] } },
    { id: "points-marks", type: "symbol", source: "points", minzoom: 14, filter: ["in", ["get", "light"], ["literal", ["red", "paused"]]], layout: { "text-field": ["match", ["get", "light"], "red", "!", "="], "text-font": FACE, "text-size": 12, "text-allow-overlap": true, "text-ignore-placement": true }, paint: { "text-color": "#ffffff" } },
  ];
}

/** Features of the columns that `points` answers. */
export function features(columns) {
  const [west, north] = columns.origin;
  return {
    type: "FeatureCollection",
    features: columns.id.map((id, at) => ({
      type: "Feature",
      id,
      properties: { id, number: columns.number[at], light: columns.lights[columns.light[at]], said: [columns.types[columns.type[at]], columns.states[columns.state[at]]].filter(Boolean).join(" · ") },
      geometry: { type: "Point", coordinates: [west + columns.east[at] / columns.unit, north - columns.south[at] / columns.unit] },
    })),
  };
}

/** Polygons of the columns of unit grids: rings are steps from point to point. */
export function grids(units) {
  const ring = (steps) => {
    let [x, y] = [Math.round(units.origin[0] * units.scale), Math.round(units.origin[1] * units.scale)];
    const found = [];
    for (let at = 0; at < steps.length; at += 2) found.push([(x += steps[at]) / units.scale, (y += steps[at + 1]) / units.scale]);
    return [...found, found[0]];
  };
  return { type: "FeatureCollection", features: units.code.map((code, at) => ({ type: "Feature", properties: { code }, geometry: { type: "Polygon", coordinates: units.rings[at].map(ring) } })) };
}
