// Where the device is, asked once at the moment it matters; never watched, never kept.
const FRESH_MS = 20_000;
let last = null;

/** {lon, lat, accuracy_m, at} or null if refused, impossible or slower than 12 s. Asked again after 20 s. */
export function position() {
  if (!navigator.geolocation) return Promise.resolve(null);
  if (last && Date.now() - last.asked < FRESH_MS) return last.promise;
  const promise = new Promise((resolve) => {
    const given = ({ coords, timestamp }) =>
      resolve({
        lon: Number(coords.longitude.toFixed(6)),
        lat: Number(coords.latitude.toFixed(6)),
        accuracy_m: Math.ceil(coords.accuracy),
        at: new Date(timestamp).toISOString(),
      });
    const options = { enableHighAccuracy: true, timeout: 12_000, maximumAge: 5_000 };
    navigator.geolocation.getCurrentPosition(given, () => resolve(null), options);
  });
  last = { asked: Date.now(), promise };
  promise.then((found) => found || (last = null));
  return promise;
}
