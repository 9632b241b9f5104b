// Draws a scene: the moment with its words and digits, the bins, and what may be touched.

import { at, changed, drawText, forget, inSentences, make, pressable, svgUse, tell } from "/drawing.js";
import { BADGES, inLanguage, pictureOf } from "/scenes.js";
import { filled, kilograms, parts, shows } from "/words.js";

const UNKNOWN = "・・・"; // a weight that is not known yet

/** `touched` hears a touch of the scene ({act} or {open}). */
export function drawMoment(scene, now, touched) {
  drawPictures(scene, now.said);
  drawText("item", scene.item ?? "");
  drawSentence(scene, now);
  drawLive(scene);
  drawShown("steps", scene.steps ?? [], "li");
  drawShown("hazards", scene.hazards ?? [], "p");
  drawMore(scene.more ?? [], now);
  drawBins(scene.tiles === true, now, touched);
  drawTouches("newcomer", scene.newcomer ?? [], now, touched);
  drawTouches("actions", scene.buttons ?? [], now, touched);
}

/** The moment's pictures with a sign at their corner, and the numbers of whose turn it is and who came. */
function drawPictures({ pictures, sign = null, mark = null, greeted = [] }, said) {
  const place = at("pictures");
  if (changed("pictures", [pictures, sign])) {
    place.dataset.count = String(pictures.length);
    place.replaceChildren(...pictures.map(svgUse));
    if (sign !== null) {
      const badge = svgUse(sign);
      badge.classList.add("sign-badge");
      place.append(badge);
    }
  }
  document.body.classList.toggle("marked", mark !== null);
  if (changed("turn", [said.turn, mark])) {
    at("turn").hidden = mark === null;
    at("turn").replaceChildren(make("span", "mark", String(mark)), make("span", "", said.turn));
  }
  if (!changed("greeted", [said.hello, greeted])) return;
  at("greeted").hidden = greeted.length === 0;
  at("greeted").replaceChildren(
    ...greeted.map((one) => {
      const chip = make("span", "chip");
      chip.append(one === null ? svgUse("hello") : make("span", "mark", String(one)), make("span", "", said.hello));
      return chip;
    }),
  );
}

/** Pictures with their words. */
function drawShown(place, shown, tag) {
  if (!changed(place, shown)) return;
  at(place).hidden = shown.length === 0;
  at(place).replaceChildren(
    ...shown.map(({ picture, words }) => {
      const element = make(tag, "");
      element.append(svgUse(picture), tell("span", "", words));
      return element;
    }),
  );
}

function weightElement(text) {
  const weight = make("span", "weight");
  weight.append(make("span", "number", text), make("span", "unit", " kg"));
  return weight;
}

function drawSentence(scene, now) {
  const pieces = parts(scene.template, scene.values ?? {});
  document.body.classList.toggle("weighed", pieces.some((part) => part.kind === "weight"));
  if (!changed("sentence", [now.language, scene.name, pieces])) return;
  at("sentence").replaceChildren(...inSentences(pieces, (part) => pieceElement(part, now)));
  const exact = pieces.some((part) => part.kind === "weight") && !pieces.some((part) => part.kind === "estimate");
  at("sentence").classList.toggle("exact", exact);
  if (exact) at("sentence").querySelector(":not(.weight) + .weight")?.before(make("br"));
}

function pieceElement({ kind, text }, { setup, tags }) {
  if (kind === "text") return document.createTextNode(text);
  if (kind === "weight") return weightElement(text);
  if (kind === "line") return make("br");
  const span = make("span", kind, text);
  if (kind === "contact") span.lang = tags[setup.language]; // a name is nobody's translation
  return span;
}

/** The weight in motion: drawn, not read out. */
function drawLive(scene) {
  const weighing = scene.live !== undefined;
  const text = weighing && shows(scene.live) ? kilograms(scene.live) : UNKNOWN;
  if (!changed("live", [weighing, text])) return;
  at("live").hidden = !weighing;
  at("live").replaceChildren(text === UNKNOWN ? make("span", "unknown", text) : weightElement(text));
}

