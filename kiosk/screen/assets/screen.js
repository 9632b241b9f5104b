// Draws what the station says. It decides nothing: a view comes in, a scene is made of it, and only
// what changed is touched. Text goes in as text, never as markup.

import { filled, kilograms, parts, shows } from "/words.js";

const LOST_MS = 1500; // so long a silence of the line is not worth a word
const SILENT_MS = 10000; // the station repeats its view every 2 s
const AGAIN_MS = 2000;
const UNTOUCHED_MS = 30000; // what a touch opened closes by itself; nothing is lost by it
const LANGUAGE_MS = 60000;
const NAME_HALVES = 24; // half-width letters of an item's name that fit beside the digits
const PRESSED_MS = 800; // one finger, one touch
const UNKNOWN = "・・・"; // a weight that is not known yet
const BADGES = {
  away: "away",
  starting: "starting",
  full: "full_short",
  overload: "full_short",
  trouble: "trouble_short",
  question: "question_short",
};

const { run, setup, languages, pictures } = JSON.parse(at("setup").textContent);
const token = document.querySelector("meta[name=kiosk-token]").content;

let view = null;
let language = setup.language;
let opened = null; // {bin, step}: what a touch on a bin opened
let connected = false;
let events = null;
let heard = 0;
let lostTimer = 0;
let openedTimer = 0;
let languageTimer = 0;

function at(id) {
  return document.getElementById(id);
}

// -- scenes -----------------------------------------------------------------------------------

function words() {
  return languages.find((one) => one.code === language).words;
}

function pictureOf(item) {
  return pictures[item] ?? "other";
}

