// Large files go in pieces by tus 1.0. A broken connection is tried again from where the server stands; a page that was closed
// goes on when the same file is chosen again (the address of its upload is kept on this device, by name, size and change date).
const PIECE = 8 * 1024 * 1024;
const VERSION = { "Tus-Resumable": "1.0.0" };
const PAUSES = [1, 2, 5, 10, 20, 30, 30, 30];

for (const form of document.querySelectorAll("[data-sense-upload]")) form.addEventListener("submit", (event) => begin(event, form));

let open = 0;
addEventListener("beforeunload", (event) => { if (open) event.preventDefault(); });

async function begin(event, form) {
  event.preventDefault();
  const files = [...form.elements.files.files];
  const list = form.querySelector("[data-sense-going]");
  const button = form.querySelector("[type=submit]");
  button.disabled = true;
  let failed = 0;
  for (const file of files) failed += (await send(form, file, line(list, file.name), factsOf(form))) ? 0 : 1;
  button.disabled = false;
  if (!failed && files.length) location.assign(form.action);
}

function factsOf(form) {
  return Object.fromEntries(["flight", "taken_on", "point", "kind"].map((name) => [name, form.elements[name].value]));
}

/** A file's line in the list of what is on its way. */
export function line(list, name) {
  const item = document.createElement("li");
  const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
  const words = document.createElement("span");
  bar.setAttribute("aria-label", name);
  item.append(Object.assign(document.createElement("strong"), { textContent: name }), bar, words);
  list.append(item);
  return { bar, words };
}

/** Sends one file with what is known of it; the id of the picture that it becomes, or "" if it did not get there. */
export async function send(form, file, shown, facts) {
  const texts = form.dataset;
  const known = `jiequ-upload:${texts.street}:${file.name}:${file.size}:${file.lastModified}`;
  open += 1;
  try {
    let address = localStorage.getItem(known);
    let at = address ? await where(address) : null;
    if (at === null) {
      address = await create(form, file, facts);
      localStorage.setItem(known, address);
      at = { offset: 0, asset: "" };
    }
    for (let tries = 0; at.offset < file.size;) {
      shown.bar.value = at.offset / file.size;
      shown.words.textContent = `${tries ? texts.textAgain : texts.textGoing} ${Math.floor((100 * at.offset) / file.size)}%`;
      try {
        at = await piece(form, address, file, at.offset);
        tries = 0;
      } catch (error) {
        if (error.isFinal || tries >= PAUSES.length) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSES[tries++] * 1000));
        at = (await where(address).catch(() => null)) ?? at;
      }
    }
    shown.bar.value = 1;
    shown.words.textContent = texts.textDone;
    localStorage.removeItem(known);
    return at.asset;
  } catch (error) {
    if (error.isFinal) localStorage.removeItem(known);
    shown.words.textContent = error.isFinal ? error.message : texts.textFailed;
    return "";
  } finally {
    open -= 1;
  }
}

async function create(form, file, facts) {
  const known = Object.entries({ filename: file.name, street: form.dataset.street, ...facts }).filter(([, value]) => value);
  const header = known.map(([name, value]) => `${name} ${base64(value)}`).join(",");
  const answer = await ask(form, form.dataset.uploads, "POST", { "Upload-Length": String(file.size), "Upload-Metadata": header });
  return answer.headers.get("Location");
}

async function where(address) {
  const answer = await fetch(address, { method: "HEAD", headers: VERSION });
  return answer.ok ? told(answer) : null;
}

async function piece(form, address, file, offset) {
  const headers = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
  const answer = await ask(form, address, "PATCH", headers, file.slice(offset, offset + PIECE));
  return told(answer);
}

/** How far the server has it, and what it became once it is whole. */
function told(answer) {
  return { offset: Number(answer.headers.get("Upload-Offset")), asset: answer.headers.get("Jiequ-Asset") ?? "" };
}

/** A refusal is final and in words; what a later try may mend (409, 423, 5xx, no connection) is not. */
async function ask(form, address, method, headers, body) {
  const key = form.elements.csrfmiddlewaretoken.value;
  const answer = await fetch(address, { method, headers: { ...VERSION, Accept: "application/json", "X-CSRFToken": key, ...headers }, body });
  if (answer.ok) return answer;
  const refusal = await answer.json().catch(() => ({}));
  const isFinal = answer.status < 500 && ![409, 423, 429].includes(answer.status);
  throw Object.assign(new Error(refusal.message || String(answer.status)), { isFinal });
}

function base64(text) {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
