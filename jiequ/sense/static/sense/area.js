// An area on the map: corners pressed one by one (Enter or a double press closes it, Escape begins anew), or unit grids pressed.
// Both are written into the form's fields, which say the same to whoever types them.
import { ring } from "../grid/map.js";

const form = document.querySelector("[data-area]");
const box = document.getElementById("sense-map");
if (form && box) {
  if (box.map) begin();
  else box.addEventListener("jiequ:map", begin, { once: true });
}

function begin() {
  const tools = form.querySelector("[data-area-tools]");
  const modes = { draw: drawing(), pick: picking() };
  tools.hidden = false;
  box.map.doubleClickZoom.disable();
  for (const [name, mode] of Object.entries(modes)) {
    const button = form.querySelector(`[data-area-${name}]`);
    button.addEventListener("click", () => {
      const isOn = button.getAttribute("aria-pressed") === "true";
      for (const [other, one] of Object.entries(modes)) {
        form.querySelector(`[data-area-${other}]`).setAttribute("aria-pressed", String(other === name && !isOn));
        one.end();
      }
      if (!isOn) mode.start();
    });
  }
}

const say = (text, n) => (form.querySelector("[data-area-said]").textContent = text.replace("{n}", n));
const field = (name) => form.querySelector(`[data-area-${name}]`);

function drawing() {
  const brand = getComputedStyle(document.documentElement).getPropertyValue("--brand").trim() || "#0b5563";
  const shape = window.L.polygon([], { color: brand, weight: 3, interactive: false, pane: "sense-shapes" });
  let corners = [];
  let isOn = false;
  const paint = () => {
    shape.setLatLngs(corners);
    say(form.dataset.textCorners, corners.length);
  };
  const close = () => {
    if (corners.length < 3) return;
    field("outline").value = corners.map(({ lng, lat }) => `${lng.toFixed(7)}, ${lat.toFixed(7)}`).join("\n");
    field("outline").closest("details").open = true;
    field("draw").click();
    say(form.dataset.textDrawn);
    field("look").focus();
  };
  box.map.on("click", ({ latlng, originalEvent }) => {
    if (!isOn || originalEvent.detail > 1) return;
    corners.push(latlng);
    paint();
  });
  box.map.on("dblclick", () => isOn && close());
  document.addEventListener("keydown", (event) => {
    if (!isOn || !["Enter", "Escape"].includes(event.key)) return;
    if (event.key === "Enter") close();
    else paint((corners = []));
    event.preventDefault();
    event.stopImmediatePropagation();
  }, { capture: true });
  return {
    start: () => {
      isOn = true;
      corners = [];
      shape.addTo(box.map);
      box.classList.add("is-drawn-on");
      paint();
    },
    end: () => {
      isOn = false;
      box.classList.remove("is-drawn-on");
    },
  };
}

function picking() {
  let layer = null;
  const read = () => new Set(field("codes").value.split(/[\s,，、;；]+/).filter(Boolean));
  const paint = () => {
    const chosen = read();
    layer?.eachLayer((shape) => shape.setStyle({ fillOpacity: chosen.has(shape.code) ? 0.5 : 0.02 }));
    say(form.dataset.textUnits, chosen.size);
  };
  const press = (shape) => {
    const chosen = read();
    if (!chosen.delete(shape.code)) chosen.add(shape.code);
    field("codes").value = [...chosen].sort().join(" ");
    field("outline").value = "";
    paint();
  };
  const load = async () => {
    const answer = await fetch(form.dataset.units, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`units ${answer.status}`);
    const units = await answer.json();
    const all = units.code.map((code, i) => {
      const shape = window.L.polygon(units.rings[i].map((steps) => ring(steps, units)), { color: "#35428f", weight: 0.8, fillOpacity: 0.02, pane: "sense-shapes" });
      shape.code = code;
      shape.bindTooltip(code, { sticky: true });
      return shape.on("click", () => press(shape));
    });
    return window.L.layerGroup(all);
  };
  return {
    start: async () => {
      try {
        layer ??= await load();
        layer.addTo(box.map);
        field("codes").closest("details").open = true;
        paint();
      } catch (error) {
        console.warn("grids not drawn:", error);
      }
    },
    end: () => layer?.remove(),
  };
}
