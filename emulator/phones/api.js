/** The strings (/_emu/…), and small helpers to make elements. */

export const ask = async (method, path, body) => {
  const options = { method };
  if (body instanceof Blob) {
    options.body = body;
    options.headers = { "content-type": body.type || "image/jpeg" };
  } else if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "content-type": "application/json" };
  }
  const answer = await fetch(`/_emu${path}`, options);
  const found = await answer.json();
  if (!answer.ok) throw new Error(found.why || `HTTP ${answer.status}`);
  return found;
};

/** An element: `make("p", { className: "last", onclick }, "words", child)`. */
export const make = (name, given = {}, ...inside) => {
  const found = Object.assign(document.createElement(name), given);
  found.append(...inside.filter((one) => one !== null && one !== undefined && one !== false));
  return found;
};

/** The 24-by-24 path `d` as a picture. */
export const icon = (d) => {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", d);
  svg.append(path);
  return svg;
};

export const hour = (seconds) =>
  new Date(seconds * 1000).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false, timeZone: "Asia/Shanghai" });
