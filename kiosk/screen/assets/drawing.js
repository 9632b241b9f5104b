// The few things that every part of the page draws with. Text goes in as text, never as markup, and only
// what changed is touched, so that a screen reader and a slow processor are left in peace.

import { sentences, texts } from "/words.js";

const PRESSED_MS = 800; // one finger, one touch
const DEAF_MS = 300; // a wet or trembling finger touches twice: the second is not for what came up under it

const drawn = new Map(); // place -> what it shows
let deafUntil = 0;

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

/** The like of `make` with several sentences: a line ends between two of them first. */
export function tell(tag, name, text) {
  const element = make(tag, name);
  element.append(...inSentences(texts(text)));
  return element;
}

/** Elements for parts of a template (words.js), each sentence in one that is broken only where it has to be. */
export function inSentences(found, elementOf = ({ text }) => document.createTextNode(text)) {
  const groups = sentences(found);
  if (groups.length < 2) return found.map(elementOf);
  return groups.flatMap(([first, ...others]) => {
    if (first.kind !== "text" && others.length === 0) return [elementOf(first)];
    const whole = make("span", "whole");
    const gap = first.kind === "text" ? /^\s*/.exec(first.text)[0] : "";
    whole.append(...[{ ...first, text: first.text.slice(gap.length) }, ...others].map(elementOf));
    return gap ? [gap, whole] : [whole];
  });
}

/** A pictogram of pictograms.svg, beside words: not read out. */
export function svgUse(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `picture of-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const box = at(name)?.getAttribute("viewBox"); // pictures of a deed are wider than those of a thing
  if (box) svg.setAttribute("viewBox", box);
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

export function drawText(id, text, tag = "") {
  if (!changed(id, [text, tag])) return;
  at(id).textContent = text;
  if (tag) at(id).lang = tag;
  else at(id).removeAttribute("lang"); // an empty one would say that nobody knows
  at(id).hidden = text === "";
}

/**
 * A button with what a touch of it does. A touch counts where the finger leaves, if that is on the button
 * where it came down: it may slide, rest and roll in between, and need not be dry. Keys and screen readers
 * come as a click without a pointer.
 */
export function pressable(button, press) {
  button.type = "button";
  const count = () => {
    button.disabled = true;
    setTimeout(() => (button.disabled = false), PRESSED_MS);
    press();
  };
  let finger = null;
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || performance.now() < deafUntil) return;
    finger = event.pointerId;
    button.setPointerCapture(finger);
  });
  button.addEventListener("pointercancel", () => (finger = null));
  button.addEventListener("pointerup", (event) => {
    if (event.pointerId !== finger || button.disabled) return;
    finger = null;
    if (!inside(event, button.getBoundingClientRect())) return;
    document.body.classList.add("deaf");
    deafUntil = performance.now() + DEAF_MS;
    setTimeout(() => document.body.classList.toggle("deaf", performance.now() < deafUntil - 1), DEAF_MS);
    count();
  });
  button.addEventListener("click", (event) => {
    if (event.detail === 0) count();
  });
  return button;
}

/** Large pictures to choose from: [{picture, title, line, press}]. */
export function choices(several) {
  const list = make("ul", "choices");
  list.dataset.count = String(several.length);
  for (const one of several) {
    const button = make("button", one.kind ? `choice ${one.kind}` : "choice");
    button.append(svgUse(one.picture));
    const text = make("span", "text");
    text.append(make("span", "title", one.title));
    if (one.line) text.append(make("span", "line", one.line));
    button.append(text);
    const item = make("li", "");
    if (one.press) item.append(pressable(button, one.press));
    else {
      button.disabled = true;
      item.append(button);
    }
    list.append(item);
  }
  return list;
}

function inside({ clientX, clientY }, { left, right, top, bottom }) {
  return clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
}
