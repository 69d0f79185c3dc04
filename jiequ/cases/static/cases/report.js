// The report page: narrows the list of types by a word, and walks community → road or estate → landmark.
const form = document.getElementById("report");

/** The search box over the types: shows those whose name or code holds the word. */
function startTypes(box) {
  const search = box.querySelector("[data-types-search]");
  const none = box.querySelector("[data-types-none]");
  search.hidden = false;
  search.addEventListener("input", () => {
    const word = search.value.trim().toLowerCase();
    let shown = 0;
    for (const one of box.querySelectorAll("[data-type]")) {
      one.hidden = Boolean(word) && !one.dataset.type.toLowerCase().includes(word);
      shown += !one.hidden;
    }
    for (const group of box.querySelectorAll("[data-types-group]")) group.hidden = !group.querySelector("[data-type]:not([hidden])");
    none.hidden = shown > 0;
  });
  search.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
  box.addEventListener("change", () => form.dispatchEvent(new CustomEvent("jiequ:placed")));
}

/** Community → roads and estates → landmarks beside the road. What is not found stays hidden; words always do. */
function startPlaces(box) {
  const community = box.querySelector("[data-places-community]");
  const road = box.querySelector("[data-places-road]");
  const landmark = box.querySelector("[data-places-landmark]");
  community.addEventListener("change", async () => {
    fill(landmark, [], box);
    const rows = community.value ? await ask(box, `community=${community.value}`) : [];
    fill(road, rows.filter((row) => row.kind !== "landmark"), box);
    tell();
  });
  road.querySelector("select").addEventListener("change", async (event) => {
    fill(landmark, event.target.value ? await ask(box, `beside=${event.target.value}`) : [], box);
    tell();
  });
  landmark.querySelector("select").addEventListener("change", tell);
  form.addEventListener("reset", () => [road, landmark].forEach((field) => fill(field, [], box)));
}

const tell = () => form.dispatchEvent(new CustomEvent("jiequ:placed"));

async function ask(box, query) {
  try {
    const answer = await fetch(`${box.dataset.places}?${query}`, { headers: { Accept: "application/json" } });
    return answer.ok ? (await answer.json()).places : [];
  } catch {
    return []; // no network: the typed words are enough
  }
}

function fill(field, rows, box) {
  const groups = new Map();
  for (const row of rows) {
    if (!groups.has(row.kind_name)) groups.set(row.kind_name, Object.assign(document.createElement("optgroup"), { label: row.kind_name }));
    groups.get(row.kind_name).append(new Option(row.name, row.id));
  }
  field.querySelector("select").replaceChildren(new Option(box.dataset.textAll, ""), ...groups.values());
  field.hidden = !rows.length;
}

/** What is known near by, and which types, places and times the words tell: one request a pause; what was chosen stays. */
const ASKED_BY = ["lon", "lat", "accuracy_m", "system", "place_sure", "plate", "place", "landmark", "community", "condition", "words", "place_words", "told_place", "happened", "me_too"];
const PLACED_BY = ["lon", "plate", "place", "community"];
const TYPING_MS = 600;
const PLACED_MS = 50;

function startAsked(box) {
  form.querySelector("[data-asked-button]").closest("p").hidden = true;
  let waiting = 0;
  let turn = 0;
  const ask = async () => {
    const now = ++turn;
    const body = question();
    if (!body) return fillIn(box, document.createElement("div"));
    try {
      const answer = await fetch(box.dataset.asked, { method: "POST", body, headers: { "HX-Request": "true" } });
      const html = answer.ok ? await answer.text() : "";
      if (html && now === turn) fillIn(box, new DOMParser().parseFromString(html, "text/html"));
    } catch {
      // no network: what was shown stays
    }
  };
  const soon = (ms) => () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, ms);
  };
  for (const name of ["words", "place_words"]) form.elements[name].addEventListener("input", soon(TYPING_MS));
  for (const name of ["jiequ:place", "jiequ:picked", "jiequ:placed", "jiequ:plate", "jiequ:shot"]) form.addEventListener(name, soon(PLACED_MS));
}

/** What is sent; null where there is nothing to go by. Of a photo its likeness alone goes out: 16 digits, no picture. */
function question() {
  const all = new FormData(form);
  const length = (name) => (all.get(name) ?? "").trim().length;
  if (length("words") < 4 && length("place_words") < 2 && !PLACED_BY.some(length)) return null;
  const body = new FormData();
  for (const name of ["csrfmiddlewaretoken", ...ASKED_BY]) if (all.get(name)) body.set(name, all.get(name));
  const looks = JSON.parse(all.get("photo_facts") || "[]").map((photo) => photo.look);
  if (looks.some(Boolean)) body.set("looks", looks.filter(Boolean).join());
  return body;
}

/** Each part of the answer into its place on the page. */
function fillIn(box, answer) {
  for (const part of box.children) swap(part, answer.querySelector(`#${part.id}`)?.innerHTML ?? "");
}

function swap(part, html) {
  const chosen = [...part.querySelectorAll("input:checked")];
  const focus = part.contains(document.activeElement) ? document.activeElement : null;
  part.innerHTML = html;
  const same = (input) => [...part.querySelectorAll(`input[name="${input.name}"]`)].find((one) => isSame(one, input));
  for (const input of chosen) if (same(input)) same(input).checked = true;
  if (focus) same(focus)?.focus();
}

/** The same choice as before. An offer to join is signed anew each time; whose it is stands before the first colon. */
const isSame = (one, other) =>
  one.name === "me_too" ? one.value.split(":")[0] === other.value.split(":")[0] : one.value === other.value;

if (form) {
  form.querySelectorAll("[data-asked]").forEach(startAsked);
  form.querySelectorAll("[data-types]").forEach(startTypes);
  form.querySelectorAll("[data-places]").forEach(startPlaces);
}
