// Ten seconds to take a move back: counts down, then takes the button away (the server refuses after that anyway).

/** Starts every undo toast in `scope`. */
export function start(scope) {
  const found = [...scope.querySelectorAll("form[data-undo]")];
  if (scope.matches?.("form[data-undo]")) found.push(scope);
  found.filter((form) => !form.dataset.started).forEach(countDown);
}

function countDown(form) {
  form.dataset.started = "1";
  const endsAt = performance.now() + Number(form.dataset.undo) * 1000;
  const bar = Object.assign(document.createElement("progress"), { className: "undo-bar", max: Number(form.dataset.undo) });
  bar.setAttribute("aria-hidden", "true");
  form.append(bar);
  const left = form.querySelector("[data-undo-left]");
  const tick = () => {
    const seconds = (endsAt - performance.now()) / 1000;
    bar.value = Math.max(0, seconds);
    if (left) left.textContent = form.dataset.textLeft.replace("{n}", Math.max(0, Math.ceil(seconds)));
    if (seconds > 0) setTimeout(tick, 250);
    else if (!form.contains(document.activeElement)) form.remove();
    else form.querySelector("button").disabled = true;
  };
  tick();
}
