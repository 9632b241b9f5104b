// The caretaker's corner: where the caretaker is in it, and the drawing of its pages (corner_pages.js). The
// station says whether it is open; a touch goes there first, and the next page comes with its answer.

import { pageOf } from "/corner_pages.js";
import { at, tell } from "/drawing.js";
import { kilograms } from "/words.js";

const TREMBLE_MS = 150;
const RESTING = ["waiting", "closed", "thanks", "no_card"]; // nobody is at a bin: people may follow closely

let struck = { key: "", ms: 0 };
let place = { name: "home" };
let job = null;
let was = "closed";

/** A named event beside the views. */
export function heard(name, value) {
  if (name === "corner") job = value.job;
}

/** Draws into #corner and its touch in the footer. True where there is something to show. */
export function draw(context) {
  const state = context.view?.corner ?? "closed";
  if (state !== was) {
    if (state === "card" || state === "closed" || was === "card" || was === "closed") place = { name: "home" };
    was = state;
  }
  drawCare(context, state);
  if (context.room !== "whole") return false;
  if (state === "card" && !["pad", "gate"].includes(place.name)) {
    place = { name: "gate", refusals: context.view.refusals };
  }
  if (state === "open" && job !== null && ["home", "job"].includes(place.name)) place = { name: "job", seen: true };
  else if (place.name === "job" && place.seen) place = { name: "home" }; // it was ended
  const panel = innerWidth > innerHeight ? "wide" : "tall";
  drawPage(pageOf(place, { ...context, job, panel }), context);
  return true;
}

/** The touch in the footer: for the caretaker, and back to where the caretaker was. */
function drawCare(context, state) {
  const { view, said } = context;
  const resting = view !== null && RESTING.includes(view.phase) && view.awaiting === null;
  const touch = state === "aside" ? "corner_touch" : state === "closed" && resting ? "corner_begin" : "";
  const label = state === "aside" ? said.return : said.open;
  if (!context.changed("caretaker", [touch, label])) return;
  const care = at("caretaker");
  care.hidden = touch === "";
  care.replaceChildren();
  if (touch === "") return;
  const button = context.make("button", "care", label);
  care.append(context.pressable(button, () => context.act(touch)));
}

function drawPage(page, context) {
  const corner = at("corner");
  corner.dataset.page = page.pad ? "pad" : "plain";
  corner.dataset.care = String(page.care === true);
  if (context.changed("frame", "made")) {
    corner.replaceChildren(...["head", "body", "keys", "foot"].map((name) => part(context, name)));
  }
  const [head, body, keys, foot] = corner.children;
  if (context.changed("head", page.title)) {
    head.replaceChildren(...(page.title ? [context.make("h1", "", page.title)] : []));
  }
  drawBody(page, context, body);
  keys.hidden = !page.pad;
  if (context.changed("keys", [page.pad, page.enter])) keys.replaceChildren(...(page.pad ? pad(page, context) : []));
  drawFoot(page, context, foot);
}

function part({ make }, name) {
  const made = make("div", `corner-${name}`);
  if (name === "body") made.setAttribute("aria-live", "polite");
  return made;
}

function drawBody(page, context, body) {
  const { tiles, rows, steps, sign, picture, sentence, more, weight, live, still, shown } = page;
  const said = [context.language, tiles, rows, steps, sign, picture, sentence, more, weight, shown];
  if (context.changed("body", [said, live !== undefined])) {
    const { make, svgUse } = context;
    const parts = [];
    if (picture) parts.push(svgUse(picture));
    if (sign) parts.push(signOf(sign, context));
    const words = make("div", "words");
    if (sentence) words.append(tell(page.title ? "p" : "h1", "sentence", sentence));
    if (shown !== undefined) words.append(make("p", "shown", shown));
    if (weight !== undefined) words.prepend(weightOf(kilograms(weight), context));
    if (live !== undefined) words.append(make("div", "live"));
    words.append(...more.map((line) => tell("p", "more", line)));
    if (words.childElementCount > 0) parts.push(words);
    if (tiles.length > 0) parts.push(listOf("tiles", tiles, context));
    if (rows) parts.push(listOf("rows", rows, context));
    if (steps) parts.push(stepsOf(steps, context));
    body.replaceChildren(...parts);
    context.changed("live", null);
  }
  if (live !== undefined && context.changed("live", [live, still])) {
    const { make } = context;
    const number = live === null ? make("span", "unknown", "・・・") : weightOf(live, context);
    body.querySelector(".live").replaceChildren(number, make("span", "still", still));
  }
}

