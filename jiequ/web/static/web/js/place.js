// Fills the place fields at the first shot or on the button; accuracy worse than the limit asks one question.
import { position } from "./position.js";

/** Starts every place part in `scope`. */
export function start(scope) {
  for (const box of scope.querySelectorAll("[data-place]")) {
    if (!box.dataset.started) begin(box);
  }
}

function begin(box) {
  box.dataset.started = "1";
  box.closest("form")?.addEventListener("jiequ:picked", (event) => pick(box, event.detail));
  box.closest("form")?.addEventListener("jiequ:plate", (event) => scanned(box, event.detail));
  const button = box.querySelector("[data-place-find]");
  button.hidden = !navigator.geolocation; // a channel that knows another way shows it
  button.addEventListener("click", () => find(box));
  box.closest("form")?.addEventListener("jiequ:shot", (event) => {
    if (event.detail.source === "camera" && !box.querySelector("[data-place-lon]").value) find(box);
  });
  box.querySelectorAll("[name=place_near]").forEach((choice) => choice.addEventListener("change", () => answer(box, choice)));
}

async function find(box) {
  tell(box, box.dataset.textFinding);
  const found = await position();
  if (!found) return tell(box, box.dataset.textRefused);
  write(box, found, found.system);
  const isSure = found.accuracy_m <= Number(box.dataset.worstM);
  box.querySelector("[data-place-sure]").value = isSure ? "device" : "";
  box.querySelector("[data-place-question]").hidden = isSure;
  tell(box, box.dataset.textFound.replace("{n}", found.accuracy_m));
  box.dispatchEvent(new CustomEvent("jiequ:place", { bubbles: true, detail: found }));
}

/** "Near me" keeps the point; "elsewhere" drops it, and the typed path beside it has the word. */
function answer(box, choice) {
  const isNear = choice.value === "yes";
  box.querySelector("[data-place-sure]").value = isNear ? "near" : "typed";
  if (isNear) return;
  write(box, { lon: "", lat: "", accuracy_m: "", at: "" });
  tell(box, "");
  const typed = box.closest("form")?.querySelector("[data-place-typed]");
  typed?.closest("details")?.setAttribute("open", "");
  typed?.focus();
}

/** A tap on the map beside it: our own system, and sure. */
function pick(box, { lon, lat }) {
  write(box, { lon, lat, accuracy_m: "", at: new Date().toISOString() }, "cgcs2000");
  box.querySelector("[data-place-sure]").value = "map";
  box.querySelector("[data-place-question]").hidden = true;
  tell(box, box.dataset.textPicked);
}

/** A plate on the spot: its code says where, more surely than any device. */
function scanned(box, { code, name }) {
  write(box, { lon: "", lat: "", accuracy_m: "", at: new Date().toISOString() });
  box.querySelector("[data-place-question]").hidden = true;
  let field = box.querySelector("[name=plate]");
  if (!field) box.append((field = Object.assign(document.createElement("input"), { type: "hidden", name: "plate" })));
  field.value = code;
  tell(box, name);
  box.dispatchEvent(new CustomEvent("jiequ:place", { bubbles: true }));
}

function write(box, found, system = "wgs84") {
  box.querySelector("[data-place-system]").value = system;
  const values = { lon: found.lon, lat: found.lat, accuracy: found.accuracy_m, at: found.at };
  for (const [name, value] of Object.entries(values)) box.querySelector(`[data-place-${name}]`).value = value;
}

function tell(box, sentence) {
  const said = box.querySelector("[data-place-said]");
  said.textContent = sentence;
  said.hidden = !sentence;
}
