// Beside a move's form: a type list that can be searched, and what the reporter will read. All of it works without.

document.body.addEventListener("htmx:load", (event) => begin(event.target));
begin(document);

/** Starts what stands in `scope`, once. */
export function begin(scope) {
  scope.querySelectorAll?.("select[data-pick]").forEach(pick);
  scope.querySelectorAll?.("[data-preview]").forEach(preview);
}

// ---- a select that can be searched: words narrow the list, down goes into it, Enter takes the first

function pick(select) {
  if (select.dataset.started) return;
  select.dataset.started = "1";
  const all = [...select.children].map((child) => child.cloneNode(true));
  const find = Object.assign(document.createElement("input"), { type: "search", placeholder: select.dataset.textFind, autocomplete: "off" });
  find.setAttribute("aria-label", select.dataset.textFind);
  find.setAttribute("aria-controls", select.id);
  find.dataset.pickFind = "";
  select.before(find);
  const fold = () => (select.size = select.value && document.activeElement !== select ? 0 : 7);
  const take = () => {
    fold();
    tell(select);
  };
  find.addEventListener("input", () => {
    narrow(select, all, find.value);
    select.size = 7;
  });
  find.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") select.focus();
    else if (event.key === "Enter") {
      const first = [...select.options].find((option) => option.value);
      if (first && find.value.trim()) select.value = first.value;
      take();
      if (select.value) select.form.querySelector("button[type=submit]").focus();
    } else return;
    event.preventDefault();
  });
  select.addEventListener("change", () => tell(select));
  select.addEventListener("blur", take);
  select.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !select.value) return;
    event.preventDefault();
    take();
    select.form.querySelector("button[type=submit]").focus();
  });
  fold();
  if (select.value) tell(select);
}

function narrow(select, all, words) {
  const chosen = select.value;
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (group, option) => wanted.every((word) => `${group} ${option.text}`.toLowerCase().includes(word));
  const kept = all.flatMap((child) => {
    if (!(child instanceof HTMLOptGroupElement)) return wanted.length ? [] : [child.cloneNode(true)];
    const group = child.cloneNode(true);
    for (const option of [...group.children]) if (!fits(group.label, option)) option.remove();
    return group.children.length ? [group] : [];
  });
  select.replaceChildren(...kept);
  select.value = chosen;
}

/** Shows the limit, the closing condition and the proofs of what is chosen, and sets the department it goes to. */
function tell(select) {
  const facts = select.form.querySelector("[data-pick-facts]");
  const option = select.selectedOptions[0];
  if (facts) {
    facts.hidden = !option?.dataset.limit;
    for (const place of facts.querySelectorAll("[data-fact]")) place.textContent = option?.dataset[place.dataset.fact] ?? "";
  }
  const lead = select.form.elements.lead_id;
  if (lead && option?.dataset.lead) lead.value = option.dataset.lead;
}

// ---- what the reporter will read, as it is typed: the server says it, by the same words it would send

const PAUSE_MS = 350;

function preview(box) {
  const form = box.closest("form");
  if (!form || box.dataset.started) return;
  box.dataset.started = "1";
  box.querySelector("[data-preview-button]").hidden = true;
  let waiting = 0;
  let asked = 0;
  const show = async () => {
    const turn = ++asked;
    try {
      const answer = await fetch(box.dataset.preview, { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" } });
      if (answer.ok && turn === asked) box.querySelector("[data-preview-texts]").innerHTML = await answer.text();
    } catch {
      // no network: the words that were shown stay
    }
  };
  const soon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(show, PAUSE_MS);
  };
  for (const name of ["input", "change", "jiequ:draft"]) form.addEventListener(name, soon);
  show();
}

// ---- a standard reply goes into the field, where it can still be changed

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[name=use][data-reply]");
  const field = button?.form?.elements[button.dataset.replyField];
  if (!field) return;
  event.preventDefault();
  field.value = button.dataset.reply;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});

// ---- a suggestion goes into its field; Enter on the button is all that is left

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-offer-value]");
  const name = link && (link.dataset.offerField ?? link.closest("[data-offer]").dataset.offer);
  const field = link?.closest("form")?.elements[name];
  if (!field || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  field.value = link.dataset.offerValue;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  if (field.matches("[data-pick]")) field.dispatchEvent(new Event("blur"));
  for (const other of link.closest("[data-offer]").querySelectorAll(".is-marked")) other.classList.remove("is-marked");
  link.classList.add("is-marked");
  field.form.querySelector("button[type=submit]:not([name])")?.focus();
});
