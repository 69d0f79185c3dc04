// The desk beside its rows: which row is chosen, where the focus goes, a searchable type list, and what the reporter will read.
// Everything here is a link or a form without it.

const NARROW = matchMedia("(max-width: 62rem)");

document.addEventListener("click", (event) => {
  const row = event.target.closest?.("[data-keys] [data-row]");
  if (row) choose(row);
});

// On a narrow screen there is no room beside the rows: a row opens the case's page, as its link says.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (!NARROW.matches || event.detail.target?.id !== "desk-panel") return;
  event.preventDefault();
  if (event.detail.elt.matches("a[href]")) location.assign(event.detail.elt.href);
});

document.body.addEventListener("htmx:afterSettle", (event) => {
  const asked = event.target.querySelector?.("[data-panel-focus]");
  if (asked) focusInto(asked);
});

document.body.addEventListener("htmx:load", (event) => begin(event.target));
begin(document);

function begin(scope) {
  scope.querySelectorAll?.("select[data-pick]").forEach(pick);
  scope.querySelectorAll?.("[data-preview]").forEach(preview);
}

function choose(row) {
  for (const other of row.parentElement.querySelectorAll("[aria-selected]")) other.removeAttribute("aria-selected");
  row.setAttribute("aria-selected", "true");
}

/** The first thing still to be filled in, else the button: with a right suggestion Enter is all that is left. */
function focusInto(panel) {
  const form = panel.querySelector("form.move-form");
  if (!form) return;
  const lacks = (field) => (field.matches("select") && field.required && !field.value) || !field.checkValidity();
  const isOpen = (field) => field.willValidate && field.offsetParent !== null && lacks(field);
  const empty = [...form.elements].find(isOpen);
  const finder = empty?.matches("[data-pick]") && empty.parentElement.querySelector("[data-pick-find]");
  (finder || empty || form.querySelector("button[type=submit]"))?.focus({ preventScroll: true });
  form.scrollIntoView({ block: "nearest" });
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

// ---- what the reporter will read, as it is typed

function preview(box) {
  const form = box.closest("form");
  if (!form || box.dataset.started) return;
  box.dataset.started = "1";
  const show = () => {
    const reason = form.elements.reason_code?.value ?? "";
    const typed = form.elements.reply?.value.trim() ?? "";
    for (const one of box.querySelectorAll("[data-preview-for]")) one.hidden = one.dataset.previewFor !== reason;
    for (const reply of box.querySelectorAll("[data-preview-reply]")) reply.textContent = typed || reply.dataset.default;
  };
  form.addEventListener("input", show);
  form.addEventListener("change", show);
  form.addEventListener("jiequ:draft", show);
  show();
}