function signOf({ level, picture, word }, { make, svgUse }) {
  const sign = make("div", "state");
  sign.dataset.level = level;
  sign.append(svgUse(picture));
  if (word) sign.append(make("span", "", word));
  return sign;
}

function weightOf(text, { make }) {
  const weight = make("span", "weight");
  weight.append(make("span", "number", text), make("span", "unit", " kg"));
  return weight;
}

function stepsOf(steps, { make, svgUse }) {
  const list = make("ol", "steps");
  for (const [picture, words] of steps) {
    const step = make("li", "");
    step.append(svgUse(picture), tell("span", "", words));
    list.append(step);
  }
  return list;
}

function listOf(kind, touches, context) {
  const { make, svgUse } = context;
  const list = make("ul", kind);
  for (const touch of touches) {
    const button = make("button", "choice");
    if (touch.picture) button.append(svgUse(touch.picture));
    button.append(kind === "rows" ? tell("span", "label", touch.label) : make("span", "label", touch.label));
    if (touch.badge) button.append(make("span", "badge", touch.badge));
    const item = make("li", "");
    item.append(context.pressable(button, () => press(touch, context)));
    list.append(item);
  }
  return list;
}

/** Back stands always at the same place, what goes on at the other end. */
function drawFoot(page, context, foot) {
  const back = page.back ? [{ label: context.said.back, kind: "back", go: page.back }] : [];
  const touches = [...back, ...page.foot];
  if (!context.changed("foot", [context.language, touches])) return;
  foot.replaceChildren(
    ...touches.map((touch) => {
      const button = context.make("button", `action ${touch.kind}`, touch.label);
      return context.pressable(button, () => press(touch, context));
    }),
  );
}

function pad({ pad: keys, enter }, context) {
  const { make } = context;
  const typed = (text) => go({ ...place, typed: text, why: "" }, context);
  const key = (label, kind, press) => {
    const button = make("button", `key ${kind}`, label);
    button.type = "button";
    // Fingers are quick here: a key counts where it is touched, and the next one waits for nothing.
    button.addEventListener("pointerdown", () => once(label) && press());
    button.addEventListener("click", (event) => event.detail === 0 && press());
    return button;
  };
  const digits = [..."123456789"].map((digit) => digitKey(digit));
  // `place` has what is typed now: a number that is on its way is not there any more.
  function digitKey(digit) {
    return key(digit, "digit", () => place.typed.length < keys.most && typed(place.typed + digit));
  }
  const send = () => {
    if (place.typed.length < enter.least) return;
    if (enter.place) go({ ...enter.place, [enter.field]: place.typed }, context);
    else submit(enter, place.typed, context);
  };
  return [...digits, key(keys.erase, "erase", () => typed("")), digitKey("0"), key(keys.enter, "first", send)];
}

/** A trembling finger touches the same key twice. */
function once(key) {
  const now = performance.now();
  const again = struck.key === key && now - struck.ms < TREMBLE_MS;
  struck = { key, ms: now };
  return !again;
}

// -- touches ----------------------------------------------------------------------------------

function go(next, context) {
  place = next;
  context.redraw();
}

/** A touch: at once where it only turns a page (the station is told that somebody is there), else with the
 * station's answer. Whoever went on to another page meanwhile stays there: only a refusal comes after them. */
async function press(touch, context) {
  if (touch.go) {
    go(touch.go, context);
    context.act("corner_touch");
    return;
  }
  const { action, fields, next } = touch.act;
  const from = place;
  const { ok, value } = await context.act(action, fields);
  // A window beside this one has begun something: there is one corner, so both show the same.
  if (value?.code === "corner_busy" && job !== null) go({ name: "job", seen: true }, context);
  else if (!ok) go({ name: "trouble", code: value?.code ?? "", back: from.name === "gate" ? from : undefined }, context);
  else if (place.name === from.name) go({ ...next, ...answered(action, value) }, context);
}

function answered(action, value) {
  if (action === "corner_doctor") return { value };
  if (action !== "corner_pad") return {};
  return { set: value.set, why: value.wait_s > 0 ? "number_paused" : "" }; // before it is typed for nothing
}

/** The number goes to the station, once, and is kept nowhere. */
async function submit({ action, field, next }, text, context) {
  place = { ...place, typed: "" };
  const { ok, value } = await context.act(action, { [field]: text });
  if (place.name !== "pad") return; // back, or in by a card meanwhile
  go(ok ? next : { name: "pad", typed: "", why: value?.code ?? "other" }, context);
}
