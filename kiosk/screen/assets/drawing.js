// The few things that every part of the page draws with. Text goes in as text, never as markup, and only
// what changed is touched, so that a screen reader and a slow processor are left in peace.

const PRESSED_MS = 800; // one finger, one touch

const drawn = new Map(); // place -> what it shows

export function at(id) {
  return document.getElementById(id);
}

/** Whether `place` is to show something else than it shows; it counts as shown from now on. */
export function changed(place, value) {
  const shown = JSON.stringify(value);
  if (drawn.get(place) === shown) return false;
  drawn.set(place, shown);
  return true;
}

/** `place` was emptied: the next `changed` is one. */
export function forget(place) {
  drawn.delete(place);
}

export function make(tag, name, text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  return element;
}

/** A pictogram of pictograms.svg, beside words: not read out. */
export function svgUse(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "picture");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

export function drawText(id, text) {
  if (!changed(id, text)) return;
  at(id).textContent = text;
  at(id).hidden = text === "";
}

/** A button with what a touch of it does. */
export function pressable(button, press) {
  button.type = "button";
  button.addEventListener("click", () => {
    button.disabled = true;
    setTimeout(() => (button.disabled = false), PRESSED_MS);
    press();
  });
  return button;
}
