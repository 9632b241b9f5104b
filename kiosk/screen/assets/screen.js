// The page: the line to the station, the language, what a touch opened, and one `draw`. It decides nothing:
// a view comes in, a scene is made of it (scenes.js) and drawn (moment.js); the town, what is played and the
// caretaker's corner draw themselves into their sections when the screen is theirs.

import { hasTurn, isClass } from "/classroom.js";
import * as corner from "/corner.js";
import { at, changed, drawText, make, pressable, svgUse } from "/drawing.js";
import { drawMoment } from "/moment.js";
import * as play from "/play.js";
import { pictureOf, sceneOf } from "/scenes.js";
import * as sound from "/sound.js";
import * as town from "/town.js";
import { filled } from "/words.js";

const LOST_MS = 1500; // so long a silence of the line is not worth a word
const SILENT_MS = 10000; // the station repeats its view every 2 s
const AGAIN_MS = 2000;
const UNTOUCHED_MS = 30000; // what a touch opened closes by itself; nothing is lost by it
const LANGUAGE_MS = 60000;
const BUSY_MS = 3000; // a touch that waited so long for its turn is not meant any more
const ANSWER_MS = 20000;
const BUSY_AGAIN_MS = 100;
const PANELS = ["waiting", "thanks", "no_card"]; // nobody stands at a bin: room for the town's strip, or more
const PARTS = { town, play, corner }; // each with the section and the words of its name
const ASIDES = ["town", "play", "corner"]; // the station's events beside the views
const { run, setup, languages, pictures } = JSON.parse(at("setup").textContent);
const tags = Object.fromEntries(languages.map((one) => [one.code, one.tag]));
const token = document.querySelector("meta[name=kiosk-token]").content;

let view = null;
let language = setup.language;
let opened = null; // {bin, step} by a touch on a bin, {part, ...} by one that opened a part of the page
let met = []; // marks of those whom the page has greeted
let connected = false;
let events = null;
let heardMs = 0;
let lostTimer = 0;
let openedTimer = 0;
let languageTimer = 0;
let lastTouch = Promise.resolve();

function spoken() {
  return languages.find((one) => one.code === language);
}

// -- drawing ----------------------------------------------------------------------------------

function draw() {
  const { words: said, tag, like } = spoken();
  const now = { connected, view, setup, language, like, tags, said, pictures, opened, met };
  const whole = wholePart();
  const scene = sceneOf(now);
  document.documentElement.lang = tag;
  document.body.dataset.language = language;
  document.body.dataset.scene = whole ?? scene.name;
  document.body.dataset.tone = whole ? "calm" : scene.tone;
  document.body.dataset.warm = view?.warm ?? "no";
  document.querySelector("main").hidden = whole !== null;
  if (whole === null) drawMoment(scene, now, touched);
  else document.body.classList.remove("weighed", "marked"); // what the moment's words wear is not for a part's
  for (const [name, part] of Object.entries(PARTS)) {
    const room = whole === name ? "whole" : whole === null && hasRoom[name](scene) ? "panel" : "none";
    const shown = part.draw(context(name, room));
    at(name).hidden = room === "none" || !shown;
    at(name).dataset.room = room;
    at(name).setAttribute("role", room === "whole" ? "main" : "region");
    at(name).setAttribute("aria-label", said[`part_${name}`]);
  }
  drawFooter(said);
  if (whole === null && isTight()) at("town").hidden = true; // many bins with long names, many languages
}

/** Whether what is said or the bins have less room than they need. */
function isTight() {
  const lowest = (place) => place.getBoundingClientRect().bottom;
  const main = document.querySelector("main");
  return lowest(at("bins")) > lowest(main) + 1 || lowest(at("said")) > lowest(at("moment")) + 1;
}

/** The part that has the whole screen, or null. The corner first; the rest gives way to whoever is at a bin. */
function wholePart() {
  if (!connected || view === null || view.here) return null;
  if (view.corner === "card" || view.corner === "open") return "corner";
  if (PANELS.includes(view.phase) && view.awaiting === null && opened?.part) return opened.part;
  return isClass(view) ? "play" : null;
}

const hasRoom = { town: hasPanel, play: () => connected && hasTurn(view), corner: () => false };

/** Whether there is room for the town's strip under the bins. */
function hasPanel(scene) {
  if (scene.newcomer?.length > 0 && view.bins.length > 8) return false;
  return PANELS.includes(scene.name) && view.awaiting === null && scene.more.length === 0;
}

/** What a part of the page may know and do. */
function context(name, room) {
  const { words, like, [name]: said } = spoken();
  return {
    view,
    setup,
    language,
    like,
    said,
    words,
    pictureOf: (item) => pictureOf(item, pictures),
    opened: opened?.part === name ? opened : null,
    room,
    act,
    open: (what) => open(what === null ? null : { part: name, ...what }),
    make,
    svgUse,
    filled,
    changed: (place, value) => changed(`${name} ${place}`, value),
    pressable,
    redraw: draw,
    extra: name === "town" && room === "panel" ? play.cards({ said: spoken().play, filled }) : [],
  };
}

