// The device's own keeping place for what could not be sent yet: one IndexedDB store, keyed by the client id.
const NAME = "jiequ";
const STORE = "waiting";
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asking = indexedDB.open(NAME, 1);
    asking.onupgradeneeded = () => asking.result.createObjectStore(STORE, { keyPath: "id" });
    asking.onsuccess = () => resolve(asking.result);
    asking.onerror = () => reject(asking.error);
  });
  return opened;
}

async function within(mode, work) {
  const base = await open();
  return new Promise((resolve, reject) => {
    const deal = base.transaction(STORE, mode, { durability: "strict" });
    const asked = work(deal.objectStore(STORE));
    deal.oncomplete = () => resolve(asked.result);
    deal.onerror = deal.onabort = () => reject(deal.error);
  });
}

/** Keeps or replaces one entry; resolves when it is on the disk. */
export const put = (entry) => within("readwrite", (store) => store.put(entry));

/** Forgets one entry. */
export const drop = (id) => within("readwrite", (store) => store.delete(id));

/** Everything kept, in no order. */
export const all = () => within("readonly", (store) => store.getAll());
