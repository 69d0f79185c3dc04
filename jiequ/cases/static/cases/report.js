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

/** Which types, places and times the words tell, asked a moment after the last key; what was chosen stays. */
const TOLD_BY = ["words", "place_words", "lon", "lat", "accuracy_m", "system", "place_sure", "plate", "place", "landmark", "community"];

function startHeard(box) {
  form.querySelector("[data-heard-button]").closest("p").hidden = true;
  let waiting = 0;
  let turn = 0;
  const ask = async () => {
    const now = ++turn;
    if (form.elements.words.value.trim().length < 4 && form.elements.place_words.value.trim().length < 2) return box.replaceChildren();
    const all = new FormData(form);
    const body = new FormData();
    for (const name of ["csrfmiddlewaretoken", ...TOLD_BY]) if (all.get(name)) body.set(name, all.get(name));
    try {
      const answer = await fetch(box.dataset.heard, { method: "POST", body, headers: { "HX-Request": "true" } });
      if (answer.ok && now === turn) swap(box, await answer.text());
    } catch {
      // no network: nothing is suggested
    }
  };
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, 500);
  };
  for (const name of ["words", "place_words"]) form.elements[name].addEventListener("input", soon);
  for (const name of ["jiequ:place", "jiequ:picked", "jiequ:placed", "jiequ:plate"]) form.addEventListener(name, soon);
}

function swap(box, html) {
  const chosen = [...box.querySelectorAll("input:checked")];
  const focus = box.contains(document.activeElement) ? document.activeElement : null;
  box.innerHTML = html;
  const same = (input) => box.querySelector(`input[name="${input.name}"][value="${CSS.escape(input.value)}"]`);
  for (const input of chosen) if (same(input)) same(input).checked = true;
  if (focus) same(focus)?.focus();
}

if (form) {
  form.querySelectorAll("[data-heard]").forEach(startHeard);
  form.querySelectorAll("[data-types]").forEach(startTypes);
  form.querySelectorAll("[data-places]").forEach(startPlaces);
}
