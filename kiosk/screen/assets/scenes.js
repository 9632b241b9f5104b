// What a resident sees of a view: a scene, which is words, a picture, and what may be touched. No page
// is needed to make one: `now` is {connected, view, setup, language, said, pictures, opened}.
//
// A scene: {name, tone, picture, template, values, item, live, more, tiles, newcomer, buttons}; a touch:
// {label, kind, act: {action, bin}} for the station or {label, kind, open} for the page itself.

import { filled, kilograms, shows } from "/words.js";

const NAME_HALVES = 24; // half-width letters of an item's name that fit beside the digits
const LEAVING = ["recorded", "small", "taken_out", "thanks", "no_card"];

export function sceneOf(now) {
  const { connected, view, setup, said, opened } = now;
  if (!connected || view === null) {
    return { name: "reconnecting", tone: "calm", picture: "clock", template: said.reconnecting };
  }
  if (view.here) {
    return { name: "here", tone: "glad", picture: "hello", template: said.here, more: [setup.station] };
  }
  if (opened?.bin !== undefined) return openedScene(now);
  const scene = { name: view.phase, values: {}, more: [], buttons: [], ...phaseScene(now) };
  if (view.awaiting !== null) {
    scene.tone = view.awaiting === "close" ? "care" : scene.tone;
    scene.template = awaited(now);
    scene.picture = "card";
    scene.buttons = [];
    scene.more = [];
  } else if (view.claiming) {
    scene.template = said.claiming;
    scene.picture = "card";
  } else if (view.can_claim) {
    scene.buttons.push(touch(said.claim, "claim", null, "first"));
  }
  if (view.visits_open > 0 && LEAVING.includes(view.phase)) {
    scene.buttons.push(touch(said.goodbye, "goodbye"));
  }
  if (scene.tiles && scene.buttons.length > 0) scene.more = []; // room for the touch
  const first = view.phase === "waiting"; // what may be touched before a card is shown
  scene.newcomer = first && view.can_begin ? [touch(said.begin, "begin_card")] : [];
  if (first && view.can_ask) scene.newcomer.push(touch(said.balance_touch, "balance"));
  if (scene.newcomer.length > 0 && view.bins.length > 8) scene.more = []; // a bin's own trouble stands on its tile
  if (view.storage_trouble) {
    scene.tone = "care";
    scene.more = [said.storage, contactLine(now)];
  }
  return scene;
}

function touch(label, action, bin = null, kind = "plain") {
  return { label, kind, act: { action, bin } };
}

function opener(label, open, kind = "plain") {
  return { label, kind, open };
}

export function pictureOf(item, pictures) {
  return pictures[item] ?? "other";
}

