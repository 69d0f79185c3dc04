// Where the device is, asked once at the moment it matters; never watched, never kept.
const FRESH_MS = 20_000;
let last = null;
let first = null;

/** Another way to know, asked before the browser's: resolves to what `position` does (and its `system`), or to null. */
export function askFirst(ask) {
  first = ask;
  last = null;
}

/** {lon, lat, accuracy_m, at, system?} or null if refused, impossible or slower than 12 s. Asked again after 20 s. */
export function position() {
  if (!first && !navigator.geolocation) return Promise.resolve(null);
  if (last && Date.now() - last.asked < FRESH_MS) return last.promise;
  const promise = ask();
  last = { asked: Date.now(), promise };
  promise.then((found) => found || (last = null));
  return promise;
}

const ask = async () => (first && (await first())) || browsers();

function browsers() {
  if (!navigator.geolocation) return null;
  return new Promise((resolve) => {
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
}
