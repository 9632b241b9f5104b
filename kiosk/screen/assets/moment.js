// Draws a scene: the moment with its words and digits, the bins, and what may be touched.

import { at, changed, drawText, forget, make, pressable, svgUse } from "/drawing.js";
import { pictureOf } from "/scenes.js";
import { filled, kilograms, parts, shows } from "/words.js";

const UNKNOWN = "・・・"; // a weight that is not known yet
const BADGES = {
  away: "away",
  starting: "starting",
  full: "full_short",
  overload: "full_short",
  trouble: "trouble_short",
  question: "question_short",
};

/** `touched` hears a touch of the scene ({act} or {open}). */
export function drawMoment(scene, now, touched) {
  if (changed("picture", scene.picture)) {
    at("picture").firstElementChild.setAttribute("href", `#${scene.picture}`);
  }
  drawText("item", scene.item ?? "");
  drawSentence(scene, now.language);
  drawLive(scene);
  drawMore(scene.more ?? []);
  drawBins(scene.tiles === true, now, touched);
  drawTouches("newcomer", scene.newcomer ?? [], now, touched);
  drawTouches("actions", scene.buttons ?? [], now, touched);
}

function weightElement(text) {
  const weight = make("span", "weight");
  weight.append(make("span", "number", text), make("span", "unit", " kg"));
  return weight;
}

function drawSentence(scene, language) {
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
  at("live").replaceChildren(text === UNKNOWN ? make("span", "unknown", text) : weightElement(text));
}

function drawMore(more) {
  if (!changed("more", more)) return;
  at("more").hidden = more.length === 0;
  at("more").replaceChildren(...more.map((line) => make("p", "", line)));
}

function drawTouches(place, touches, { view, language, opened }, touched) {
  if (!changed(place, [language, view?.bin, opened, touches])) return;
  at(place).hidden = touches.length === 0;
  at(place).replaceChildren(
    ...touches.map((one) => pressable(make("button", `action ${one.kind}`, one.label), () => touched(one))),
  );
}

function drawBins(shown, { view, setup, language, said, pictures }, touched) {
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
    const badge = bin.locked ? said.locked_short : said[BADGES[bin.state]];
    const state = bin.locked ? "locked" : bin.state;
    const model = { ...bin, state, live_g: null, badge: badge ?? "" };
    if (!changed(`bin ${bin.bin}`, model)) return;
    const button = tile(model, setup.items[bin.item][language].short, pictureOf(bin.item, pictures), said);
    bins.children[index].replaceChildren(
      pressable(button, () => touched({ open: { bin: bin.bin, step: "bin" } })),
    );
  });
}

/** How many bins side by side, so that the last row is no orphan. */
function columns(count, turned) {
  let most = turned ? 2 : count;
  if (turned && count > 8) most = 3;
  if (!turned && count > 3) most = count > 10 ? 5 : Math.ceil(count / 2);
  return String(Math.min(count, most));
}

function tile(bin, short, picture, said) {
  const button = make("button", "tile");
  button.dataset.state = bin.state;
  const name = make("span", "name");
  for (const line of short) name.append(make("span", "", line));
  button.append(svgUse(picture), name);
  if (bin.badge) button.append(make("span", "badge", bin.badge));
  else if (bin.fill_pct !== null) button.append(gauge(bin.fill_pct, said));
  return button;
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
