// The town behind the station: what becomes of the things, what it paid for, what is on next. The station
// tells all of it in one value; here it becomes cards, one at a time in the strip under the bins, and large
// when one is touched. What nobody knows is a dash, never a nought.

import { inTown, summed } from "/words.js";

const CARD_MS = 12000; // long enough to read the longest card twice
const SOURCE_LETTERS = 48; // of a CO2 source that no words for residents stand beside
const ROWS = 3; // of a page with a list
const WHOLE_G = 100000; // from here on nobody reads a decimal
const UNKNOWN = "—";
const DAY = { weekday: "short", month: "long", day: "numeric", timeZone: "UTC" };

let told = null;
let card = 0; // in the strip
let turning = 0;
let dropped = null; // the item that was recorded last: after the thanks its card comes first

/** Draws into #town. `context.room` is "panel" (a strip under the bins), "whole" (a touch opened it) or "none".
 * True where there is something to show. */
export function draw(context) {
  const cards = told === null ? [] : cardsOf(context);
  remember(context, cards);
  turn(context, cards.length);
  if (context.room === "none" || cards.length === 0) return false;
  const town = document.getElementById("town");
  const number = (context.room === "whole" ? context.opened.card : card) % cards.length;
  const shown = cards[number];
  if (context.changed("shown", [context.room, context.language, number, cards.length, shown])) {
    const drawn = context.room === "whole" ? pageOf(context, shown, number, cards.length) : stripOf(context, shown, number);
    town.replaceChildren(drawn);
  }
  return true;
}

/** A named event beside the views. */
export function heard(name, value) {
  if (name === "town") told = value;
}

/** Who has just dropped something sees what becomes of it. */
function remember(context, cards) {
  const { view, setup, room } = context;
  if (view?.phase === "recorded" && view.bin !== null) dropped = setup.bins[view.bin].item;
  if (room !== "panel" || dropped === null) return;
  card = Math.max(0, cards.findIndex((one) => one.item === dropped));
  dropped = null;
}

/** Another card after a while, for as long as the strip is there. */
function turn(context, count) {
  if (context.room !== "panel" || count < 2) {
    clearTimeout(turning);
    turning = 0;
  } else if (turning === 0) {
    turning = setTimeout(() => {
      turning = 0;
      card = (card + 1) % count;
      context.redraw();
    }, CARD_MS);
  }
}

// -- cards ------------------------------------------------------------------------------------

/** What there is to show: {picture, title, lines} for the strip, and more for the large page. */
function cardsOf(context) {
  return [
    ...told.notices.map((words) => noticeCard(context, words)),
    ...listed(told.happenings, (several) => happeningsCard(context, several)),
    ...listed(told.helpers, (several) => helpersCard(context, several)),
    ...told.items.map((item) => itemCard(context, item)),
    ...listed(told.bought, (several) => boughtCard(context, several)),
    ...(told.co2 === null ? [] : [co2Card(context)]),
    ...listed(told.shelf, (several) => shelfCard(context, several)),
    ...context.extra,
  ];
}

/** A card for every `ROWS` of a list. */
function listed(several, made) {
  const found = [];
  for (let first = 0; first < several.length; first += ROWS) found.push(made(several.slice(first, first + ROWS)));
  return found;
}

function noticeCard(context, words) {
  return { picture: "bell", title: context.said.notice, lines: [spoken(context, words)] };
}

function helpersCard(context, several) {
  return { picture: "hands", title: context.said.helpers, lines: [several.join(context.said.between)] };
}

function happeningsCard(context, several) {
  const rows = several.map((one) => ({
    label: [dayOf(context, one), one.time ?? ""].join(" ").trim(),
    text: spoken(context, one.words),
  }));
  const [first] = rows;
  return { picture: "calendar", title: context.said.happening, lines: [first.label, first.text], rows };
}

function boughtCard(context, several) {
  const rows = several.map((one) => ({
    picture: one.picture,
    text: context.filled(context.said.bought, { what: spoken(context, one.words) }),
  }));
  return { picture: several[0].picture, title: context.said.sales, lines: [rows[0].text], rows };
}

function shelfCard(context, several) {
  const rows = several.map((one) => ({ picture: one.picture, text: spoken(context, one.words) }));
  return { picture: "reuse", title: context.said.shelf, lines: [rows[0].text], rows };
}

function co2Card(context) {
  const { said, filled } = context;
  const { co2 } = told;
  const counted = told.items.filter((item) => item.co2 !== null).sort((a, b) => b.co2.g - a.co2.g);
  const rows = counted.slice(0, ROWS).map((item) => ({
    label: filled(said.weight_of, { item: nameOf(context, item.item), kg: weight(item.co2.g) }),
    text: graded(context, item.co2),
  }));
  const over = filled(said.co2_over, { items: String(co2.items), of: String(co2.of) });
  return {
    picture: "cloud",
    title: filled(said.co2, { kg: weight(co2.g) }),
    lines: [over, co2.grades.map((grade) => gradeOf(context, grade)).join(said.between)],
    big: over,
    rows,
    note: said.co2_means,
  };
}

