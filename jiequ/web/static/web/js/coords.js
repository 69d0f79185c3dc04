// Between what the product stores (CGCS2000, the same as WGS-84 at our accuracy) and a map drawn in GCJ-02.
// The offset is the published polynomial-and-sine form; tests compare it with the product's own conversion.
const AXIS_M = 6378245;
const FLATNESS = 0.00669342162296594323;
const { PI, sin, cos, sqrt, abs } = Math;

const waves = (t) => (20 * sin(6 * t * PI) + 20 * sin(2 * t * PI)) * (2 / 3);

function offset(lon, lat) {
  const x = lon - 105;
  const y = lat - 35;
  const east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x)) + waves(x) + far(x, 20, 40, 150, 300, 12, 30);
  const north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x)) + waves(x) + far(y, 20, 40, 160, 320, 12, 30);
  const phi = (lat / 180) * PI;
  const bend = 1 - FLATNESS * sin(phi) ** 2;
  const root = sqrt(bend);
  return [(east * 180) / ((AXIS_M / root) * cos(phi) * PI), (north * 180) / (((AXIS_M * (1 - FLATNESS)) / (bend * root)) * PI)];
}

const far = (t, a, b, c, d, e, f) => (a * sin(t * PI) + b * sin((t / 3) * PI) + c * sin((t / e) * PI) + d * sin((t * PI) / f)) * (2 / 3);

/** [x, y] on a map drawn in `system` (canonical unless "gcj02") for a stored lon, lat. */
export function toMap(lon, lat, system) {
  if (system !== "gcj02") return [lon, lat];
  const [east, north] = offset(lon, lat);
  return [lon + east, lat + north];
}

/** The stored [lon, lat] of a point on such a map; the inverse by iteration, good to a centimetre. */
export function fromMap(x, y, system) {
  if (system !== "gcj02") return [x, y];
  let [lon, lat] = [x, y];
  for (let round = 0; round < 6; round += 1) {
    const [atX, atY] = toMap(lon, lat, system);
    lon += x - atX;
    lat += y - atY;
  }
  return [lon, lat];
}