function drawMore(more, now) {
  if (!changed("more", [now.language, more])) return;
  at("more").hidden = more.length === 0;
  at("more").replaceChildren(
    ...more.map((line) => {
      if (typeof line === "string") return tell("p", "", line);
      const p = line.template ? make("p", "") : tell("p", line.kind, line.text);
      if (line.tag) p.lang = line.tag;
      if (line.template) p.append(...parts(line.template, line.values).map((part) => pieceElement(part, now)));
      return p;
    }),
  );
}

function drawTouches(place, touches, { view, language, opened }, touched) {
  if (!changed(place, [language, view?.bin, opened, touches])) return;
  at(place).hidden = touches.length === 0;
  at(place).replaceChildren(
    ...touches.map((one) => {
      const button = make("button", `action ${one.kind}`);
      if (one.icon !== null) button.append(svgUse(one.icon));
      button.append(make("span", "", one.label));
      return pressable(button, () => touched(one));
    }),
  );
}

function drawBins(shown, now, touched) {
  const { view, setup, language, said } = now;
  at("bins").hidden = !shown;
  if (!shown) return;
  const bins = at("bins");
  bins.setAttribute("aria-label", said.bins);
  if (changed("bins", [language, view.bins.map((bin) => bin.bin)])) {
    bins.dataset.many = view.bins.length > 8 ? "many" : view.bins.length > 4 ? "some" : "few";
    bins.style.setProperty("--wide", columns(view.bins.length, false));
    bins.style.setProperty("--tall", columns(view.bins.length, true));
    bins.replaceChildren(...view.bins.map((bin) => make("li", "")));
    view.bins.forEach((bin) => forget(`bin ${bin.bin}`));
  }
  view.bins.forEach((bin, index) => {
    const state = bin.locked ? "locked" : bin.state;
    const model = { ...bin, state, live_g: null };
    if (!changed(`bin ${bin.bin}`, model)) return;
    const button = tile(model, now);
    bins.children[index].replaceChildren(
      pressable(button, () => touched({ open: { bin: bin.bin, step: "bin" } })),
    );
  });
}

/** How many bins side by side: in one row as they stand if that can be, and so that the last row is no orphan. */
function columns(count, turned) {
  let most = turned ? 2 : 4;
  if (turned && count > 4) most = 3;
  if (!turned && count > 4) most = count > 10 ? 5 : Math.ceil(count / 2);
  return String(Math.min(count, most));
}

function tile(bin, now) {
  const { setup, said, pictures } = now;
  const button = make("button", "tile");
  button.dataset.state = bin.state;
  const name = make("span", "name");
  for (const line of inLanguage(setup.items[bin.item], now).short) name.append(make("span", "", line));
  button.append(svgUse(pictureOf(bin.item, pictures)), name);
  if (setup.bins[bin.bin].hazards.length > 0) {
    const heed = svgUse("care");
    heed.classList.add("heed");
    button.append(heed);
  }
  const badge = BADGES[bin.state];
  if (badge) button.append(badgeElement(said[badge.words], badge.picture));
  else if (bin.fill_pct !== null) button.append(gauge(bin.fill_pct, said));
  return button;
}

function badgeElement(words, picture) {
  const badge = make("span", "badge");
  badge.append(svgUse(picture), make("span", "", words));
  return badge;
}

/** How full: a bar with its number beside it. */
function gauge(percent, said) {
  const full = Math.max(0, Math.min(100, percent));
  const row = make("span", "gauge");
  const bar = make("span", "bar");
  const level = make("span", "level");
  level.style.width = `${full}%`;
  bar.append(level);
  row.append(bar, make("span", "percent", filled(said.fill, { percent: String(full) })));
  return row;
}