function itemCard(context, item) {
  const { said, filled } = context;
  const ever = amount(context, item.ever);
  const figures = [
    [said.today, amount(context, item.today)],
    [said.month, amount(context, item.month)],
    [said.ever, ever],
  ];
  if (item.stored !== null) figures.push([said.stored, bags(context, item.stored)]);
  if (item.sold !== null) {
    figures.push([said.sold, filled(said.kg, { kg: weight(item.sold.g) })]);
    figures.push([said.paid, filled(said.yen, { yen: item.sold.yen.toLocaleString("en-US") })]);
  }
  return {
    item: item.item,
    from: context.pictureOf(item.item),
    picture: item.picture,
    title: nameOf(context, item.item),
    lines: item.becomes === null ? [] : [spoken(context, item.becomes)],
    amount: item.ever === null ? "" : `${said.ever} ${ever}`,
    figures,
    co2: item.co2 === null ? [said.co2_unknown] : [filled(said.co2, { kg: weight(item.co2.g) }), graded(context, item.co2)],
    note: said.about,
  };
}

/** Grade and source, always beside the number. */
function graded(context, co2) {
  const { said, filled } = context;
  const year = co2.year === null ? "" : ` (${co2.year})`;
  return filled(said.co2_source, { grade: gradeOf(context, co2.grade), source: cited(context, co2) + year });
}

function cited(context, co2) {
  return co2.cite === null ? short(co2.source) : spoken(context, co2.cite);
}

function gradeOf(context, grade) {
  return context.said[`grade_${grade.toLowerCase()}`];
}

// -- words ------------------------------------------------------------------------------------

function spoken(context, words) {
  return inTown(words, context);
}

function nameOf(context, item) {
  return context.setup.items[item][context.language].name.split(/[（(]/)[0].trim();
}

/** Kilograms as rough as their size allows: 0.42, 12.3, 1,235. */
function weight(grams) {
  return summed(grams, grams < 1000 ? 2 : grams < WHOLE_G ? 1 : 0);
}

function amount(context, much) {
  if (much === null) return UNKNOWN;
  const { said, filled } = context;
  const texts = [];
  if (much.g !== null) texts.push(filled(said.kg, { kg: weight(much.g) }));
  if (much.pieces !== null) texts.push(filled(said.pieces, { count: much.pieces.toLocaleString("en-US") }));
  if (much.ml !== null) texts.push(filled(said.litres, { litres: (much.ml / 1000).toFixed(1) }));
  return texts.join(" ");
}

function bags(context, some) {
  const { said, filled } = context;
  const counted = filled(some.bags === 1 ? said.bag : said.bags, { count: some.bags.toLocaleString("en-US") });
  return some.g === null ? counted : `${counted} ${filled(said.kg, { kg: weight(some.g) })}`;
}

function dayOf(context, one) {
  if (one.days === 0) return context.said.today;
  return new Intl.DateTimeFormat(document.documentElement.lang, DAY).format(new Date(`${one.when}T00:00:00Z`));
}

/** Who says so; what they reckoned, and the rest of it, stands in the catalogue. */
function short(whole) {
  const [source] = whole.split(":");
  if (source.length <= SOURCE_LETTERS) return source;
  const cut = source.slice(0, SOURCE_LETTERS);
  return `${cut.slice(0, Math.max(cut.lastIndexOf(" "), 1)).replace(/[\s/:;,(]+$/, "")}…`;
}

// -- drawing ----------------------------------------------------------------------------------

/** The strip: all of it may be touched. */
function stripOf(context, shown, number) {
  const { make } = context;
  const strip = make("button", "strip");
  const text = make("span", "text");
  text.append(make("span", "title", shown.title));
  const line = make("span", "line");
  for (const words of shown.lines) line.append(make("span", "", words));
  if (shown.amount) line.append(make("span", "amount", shown.amount));
  text.append(line);
  strip.append(picturesOf(context, shown), text);
  return context.pressable(strip, () => context.open(shown.opens ?? { card: number }));
}

/** The large page: what the card says, and everything beside it. */
function pageOf(context, shown, number, count) {
  const { make, words, said } = context;
  const page = make("div", "page");
  const head = make("div", "head");
  head.append(picturesOf(context, shown), make("h1", "", shown.title));
  page.append(head);
  const big = shown.big ?? (shown.rows ? "" : shown.lines.join("\n"));
  if (big !== "") head.append(make("p", "big", big));
  if (shown.figures) page.append(figuresOf(context, shown.figures));
  if (shown.rows) page.append(rowsOf(context, shown.rows));
  if (shown.co2) {
    const co2 = make("p", "co2");
    co2.append(...shown.co2.map((words, index) => make("span", index === 0 ? "saved" : "", words)));
    page.append(co2);
  }
  const touches = make("div", "touches");
  touches.append(touch(context, words.back, null), make("p", "note", shown.note ?? ""));
  if (count > 1) touches.append(touch(context, said.next, { card: (number + 1) % count }));
  page.append(touches);
  return page;
}

function picturesOf(context, shown) {
  const { make, svgUse } = context;
  const pictures = make("span", "pictures");
  if (shown.from) pictures.append(svgUse(shown.from), svgUse("becomes"));
  pictures.append(svgUse(shown.picture));
  return pictures;
}

function figuresOf(context, figures) {
  const { make } = context;
  const list = make("dl", "figures");
  for (const [label, value] of figures) {
    const figure = make("div", "");
    figure.append(make("dt", "", label), make("dd", "", value));
    list.append(figure);
  }
  return list;
}

function rowsOf(context, rows) {
  const { make, svgUse } = context;
  const list = make("ul", rows.length === 1 ? "rows single" : "rows");
  for (const row of rows) {
    const line = make("li", "");
    if (row.picture) line.append(svgUse(row.picture));
    const text = make("div", "");
    if (row.label) text.append(make("p", "label", row.label));
    text.append(make("p", "", row.text));
    line.append(text);
    list.append(line);
  }
  return list;
}

function touch(context, label, what) {
  const button = context.make("button", what === null ? "action" : "action first", label);
  return context.pressable(button, () => context.open(what));
}
