// What a resident sees of a view: a scene, which is words, pictures, and what may be touched. No page is needed to
// make one: `now` is {connected, view, setup, language, tags, said, pictures, opened, met}.
//
// A scene: {name, tone, pictures, sign, mark, greeted, item, template, values, live, steps, hazards, more, tiles,
// newcomer, buttons}. A line of `more` is a sentence, {template, values}, or {text, tag, kind} as somebody wrote it.
// A touch: {label, kind, icon, act: {action, bin}} for the station or {label, kind, icon, open} for the page itself.

import { filled, kilograms, shows } from "/words.js";

const NAME_HALVES = 24; // half-width letters of an item's name that fit beside the digits
const TOLD = ["recorded", "small", "taken_out", "thanks"]; // phases that tell of a visit, not of who stands there
const UNWEIGHED = ["away", "trouble", "starting"]; // while a bin is so, no weight of it is to be waited for
const MOST_HAZARDS = 2; // more at a time would not be read
/** What a bin says that is not as usual. */
export const BADGES = {
  away: { words: "away", picture: "broom" },
  starting: { words: "starting", picture: "clock" },
  full: { words: "full_short", picture: "full" },
  overload: { words: "full_short", picture: "full" },
  trouble: { words: "trouble_short", picture: "put-in" },
  question: { words: "question_short", picture: "bag-on" },
  locked: { words: "locked_short", picture: "stop" },
};

export function sceneOf(now) {
  const { connected, view, setup, said, opened, tags } = now;
  if (!connected || view === null) {
    return { name: "reconnecting", tone: "calm", pictures: ["clock"], template: said.reconnecting };
  }
  if (view.here) {
    const name = { text: setup.station, tag: tags[setup.language] };
    return { name: "here", tone: "glad", pictures: ["hello"], template: said.here, more: [name] };
  }
  if (opened?.bin !== undefined) return openedScene(now);
  const scene = { name: view.phase, values: {}, more: [], buttons: [], ...phaseScene(now), ...turns(now) };
  const inClass = view.classroom?.counting === true; // its weighings are nobody's own
  if (view.awaiting !== null) {
    scene.tone = view.awaiting === "close" ? "care" : scene.tone;
    scene.template = awaited(now);
    scene.pictures = ["show-card"];
    scene.sign = null;
    scene.buttons = [];
    scene.more = [];
  } else if (view.claiming) {
    scene.template = said.claiming;
    scene.pictures = ["show-card"];
    scene.sign = null;
  } else if (view.can_claim && !inClass) {
    scene.buttons.push(touch(said.claim, "claim", null, "first", "person"));
  }
  if (view.can_leave && !inClass) scene.buttons.push(touch(said.goodbye, "goodbye"));
  if (scene.tiles && scene.buttons.length > 0) scene.more = []; // room for the touch
  const first = view.phase === "waiting"; // what may be touched before a card is shown
  scene.newcomer = first && view.can_begin ? [touch(said.begin, "begin_card", null, "plain", "card")] : [];
  if (first && view.can_ask) scene.newcomer.push(touch(said.balance_touch, "balance"));
  if (scene.newcomer.length > 0 && view.bins.length > 8) scene.more = []; // a bin's own trouble stands on its tile
  if (view.storage_trouble) {
    scene.tone = "care";
    scene.more = [said.storage, contactLine(now)];
  }
  return scene;
}

/**
 * Where residents take turns, the mark of whose turn it is, or of whom is told; and the greetings of those whose
 * card was seen while something else filled the screen. Marks are numbers of the moment, never names.
 */
function turns({ view, setup, met }) {
  const takeTurns = setup.crowd === "one_by_one";
  const mark = takeTurns ? (TOLD.includes(view.phase) ? view.shown : view.turn) : null;
  const elsewhere = view.phase !== "waiting" && view.phase !== "greeting";
  const greeted = elsewhere ? view.greetings.filter((one) => one !== mark && !met.includes(one)) : [];
  return { mark, greeted: takeTurns ? greeted : greeted.slice(0, 1).map(() => null) };
}

function touch(label, action, bin = null, kind = "plain", icon = null) {
  return { label, kind, icon, act: { action, bin } };
}

function opener(label, open, icon, kind = "plain") {
  return { label, kind, icon, open };
}

export function pictureOf(item, pictures) {
  return pictures.includes(item) ? item : "other";
}

/** What is said in this language, or in the town's. */
export function inLanguage(texts, { language, setup }) {
  return texts[language] ?? texts[setup.language] ?? texts.ja;
}

