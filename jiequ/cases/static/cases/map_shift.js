// Tile services in GCJ-02 under a map in CGCS2000: each of our tiles is put together from up to four of theirs, moved by the
// offset at its middle. Across one tile the offset changes by less than a pixel (tests/e2e/test_map_shift.py compares it).
import { toMap } from "../web/js/coords.js";

const PROTOCOL = "gcj02";
const HELD = 96; // pictures of the service kept at hand: neighbouring tiles of ours share theirs
const held = new Map();

/** The addresses MapLibre gets for a layer: its own, or ours that `teach` answers. */
export const addresses = (layer) => (layer.system === PROTOCOL ? [`${PROTOCOL}://${layer.id}/{z}/{x}/{y}`] : layer.tiles);

/** Teaches MapLibre the layers whose pictures are to be moved. */
export function teach(library, layers) {
  const moved = new Map(layers.filter((layer) => layer.system === PROTOCOL).map((layer) => [layer.id, layer]));
  if (!moved.size) return;
  library.addProtocol(PROTOCOL, async ({ url }, { signal }) => {
    const [id, ...place] = url.slice(PROTOCOL.length + 3).split("/");
    return { data: await shifted(moved.get(id), ...place.map(Number), signal) };
  });
}

/** One tile of ours as a picture. Rejects where the service has nothing there at all. */
export async function shifted(layer, z, x, y, signal) {
  const { size } = layer;
  const [left, top] = corner(z, x, y, size);
  const [first, last] = [[left, top], [left + size - 1, top + size - 1]].map((pixels) => pixels.map((at) => Math.floor(at / size)));
  const wanted = [];
  for (let row = first[1]; row <= last[1]; row += 1) for (let column = first[0]; column <= last[0]; column += 1) wanted.push([column, row]);
  const pictures = await Promise.allSettled(wanted.map(([column, row]) => picture(address(layer, z, column, row), signal)));
  const found = pictures.flatMap(({ value }, at) => (value ? [[value, ...wanted[at]]] : []));
  if (!found.length) throw pictures[0].reason;
  const canvas = new OffscreenCanvas(size, size);
  const pen = canvas.getContext("2d");
  for (const [image, column, row] of found) pen.drawImage(image, column * size - left, row * size - top, size, size);
  return canvas.transferToImageBitmap();
}

/** [column, row] in the service's pixels of what lies at the upper left corner of our tile; whole, so that words stay sharp. */
function corner(z, x, y, size) {
  const side = 2 ** z;
  const lon = ((x + 0.5) / side) * 360 - 180;
  const lat = (Math.atan(Math.sinh(Math.PI * (1 - (2 * (y + 0.5)) / side))) * 180) / Math.PI;
  const [east, north] = toMap(lon, lat, PROTOCOL);
  const sine = Math.sin((north * Math.PI) / 180);
  const middle = [(east + 180) / 360, 0.5 - Math.atanh(sine) / (2 * Math.PI)];
  return middle.map((share) => Math.round(share * side * size - size / 2));
}

function address({ tiles }, z, x, y) {
  const place = { z, x, y };
  return tiles[(x + y) % tiles.length].replace(/\{([zxy])\}/g, (_all, letter) => place[letter]);
}

/** A picture of the service; asked for once, however many of our tiles want it. A failed one is forgotten. */
function picture(url, signal) {
  const known = held.get(url);
  if (known) return known;
  const asked = fetch(url, { signal }).then(async (answer) => (answer.ok ? createImageBitmap(await answer.blob()) : Promise.reject(new Error(`${url} ${answer.status}`))));
  held.set(url, asked);
  asked.catch(() => held.delete(url));
  if (held.size > HELD) held.delete(held.keys().next().value);
  return asked;
}