/** An item's name on one line; a long one without what stands in brackets. */
function nameOf(item, { setup, language }) {
  const { name } = setup.items[item][language];
  const halves = [...name].reduce((sum, letter) => sum + (letter < "\u0100" ? 1 : 2), 0);
  return halves <= NAME_HALVES ? name : name.split(/[（(]/)[0].trim();
}

function binOf(bin, now) {
  return now.view.bins.find((one) => one.bin === bin);
}

/** What the city or a caretaker wrote, in this language or the next best. */
function written(texts, language) {
  if (texts === null) return "";
  return texts[language] ?? texts.ja ?? texts.easy ?? Object.values(texts)[0] ?? "";
}

/** One calm sentence for a bin that is not as usual, or "". */
function troubleOf(bin, now) {
  const { said, setup, language } = now;
  const overflow = setup.bins[bin].overflow[language];
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
  return filled(said.contact, { contact: setup.contact });
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
      if (!view.cards_readable) {
        // One thing at a time: a bin's own trouble stands on its tile.
        return { tone: "calm", picture: "hello", template: said.no_reader, tiles: true, more: [contactLine(now)] };
      }
      return { tone: "calm", picture: "card", template: view.resumed ? said.resumed : said.waiting, tiles: true, more: news(now) };
    case "greeting":
      return { tone: "glad", picture: "hello", template: said.greeting, tiles: true, more: news(now) };
    case "weighing":
      return {
        tone: "work",
        picture,
        item: filled(said.weighing_item, { item: name, estimate: shows(view.live_g) ? estimate(now) : "" }),
        template: said.weighing,
        live: view.live_g,
        more: view.bin === null ? [] : lines(troubleOf(view.bin, now), now),
      };
    case "recorded":
      return {
        tone: "glad",
        picture,
        template: said.recorded,
        values: {
          item: name,
          weight: shows(view.net_g) ? kilograms(view.net_g) : "",
          estimate: shows(view.net_g) ? estimate(now) : "",
        },
        more: view.bin === null ? [] : lines(troubleOf(view.bin, now), now),
      };
    case "small":
      return { tone: "glad", picture: "feather", template: said.small };
    case "taken_out":
      return { tone: "calm", picture: "back", template: said.taken_out };
    case "thanks":
      return { tone: "glad", picture: "heart", ...thanks(now) };
    case "no_card": {
      const weighed = shows(view.visit_g) && view.visit_g > 0;
      return {
        tone: "glad",
        picture: "heart",
        template: weighed ? `{weight}{estimate}\n${said.no_card}` : said.no_card,
        values: { weight: weighed ? kilograms(view.visit_g, true) : "", estimate: estimate(now) },
      };
    }
    case "refused":
      return { tone: "care", picture: "card", template: said.refused, values: { contact: setup.contact } };
    case "spare":
      return {
        tone: "calm",
        picture: "card",
        template: view.can_begin ? said.spare : said.spare_ask,
        more: view.can_begin ? [] : [contactLine(now)],
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
      return { tone: "care", picture: "card", template: said.stopped, more: [contactLine(now)] };
    case "bag_question":
      return {
        tone: "care",
        picture: "other",
        item: name,
        template: said.bag_question,
        buttons: [
          touch(said.yes_new_bag, "bag_swap", view.bin, "first"),
          touch(said.no_same_bag, "indicator_zeroed", view.bin),
        ],
        more: [contactLine(now)],
      };
    default:
      return { tone: "calm", picture: "door", template: said.closed, more: closedNews(now) };
  }
}

/** Why it is closed, and whom to ask. */
function closedNews(now) {
  const { view, language } = now;
  const told = [written(view.closed, language), written(view.message, language), contactLine(now)];
  return told.filter((line) => line !== "");
}

function lines(sentence, now) {
  return sentence === "" ? [] : [sentence, contactLine(now)];
}

/** On the first page: the one thing to know about the bins, and whom to ask. */
function news(now) {
  const { view, said, language } = now;
  if (view.closed !== null) return [said.closed_card];
  const message = written(view.message, language);
  if (message !== "" && view.phase === "waiting") return [message]; // a bin's own trouble stands on its tile
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
  const { said, setup, language, pictures, opened } = now;
  const { bin, step } = opened;
  const { item } = setup.bins[bin];
  const back = opener(said.back, null);
  const scene = {
    name: `opened-${step}`,
    tone: "calm",
    picture: pictureOf(item, pictures),
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
  const trouble = troubleOf(bin, now);
  const state = binOf(bin, now)?.state ?? "ready";
  const buttons = [];
  if (binOf(bin, now)?.counted) {
    // A full bin's pieces go to its overflow place, and count all the same.
    buttons.push(touch(said.count, "count", bin, state === "full" ? "plain" : "first"));
  }
  if (state === "full") {
    buttons.push(opener(said.bag_swap, { bin, step: "bag" }, "first"));
  } else if (state !== "away" && state !== "overload" && !binOf(bin, now)?.locked) {
    buttons.push(touch(said.is_full, "full", bin));
  }
  if (trouble !== "") buttons.push(opener(said.call, { bin, step: "call" }));
  return {
    ...scene,
    tone: trouble === "" ? "calm" : "care",
    template: trouble || said.ready_long,
    more: trouble === "" ? [] : [contactLine(now)],
    buttons: [...buttons, back],
  };
}