function drawFooter(said) {
  const offline = connected && view !== null && !view.online;
  at("line").classList.toggle("name", !offline);
  if (offline) drawText("line", said.offline);
  else drawText("line", setup.station, tags[setup.language]);
  if (!changed("languages", language)) return;
  at("languages").setAttribute("aria-label", said.language);
  at("languages").replaceChildren(
    ...languages.map((one) => {
      const button = make("button", "language", one.name);
      button.lang = one.tag;
      button.setAttribute("aria-pressed", String(one.code === language));
      return pressable(button, () => speak(one.code));
    }),
  );
}

// -- touches ----------------------------------------------------------------------------------

function touched(touch) {
  if (touch.act === undefined) return open(touch.open);
  open(null);
  const { action, bin } = touch.act;
  act(action, bin === null ? {} : { bin });
}

function speak(code) {
  language = code;
  clearTimeout(languageTimer);
  languageTimer = setTimeout(() => {
    if (view === null || view.phase === "waiting") speak(setup.language);
  }, LANGUAGE_MS);
  if (code === setup.language) clearTimeout(languageTimer);
  draw();
}

/** Opens what a touch asked for, or closes it (null). */
function open(what) {
  opened = what;
  untouched();
  draw();
}

/** What is open closes when nobody has touched it for a while. */
function untouched() {
  clearTimeout(openedTimer);
  if (opened !== null) openedTimer = setTimeout(() => open(null), UNTOUCHED_MS);
}

document.addEventListener("pointerdown", untouched);

/** Tells the station of a touch, after those before it: the station takes one at a time. {ok, status, value}:
 * its answer; status 0 where the line is down, 429 where its turn did not come while it meant something. */
function act(action, fields = {}) {
  const until = performance.now() + BUSY_MS;
  lastTouch = lastTouch.then(() => inTime(until, action, fields));
  return lastTouch;
}

async function inTime(until, action, fields) {
  while (performance.now() < until) {
    const answer = await send(action, fields);
    if (answer.status !== 429) return answer;
    await new Promise((done) => setTimeout(done, BUSY_AGAIN_MS)); // another page's touch is on its way
  }
  return { ok: false, status: 429, value: { code: "touch_busy" } };
}

async function send(action, fields) {
  try {
    const answer = await fetch("/act", {
      method: "POST",
      headers: { "content-type": "application/json", "x-kiosk-token": token },
      body: JSON.stringify({ action, ...fields }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const json = answer.headers.get("content-type")?.startsWith("application/json");
    return { ok: answer.ok, status: answer.status, value: json ? await answer.json() : null };
  } catch {
    return { ok: false, status: 0, value: null }; // the page already says so
  }
}

// -- the line to the station ------------------------------------------------------------------

function listen() {
  events?.close();
  events = new EventSource(`/events?page=${token}`);
  heardMs = performance.now();
  events.onmessage = (message) => {
    heardMs = performance.now();
    if (!message.lastEventId.startsWith(`${run}-`)) {
      location.reload(); // the station started anew: this page's words and token are old
      return;
    }
    clearTimeout(lostTimer);
    lostTimer = 0;
    const wasConnected = connected;
    connected = true;
    receive(JSON.parse(message.data), wasConnected);
  };
  for (const name of ASIDES) {
    events.addEventListener(name, (message) => {
      heardMs = performance.now();
      for (const part of Object.values(PARTS)) part.heard(name, JSON.parse(message.data));
      draw();
    });
  }
  events.onerror = () => {
    lose();
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
  };
}

function lose() {
  if (lostTimer !== 0) return;
  lostTimer = setTimeout(() => {
    connected = false;
    opened = null;
    draw();
  }, LOST_MS);
}

function receive(newest, wasConnected) {
  const before = wasConnected ? view : null;
  view = newest;
  const tone = setup.tones ? sound.toneOf(view, before) : null;
  if (tone !== null) sound.play(tone);
  const known = met.filter((mark) => view.greetings.includes(mark));
  met = view.phase === "greeting" ? [...view.greetings] : known;
  if (before !== null && before.phase !== view.phase && view.phase === "waiting") speak(setup.language);
  if (opened !== null && before !== null && cameBetween(before)) open(null);
  draw();
}

/** Whether somebody came: a card was seen or a bin moves, and what a touch opened gives way. */
function cameBetween(before) {
  if (view.checkins !== before.checkins || view.refusals !== before.refusals) return true;
  return before.phase !== view.phase && view.phase !== "waiting" && !isItsBag();
}

/** Whether what moves is the bag whose change stands on the page in pictures: they are read to the end. */
function isItsBag() {
  return opened.step === "bag" && view.bin === opened.bin && view.visits_open === 0;
}

setInterval(() => {
  if (performance.now() - heardMs < SILENT_MS) return;
  lose();
  listen();
}, AGAIN_MS);

draw();
listen();