/** An item's name on one line; a long one without what stands in brackets. */
function nameOf(item) {
  const { name } = setup.items[item][language];
  const halves = [...name].reduce((sum, letter) => sum + (letter < "\u0100" ? 1 : 2), 0);
  return halves <= NAME_HALVES ? name : name.split(/[（(]/)[0].trim();
}

function overflowOf(bin) {
  return setup.bins[bin].overflow[language];
}

function binOf(bin) {
  return view.bins.find((one) => one.bin === bin);
}

function stateOf(bin) {
  return binOf(bin)?.state ?? "ready";
}

/** What the city or a caretaker wrote, in this language or the next best. */
function written(texts) {
  if (texts === null) return "";
  return texts[language] ?? texts.ja ?? texts.easy ?? Object.values(texts)[0] ?? "";
}

/** One calm sentence for a bin that is not as usual, or "". */
function troubleOf(bin) {
  const said = words();
  if (binOf(bin)?.locked) return filled(said.locked, { overflow: overflowOf(bin) });
  switch (stateOf(bin)) {
    case "full":
    case "overload":
      return filled(said.full, { overflow: overflowOf(bin) });
    case "trouble":
      return said.trouble;
    case "away":
      return said.away_long;
    case "starting":
      return said.starting_long;
    default:
      return "";
  }
}

function contactLine() {
  return filled(words().contact, { contact: setup.contact });
}

function estimate() {
  return view.estimate ? words().estimate : "";
}

function touch(label, action, bin = null, kind = "plain") {
  return { label, kind, press: () => act(action, bin) };
}

function sceneOf() {
  if (!connected || view === null) {
    return { name: "reconnecting", tone: "calm", picture: "clock", template: words().reconnecting };
  }
  if (view.here) {
    return { name: "here", tone: "glad", picture: "hello", template: words().here, more: [setup.station] };
  }
  if (opened !== null) return openedScene();
  const scene = { name: view.phase, values: {}, more: [], buttons: [], ...phaseScene() };
  if (view.awaiting !== null) {
    scene.tone = view.awaiting === "close" ? "care" : scene.tone;
    scene.template = awaited();
    scene.picture = "card";
    scene.buttons = [];
    scene.more = [];
  } else if (view.claiming) {
    scene.template = words().claiming;
    scene.picture = "card";
  } else if (view.can_claim) {
    scene.buttons.push(touch(words().claim, "claim", null, "first"));
  }
  const leaving = ["recorded", "small", "taken_out", "thanks", "no_card"];
  if (view.visits_open > 0 && leaving.includes(view.phase)) {
    scene.buttons.push(touch(words().goodbye, "goodbye"));
  }
  if (scene.tiles && scene.buttons.length > 0) scene.more = []; // room for the touch
  const first = view.phase === "waiting"; // what may be touched before a card is shown
  scene.newcomer = first && view.can_begin ? [touch(words().begin, "begin_card")] : [];
  if (first && view.can_ask) scene.newcomer.push(touch(words().balance_touch, "balance"));
  if (scene.newcomer.length > 0 && view.bins.length > 8) scene.more = []; // a bin's own trouble stands on its tile
  if (view.storage_trouble) {
    scene.tone = "care";
    scene.more = [words().storage, contactLine()];
  }
  return scene;
}

/** What the next card or slip is shown for. */
function awaited() {
  const said = words();
  switch (view.awaiting) {
    case "begin":
      return said.begin_show;
    case "balance":
      return said.balance_show;
    case "slip":
      return said.slip_show;
    case "replace":
      return said.replace_show;
    default:
      return said.close_show;
  }
}

function phaseScene() {
  const said = words();
  const item = view.bin === null ? null : setup.bins[view.bin].item;
  const picture = item === null ? "other" : pictureOf(item);
  switch (view.phase) {
    case "waiting":
      if (!view.cards_readable) {
        // One thing at a time: a bin's own trouble stands on its tile.
        return { tone: "calm", picture: "hello", template: said.no_reader, tiles: true, more: [contactLine()] };
      }
      return { tone: "calm", picture: "card", template: said.waiting, tiles: true, more: news() };
    case "greeting":
      return { tone: "glad", picture: "hello", template: said.greeting, tiles: true, more: news() };
    case "weighing":
      return {
        tone: "work",
        picture,
        item: filled(said.weighing_item, {
          item: item === null ? "" : nameOf(item),
          estimate: shows(view.live_g) ? estimate() : "",
        }),
        template: said.weighing,
        live: view.live_g,
        more: view.bin === null ? [] : lines(troubleOf(view.bin)),
      };
    case "recorded":
      return {
        tone: "glad",
        picture,
        template: said.recorded,
        values: {
          item: item === null ? "" : nameOf(item),
          weight: shows(view.net_g) ? kilograms(view.net_g) : "",
          estimate: shows(view.net_g) ? estimate() : "",
        },
        more: view.bin === null ? [] : lines(troubleOf(view.bin)),
      };
    case "small":
      return { tone: "glad", picture: "feather", template: said.small };
    case "taken_out":
      return { tone: "calm", picture: "back", template: said.taken_out };
    case "thanks":
      return { tone: "glad", picture: "heart", ...thanks() };
    case "no_card": {
      const weighed = shows(view.visit_g) && view.visit_g > 0;
      return {
        tone: "glad",
        picture: "heart",
        template: weighed ? `{weight}{estimate}\n${said.no_card}` : said.no_card,
        values: { weight: weighed ? kilograms(view.visit_g, true) : "", estimate: estimate() },
      };
    }
    case "refused":
      return {
        tone: "care",
        picture: "card",
        template: said.refused,
        values: { contact: setup.contact },
      };
    case "spare":
      return {
        tone: "calm",
        picture: "card",
        template: view.can_begin ? said.spare : said.spare_ask,
        more: view.can_begin ? [] : [contactLine()],
        buttons: view.can_begin ? [touch(said.begin, "begin_card", null, "first")] : [],
      };
    case "balance_asked":
      return { tone: "calm", picture: "clock", template: said.balance_asked };
    case "balance":
      return { tone: "glad", picture: "heart", template: said.balance, values: { points: String(view.balance) } };
    case "balance_unknown":
      return { tone: "calm", picture: "clock", template: said.balance_unknown };
    case "welcome":
      return { tone: "glad", picture: "hello", template: said.welcome };
    case "stopped":
      return { tone: "care", picture: "card", template: said.stopped, more: [contactLine()] };
    case "bag_question":
      return {
        tone: "care",
        picture: "other",
        item: item === null ? "" : nameOf(item),
        template: said.bag_question,
        buttons: [
          touch(said.yes_new_bag, "bag_swap", view.bin, "first"),
          touch(said.no_same_bag, "indicator_zeroed", view.bin),
        ],
        more: [contactLine()],
      };
    default:
      return { tone: "calm", picture: "door", template: said.closed, more: closedNews() };
  }
}

/** Why it is closed, and whom to ask. */
function closedNews() {
  return [written(view.closed), written(view.message), contactLine()].filter((line) => line !== "");
}

function lines(sentence) {
  return sentence === "" ? [] : [sentence, contactLine()];
}

/** On the first page: the one thing to know about the bins, and whom to ask. */
function news() {
  if (view.closed !== null) return [words().closed_card];
  const message = written(view.message);
  if (message !== "" && view.phase === "waiting") return [message]; // a bin's own trouble stands on its tile
  const locked = view.bins.find((one) => one.locked);
  if (locked) {
    return [filled(words().news, { item: nameOf(locked.item), words: troubleOf(locked.bin) }), contactLine()];
  }
  for (const state of ["trouble", "full"]) {
    const bin = view.bins.find((one) => one.state === state);
    if (bin) {
      const said = filled(words().news, { item: nameOf(bin.item), words: troubleOf(bin.bin) });
      return [said, contactLine()];
    }
  }
  return [];
}

function thanks() {
  const said = words();
  const some = view.points === 1 ? said.points_one : said.points_many;
  const points = view.points ? filled(some, { points: String(view.points) }) : "";
  const full = view.points_limited ? [said.points_full] : [];
  if (!shows(view.visit_g) || view.visit_g < 0) {
    return { template: said.thanks_plain, more: points ? [points, ...full] : full };
  }
  return {
    template: points ? said.thanks_points : said.thanks,
    values: { weight: kilograms(view.visit_g, true), estimate: estimate(), points },
    more: full,
  };
}

/** What a touch on a bin opened. */
function openedScene() {
  const said = words();
  const { bin, step } = opened;
  const item = setup.bins[bin].item;
  const back = { label: said.back, kind: "plain", press: () => open(null) };
  const scene = {
    name: `opened-${step}`,
    tone: "calm",
    picture: pictureOf(item),
    item: setup.items[item][language].name,
    values: {},
    more: [],
  };
  if (step === "bag") {
    const done = touch(said.bag_done, "bag_swap", bin, "first");
    return { ...scene, picture: "other", template: said.bag_steps, buttons: [done, back] };
  }
  if (step === "call") {
    return { ...scene, picture: "phone", template: said.call_words, more: [setup.contact], buttons: [back] };
  }
  const trouble = troubleOf(bin);
  const state = stateOf(bin);
  const buttons = [];
  if (binOf(bin)?.counted) {
    // A full bin's pieces go to its overflow place, and count all the same.
    buttons.push(touch(said.count, "count", bin, state === "full" ? "plain" : "first"));
  }
  if (state === "full") {
    buttons.push({ label: said.bag_swap, kind: "first", press: () => open({ bin, step: "bag" }) });
  } else if (state !== "away" && state !== "overload" && !binOf(bin)?.locked) {
    buttons.push(touch(said.is_full, "full", bin));
  }
  if (trouble !== "") {
    buttons.push({ label: said.call, kind: "plain", press: () => open({ bin, step: "call" }) });
  }
  return {
    ...scene,
    tone: trouble === "" ? "calm" : "care",
    template: trouble || said.ready_long,
    more: trouble === "" ? [] : [contactLine()],
    buttons: [...buttons, back],
  };
}

// -- drawing ----------------------------------------------------------------------------------

const drawn = new Map(); // element id -> what it shows, so that only changes are touched

function changed(id, value) {
  const shown = JSON.stringify(value);
  if (drawn.get(id) === shown) return false;
  drawn.set(id, shown);
  return true;
}

function make(tag, name, text = "") {
  const element = document.createElement(tag);
  if (name) element.className = name;
  if (text) element.textContent = text;
  return element;
}

function svgUse(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "picture");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

function weightElement(text) {
  const weight = make("span", "weight");
  weight.append(make("span", "number", text), make("span", "unit", " kg"));
  return weight;
}

function draw() {
  const scene = sceneOf();
  const tag = languages.find((one) => one.code === language).tag;
  document.documentElement.lang = tag;
  document.body.dataset.language = language;
  document.body.dataset.scene = scene.name;
  document.body.dataset.tone = scene.tone;
  if (changed("picture", scene.picture)) {
    at("picture").firstElementChild.setAttribute("href", `#${scene.picture}`);
  }
  drawText("item", scene.item ?? "");
  drawSentence(scene);
  drawLive(scene);
  drawMore(scene.more ?? []);
  drawBins(scene.tiles === true);
  drawButtons("newcomer", scene.newcomer ?? []);
  drawButtons("actions", scene.buttons ?? []);
  drawFooter();
}

function drawText(id, text) {
  if (!changed(id, text)) return;
  at(id).textContent = text;
  at(id).hidden = text === "";
}

function drawSentence(scene) {
  const pieces = parts(scene.template, scene.values ?? {});
  document.body.classList.toggle("weighed", pieces.some((part) => part.kind === "weight"));
  if (!changed("sentence", [language, scene.name, pieces])) return;
  at("sentence").replaceChildren(
    ...pieces.map((part) => {
      if (part.kind === "weight") return weightElement(part.text);
      if (part.kind === "line") return make("br");
      return make("span", part.kind, part.text);
    }),
  );
}

/** The weight in motion: drawn, not read out. */
function drawLive(scene) {
  const weighing = scene.live !== undefined;
  const text = weighing && shows(scene.live) ? kilograms(scene.live) : UNKNOWN;
  if (!changed("live", [weighing, text])) return;
  at("live").hidden = !weighing;
  at("live").replaceChildren(
    text === UNKNOWN ? make("span", "unknown", text) : weightElement(text),
  );
}

function drawMore(more) {
  if (!changed("more", more)) return;
  at("more").hidden = more.length === 0;
  at("more").replaceChildren(...more.map((line) => make("p", "", line)));
}

function drawBins(shown) {
  at("bins").hidden = !shown;
  if (!shown) return;
  const said = words();
  const bins = at("bins");
  bins.setAttribute("aria-label", said.bins);
  if (changed("bins", [language, view.bins.map((bin) => bin.bin)])) {
    bins.dataset.many = view.bins.length > 8 ? "many" : view.bins.length > 4 ? "some" : "few";
    bins.style.setProperty("--wide", columns(view.bins.length, false));
    bins.style.setProperty("--tall", columns(view.bins.length, true));
    bins.replaceChildren(...view.bins.map((bin) => make("li", "")));
    view.bins.forEach((bin) => drawn.delete(`bin ${bin.bin}`));
  }
  view.bins.forEach((bin, index) => {
    const badge = bin.locked ? said.locked_short : said[BADGES[bin.state]];
    const state = bin.locked ? "locked" : bin.state;
    const model = { ...bin, state, live_g: null, badge: badge ?? "" };
    if (changed(`bin ${bin.bin}`, model)) bins.children[index].replaceChildren(tile(model));
  });
}

/** How many bins side by side, so that the last row is no orphan. */
function columns(count, turned) {
  let most = turned ? 2 : count;
  if (turned && count > 8) most = 3;
  if (!turned && count > 3) most = count > 10 ? 5 : Math.ceil(count / 2);
  return String(Math.min(count, most));
}

function tile(bin) {
  const button = make("button", "tile");
  button.type = "button";
  button.dataset.state = bin.state;
  button.addEventListener("click", () => open({ bin: bin.bin, step: "bin" }));
  const name = make("span", "name");
  for (const line of setup.items[bin.item][language].short) name.append(make("span", "", line));
  button.append(svgUse(pictureOf(bin.item)), name);
  if (bin.badge) button.append(make("span", "badge", bin.badge));
  else if (bin.fill_pct !== null) button.append(gauge(bin.fill_pct));
  return button;
}

/** How full: a bar with its number beside it. */
function gauge(percent) {
  const full = Math.max(0, Math.min(100, percent));
  const row = make("span", "gauge");
  const bar = make("span", "bar");
  const level = make("span", "level");
  level.style.width = `${full}%`;
  bar.append(level);
  row.append(bar, make("span", "percent", filled(words().fill, { percent: String(full) })));
  return row;
}

function drawButtons(place, buttons) {
  if (!changed(place, [language, view?.bin, opened, buttons.map((one) => [one.label, one.kind])])) return;
  at(place).hidden = buttons.length === 0;
  at(place).replaceChildren(
    ...buttons.map((one) => {
      const button = make("button", `action ${one.kind}`, one.label);
      button.type = "button";
      button.addEventListener("click", () => {
        button.disabled = true;
        setTimeout(() => (button.disabled = false), PRESSED_MS);
        one.press();
      });
      return button;
    }),
  );
}

function drawFooter() {
  const offline = connected && view !== null && !view.online;
  drawText("line", offline ? words().offline : setup.station);
  if (!changed("languages", language)) return;
  at("languages").setAttribute("aria-label", words().language);
  at("languages").replaceChildren(
    ...languages.map((one) => {
      const button = make("button", "language", one.name);
      button.type = "button";
      button.lang = one.tag;
      button.setAttribute("aria-pressed", String(one.code === language));
      button.addEventListener("click", () => speak(one.code));
      return button;
    }),
  );
}

// -- touches ----------------------------------------------------------------------------------

function speak(code) {
  language = code;
  clearTimeout(languageTimer);
  languageTimer = setTimeout(() => {
    if (view === null || view.phase === "waiting") speak(setup.language);
  }, LANGUAGE_MS);
  if (code === setup.language) clearTimeout(languageTimer);
  draw();
}

function open(what) {
  opened = what;
  clearTimeout(openedTimer);
  if (what !== null) openedTimer = setTimeout(() => open(null), UNTOUCHED_MS);
  draw();
}

function act(action, bin) {
  open(null);
  fetch("/act", {
    method: "POST",
    headers: { "content-type": "application/json", "x-kiosk-token": token },
    body: JSON.stringify(bin === null ? { action } : { action, bin }),
  }).catch(() => {}); // the line is down: the page already says so
}

// -- the line to the station ------------------------------------------------------------------

function listen() {
  events?.close();
  events = new EventSource("/events");
  heard = performance.now();
  events.onmessage = (message) => {
    heard = performance.now();
    if (!message.lastEventId.startsWith(`${run}-`)) {
      location.reload(); // the station started anew: this page's words and token are old
      return;
    }
    clearTimeout(lostTimer);
    lostTimer = 0;
    connected = true;
    receive(JSON.parse(message.data));
  };
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

function receive(newest) {
  const before = view?.phase;
  view = newest;
  if (before !== undefined && before !== view.phase) {
    if (view.phase === "waiting") speak(setup.language);
    else if (opened !== null) open(null);
  }
  draw();
}

setInterval(() => {
  if (performance.now() - heard < SILENT_MS) return;
  lose();
  listen();
}, AGAIN_MS);

draw();
listen();