/** An item's name on one line; a long one without what stands in brackets. */
function nameOf(item, now) {
  const { name } = inLanguage(now.setup.items[item], now);
  const halves = [...name].reduce((sum, letter) => sum + (letter < "\u0100" ? 1 : 2), 0);
  return halves <= NAME_HALVES ? name : name.split(/[（(]/)[0].trim();
}

function binOf(bin, now) {
  return now.view.bins.find((one) => one.bin === bin);
}

/** What the city or a caretaker wrote, in this language or the next best. */
function written(texts, { language, like, tags }) {
  const code = [language, like, "ja", "easy", ...Object.keys(texts ?? {})].find((one) => texts?.[one]);
  return code === undefined ? [] : [{ text: texts[code], tag: tags[code] ?? code }];
}

/** One calm sentence for a bin that is not as usual, or "". */
function troubleOf(bin, now) {
  const { said, setup } = now;
  const overflow = inLanguage(setup.bins[bin].overflow, now);
  if (binOf(bin, now)?.locked) return filled(said.locked, { overflow });
  switch (binOf(bin, now)?.state) {
    case "full":
    case "overload":
      return filled(said.full, { overflow });
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

function contactLine({ said, setup }) {
  return { template: said.contact, values: { contact: setup.contact } };
}

/** What to heed with what belongs into a bin. */
function hazardsOf(bin, { setup, said }) {
  const codes = setup.bins[bin].hazards.slice(0, MOST_HAZARDS);
  return codes.map((code) => ({ picture: `hazard-${code}`, words: said[`hazard_${code.replaceAll("-", "_")}`] }));
}

function estimate({ view, said }) {
  return view.estimate ? said.estimate : "";
}

/** What the next card or slip is shown for. */
function awaited({ view, said }) {
  switch (view.awaiting) {
    case "begin":
      return said.begin_show;
    case "balance":
      return said.balance_show;
    case "slip":
      return said.slip_show;
    case "replace":
      return said.replace_show;
    case "appoint":
      return said.appoint_show;
    default:
      return said.close_show;
  }
}

function phaseScene(now) {
  const { view, setup, said, pictures } = now;
  const item = view.bin === null ? null : setup.bins[view.bin].item;
  const picture = item === null ? "other" : pictureOf(item, pictures);
  const name = item === null ? "" : nameOf(item, now);
  switch (view.phase) {
    case "waiting":
      return { tone: "calm", tiles: true, ...begin(now) };
    case "greeting":
      return { tone: "glad", pictures: ["hello"], template: said.greeting, tiles: true, more: news(now) };
    case "weighing": {
      const trouble = view.bin === null ? "" : troubleOf(view.bin, now);
      if (view.bin !== null && UNWEIGHED.includes(binOf(view.bin, now)?.state)) {
        return { tone: "work", pictures: [picture], item: name, template: trouble, more: [contactLine(now)] };
      }
      return {
        tone: "work",
        pictures: [picture],
        item: filled(said.weighing_item, { item: name, estimate: shows(view.live_g) ? estimate(now) : "" }),
        template: said.weighing,
        live: view.live_g,
        more: lines(trouble, now),
        hazards: view.bin === null || trouble !== "" ? [] : hazardsOf(view.bin, now), // one thing at a time
      };
    }
    case "recorded":
      return {
        tone: "glad",
        pictures: [picture],
        sign: "check",
        template: shows(view.net_g) ? said.recorded : said.counted,
        values: { item: name, weight: shows(view.net_g) ? kilograms(view.net_g) : "", estimate: estimate(now) },
        more: view.bin === null ? [] : lines(troubleOf(view.bin, now), now),
      };
    case "small":
      return { tone: "glad", pictures: ["feather"], sign: "check", template: said.small };
    case "taken_out":
      return { tone: "calm", pictures: ["take-out"], template: said.taken_out };
    case "thanks":
      return { tone: "glad", pictures: ["thanks"], ...thanks(now) };
    case "no_card": {
      const weighed = shows(view.visit_g) && view.visit_g > 0;
      return {
        tone: "glad",
        pictures: ["thanks"],
        template: weighed ? `{weight}{estimate}\n${said.no_card}` : said.no_card,
        values: { weight: weighed ? kilograms(view.visit_g, true) : "", estimate: estimate(now) },
      };
    }
    case "refused":
      return {
        tone: "care",
        pictures: ["card-unknown", "put-in"],
        template: said.refused,
        values: { contact: setup.contact },
      };
    case "spare":
      return {
        tone: "calm",
        pictures: view.can_begin ? ["card"] : ["card", "put-in"],
        template: view.can_begin ? said.spare : said.spare_ask,
        more: view.can_begin ? [] : [contactLine(now)],
        buttons: view.can_begin ? [touch(said.begin, "begin_card", null, "first", "card")] : [],
      };
    case "balance_asked":
      return { tone: "calm", pictures: ["clock"], template: said.balance_asked };
    case "balance":
      return { tone: "glad", pictures: ["thanks"], template: said.balance, values: { points: view.balance.toLocaleString("en-US") } };
    case "balance_unknown":
      return { tone: "calm", pictures: ["clock"], template: said.balance_unknown };
    case "welcome":
      return { tone: "glad", pictures: ["hello"], template: said.welcome };
    case "stopped":
      return { tone: "care", pictures: ["card"], sign: "check", template: said.stopped, more: [contactLine(now)] };
    default:
      return { tone: "calm", pictures: ["door"], template: said.closed, more: closedNews(now) };
  }
}

/** How to begin, and the one thing to know beside it: a bin's own trouble stands on its tile. */
function begin(now) {
  const { view, said } = now;
  if (!view.cards_readable) return { pictures: ["put-in"], template: said.no_reader, more: [contactLine(now)] };
  if (view.resumed) {
    const room = view.bins.length <= 8;
    return { pictures: ["show-card"], template: said.resumed, more: room ? news(now) : [] };
  }
  return { pictures: ["show-card", "put-in"], template: said.waiting, more: news(now) };
}

/** Why it is closed, and whom to ask. */
function closedNews(now) {
  return [...written(now.view.closed, now), ...written(now.view.message, now), contactLine(now)];
}

function lines(sentence, now) {
  return sentence === "" ? [] : [sentence, contactLine(now)];
}

/** On the first page: the one thing to know about the bins, and whom to ask. */
function news(now) {
  const { view, said } = now;
  if (view.closed !== null) return [said.closed_card];
  const message = written(view.message, now);
  if (message.length > 0 && view.phase === "waiting") return message; // a bin's own trouble stands on its tile
  const told =
    view.bins.find((one) => one.locked) ??
    view.bins.find((one) => one.state === "trouble") ??
    view.bins.find((one) => one.state === "full");
  if (!told) return [];
  const words = troubleOf(told.bin, now);
  return [filled(said.news, { item: nameOf(told.item, now), words }), contactLine(now)];
}

function thanks(now) {
  const { view, said } = now;
  const some = view.points === 1 ? said.points_one : said.points_many;
  const points = view.points ? filled(some, { points: String(view.points) }) : "";
  const full = view.points_limited ? [said.points_full] : [];
  if (!shows(view.visit_g) || view.visit_g < 0) {
    return { template: said.thanks_plain, more: points ? [points, ...full] : full };
  }
  return {
    template: points ? said.thanks_points : said.thanks,
    values: { weight: kilograms(view.visit_g, true), estimate: estimate(now), points },
    more: full,
  };
}

/** What a touch on a bin opened. */
function openedScene(now) {
  const { said, setup, pictures, opened } = now;
  const { bin, step } = opened;
  const { item } = setup.bins[bin];
  const back = opener(said.back, null, "back");
  const scene = {
    name: `opened-${step}`,
    tone: "calm",
    pictures: [pictureOf(item, pictures)],
    item: inLanguage(setup.items[item], now).name,
    values: {},
    more: [],
  };
  if (step === "bag") {
    const done = touch(said.bag_done, "bag_swap", bin, "first", "check");
    const steps = [
      { picture: "bag-off", words: said.bag_off },
      { picture: "bag-tie", words: said.bag_tie },
      { picture: "bag-on", words: said.bag_on },
    ];
    return { ...scene, pictures: [], item: "", template: said.bag_steps, steps, buttons: [done, back] };
  }
  if (step === "call") return { ...scene, ...call(now), item: "", buttons: [back] };
  const trouble = troubleOf(bin, now);
  const state = binOf(bin, now)?.state ?? "ready";
  const buttons = [];
  if (binOf(bin, now)?.counted) {
    // A full bin's pieces go to its overflow place, and count all the same.
    buttons.push(touch(said.count, "count", bin, state === "full" ? "plain" : "first"));
  }
  if (state === "full") {
    buttons.push(opener(said.bag_swap, { bin, step: "bag" }, "bag-on", "first"));
  } else if (state !== "away" && state !== "overload" && !binOf(bin, now)?.locked) {
    buttons.push(touch(said.is_full, "full", bin, "plain", "full"));
  }
  if (trouble !== "") buttons.push(opener(said.call, { bin, step: "call" }, "phone"));
  return {
    ...scene,
    tone: trouble === "" ? "calm" : "care",
    sign: BADGES[binOf(bin, now)?.locked ? "locked" : state]?.picture,
    template: trouble || said.ready_long,
    more: trouble === "" ? [] : [...whyFull(binOf(bin, now), said), contactLine(now)],
    hazards: trouble === "" ? hazardsOf(bin, now) : [],
    buttons: [...buttons, back],
  };
}

/** Why it is full, where that helps: one does not see it from above, or may mend it. */
function whyFull(bin, said) {
  return bin.state === "full" && bin.full !== null ? [said[`full_${bin.full}`]] : [];
}

/** Whom to telephone: the number large enough to be dialled from where one stands. */
function call({ said, setup, tags }) {
  const tag = tags[setup.language];
  const [, name, phone] = /^(.*?) ?([+\d][\d ()-]*)?$/.exec(setup.contact);
  const more = [{ text: name, tag, kind: "callee" }, { text: phone ?? "", tag, kind: "telephone" }];
  return { pictures: ["phone"], template: said.call_words, more: more.filter((line) => line.text !== "") };
}
