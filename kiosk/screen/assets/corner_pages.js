// The caretaker's pages, without a page: what the station says and where the caretaker is, in; what to draw, out.
// One question a page, what may be touched as a list, and nothing is decided here: the station takes each touch
// or says why not.

const TILES = 9; // a page's, three by three
const SENTENCES = { wide: 6, tall: 4 }; // a page's
const SIGNS = { OK: "good", WARN: "caution", ERR: "bad" };
const GOOD = { level: "OK", picture: "good", word: "" };
const HELP = ["help_1", "help_2", "help_3", "help_4", "help_5"];
const HOME = [
  ["bag", "bag"],
  ["doctor", "look"],
  ["clean", "broom"],
  ["adjust", "scale"],
  ["broken", "broken"],
  ["card", "card"],
  ["notice", "notice"],
  ["close", "door"],
  ["help", "help"],
];
/** A refusal's code to its sentence. */
const WHY = {
  number_wrong: "why_number_wrong",
  number_paused: "why_number_paused",
  busy: "why_busy",
  corner_busy: "why_corner_busy",
  touch_busy: "why_corner_busy",
  scale_busy: "why_corner_busy",
  scale_visit_open: "why_visit_open",
  scale_no_scale: "why_no_scale",
  scale_lost: "why_no_scale",
  scale_not_ready: "why_not_ready",
  scale_in_service: "why_corner_busy",
  scale_moving: "why_moving",
  adjust_load_small: "why_light",
  adjust_load_big: "why_heavy",
  adjust_patience: "why_patience",
  adjust_refusals: "why_uneven",
  adjust_refused: "why_uneven",
  no_card_shown: "why_nobody",
  card_closed_already: "why_spent",
};

function whyOf(code, said) {
  return said[WHY[code] ?? "why_other"];
}

/** The page at `place` ({name, ...}); `now` what is known beside it. */
export function pageOf(place, now) {
  const found = (PAGES[place.name] ?? home)(place, now);
  return { title: "", sentence: "", more: [], tiles: [], foot: [], back: { name: "home" }, ...found };
}

const PAGES = { gate, pad, home, doctor, bins, bag, clean, broken, bottle, grams, empty, job, card, notice, days };
Object.assign(PAGES, { close, help, lesson, trouble, done });

function to(label, place, kind = "plain") {
  return { label, kind, go: place };
}

function doing(label, action, fields, next, kind = "first") {
  return { label, kind, act: { action, fields, next } };
}

function binOf(place, { view }) {
  return view.bins.find((one) => one.bin === place.bin);
}

function nameOf(bin, { setup, language }) {
  return setup.items[bin.item][language].name;
}

// -- the way in ---------------------------------------------------------------------------------

function gate(place, { said, view }) {
  const refused = view.refusals > (place.refusals ?? view.refusals);
  return {
    title: said.gate_title,
    picture: "card",
    sentence: refused ? said.gate_refused : view.cards_readable ? said.gate : said.gate_no_reader,
    care: refused,
    back: null,
    foot: [
      doing(said.back, "corner_end", {}, { name: "home" }, "back"),
      doing(said.by_number, "corner_pad", {}, { name: "pad", typed: "" }, "plain"),
    ],
  };
}

function pad(place, { said }) {
  const none = place.set === false;
  const why = place.why ? whyOf(place.why, said) : "";
  return {
    title: said.pad_title,
    sentence: none ? said.pad_none : why,
    care: why !== "",
    shown: why ? undefined : "●".repeat(place.typed.length),
    pad: none ? null : { most: 12, erase: said.erase, enter: said.enter },
    enter: { action: "corner_number", field: "number", least: 6, next: { name: "home" } },
    back: { name: "gate" },
  };
}

// -- what to do ---------------------------------------------------------------------------------

function home(_, { said }) {
  return {
    title: said.home_title,
    tiles: HOME.map(([name, picture]) => ({ label: said[`home_${name}`], picture, ...first(name) })),
    back: null,
    foot: [doing(said.end, "corner_end", {}, { name: "home" }, "back"), to(said.home_class, { name: "lesson" })],
  };
}

function first(name) {
  if (name === "doctor") return { act: { action: "corner_doctor", fields: {}, next: { name: "doctor", at: 0 } } };
  if (["bag", "clean", "broken", "adjust"].includes(name)) return { go: { name: "bins", work: name, at: 0 } };
  return { go: { name, at: 0 } };
}

function doctor(place, { said, language, filled }) {
  const { findings } = place.value;
  if (findings.length === 0) {
    return { title: said.home_doctor, sign: sign("OK", said), sentence: said.doctor_fine };
  }
  const found = findings[place.at];
  const pages = { page: `${place.at + 1}`, pages: `${findings.length}` };
  const foot = [];
  if (found.page) foot.push(to(said.doctor_go, mending(found), "first"));
  if (place.at + 1 < findings.length) foot.push(to(said.next, { ...place, at: place.at + 1 }));
  return {
    title: `${said.home_doctor}　${findings.length > 1 ? filled(said.page_of, pages) : ""}`,
    sign: sign(found.level, said),
    sentence: found.what[language] ?? found.what.ja,
    more: [`${said.doctor_step}${found.todo[language] ?? found.todo.ja}`],
    foot,
  };
}

function sign(level, said) {
  return { level, picture: SIGNS[level], word: said[`doctor_${{ OK: "ok", WARN: "warn", ERR: "err" }[level]}`] };
}

function mending({ page, bin }) {
  if (page === "open") return { name: "close", at: 0 };
  if (bin && page === "scale") return { name: "broken", bin };
  if (bin && page === "bag") return { name: "bag", bin };
  return { name: "bins", work: page === "scale" ? "broken" : page, at: 0 };
}

function help(place, { said, setup, filled }) {
  const pages = { page: `${place.at + 1}`, pages: `${HELP.length}` };
  return {
    title: `${said.home_help}　${filled(said.page_of, pages)}`,
    picture: "help",
    sentence: filled(said[HELP[place.at]], { contact: setup.contact }),
    foot: place.at + 1 < HELP.length ? [to(said.next, { ...place, at: place.at + 1 })] : [],
    back: place.at > 0 ? { ...place, at: place.at - 1 } : { name: "home" },
  };
}

/** A class comes in teams, or goes. */
function lesson(_, { view, said, filled }) {
  const next = { name: "done" };
  if (view.classroom !== null) {
    return {
      title: said.home_class,
      picture: "team-0",
      sentence: said.class_here,
      foot: [doing(said.class_end, "corner_class", { teams: null }, next)],
    };
  }
  const begin = (teams) => doing(filled(said.class_teams, { teams: `${teams}` }), "corner_class", { teams }, next, "row");
  return { title: `${said.home_class}　${said.class_ask}`, rows: [2, 3, 4].map(begin) };
}

function trouble(place, { said, setup, words, filled }) {
  return {
    sign: { level: "WARN", picture: "caution", word: "" },
    sentence: whyOf(place.code, said),
    more: [filled(words.contact, { contact: setup.contact })],
    back: place.back ?? { name: "home" },
  };
}

function done(place, { said }) {
  return { sign: GOOD, sentence: said[place.said ?? "done"] };
}

// -- bins ---------------------------------------------------------------------------------------

const SUITS = {
  bag: () => true,
  clean: () => true,
  broken: (bin) => bin.scale !== "none",
  adjust: (bin) => bin.scale === "counts" && !bin.broken,
};

function bins(place, now) {
  const { view, said, setup, language, pictureOf } = now;
  const suited = view.bins.filter(SUITS[place.work]);
  const shown = suited.slice(place.at, place.at + TILES);
  const next = { bag: "bag", clean: "clean", broken: "broken", adjust: "bottle" }[place.work];
  const from = place.at + TILES < suited.length ? place.at + TILES : 0;
  return {
    title: `${said[`home_${place.work}`]}　${suited.length === 0 ? "" : said.choose_bin}`,
    sentence: suited.length === 0 ? said.no_bins : "",
    tiles: shown.map((bin) => ({
      label: setup.items[bin.item][language].short.join("\n"),
      picture: pictureOf(bin.item),
      badge: badge(bin, place.work, said),
      go: { name: next, bin: bin.bin, from: bin.bags },
    })),
    foot: suited.length > TILES ? [to(said.next, { ...place, at: from })] : [],
  };
}

function badge(bin, work, said) {
  if (work === "clean" && bin.locked) return said.cleaning;
  return work === "broken" && bin.broken ? said.no_scale : "";
}

function bag(place, now) {
  const { said } = now;
  const bin = binOf(place, now);
  const title = `${said.home_bag}　${nameOf(bin, now)}`;
  const back = { name: "bins", work: "bag", at: 0 };
  if (bin.bags > (place.from ?? bin.bags)) {
    if (bin.bag_g === null) return { title, sign: GOOD, sentence: said.bag_noted, back };
    return { title, weight: bin.bag_g, sentence: said.bag_weight, back };
  }
  const fields = { bin: bin.bin, what: "bag_swap" };
  const seeing = { ...place, from: place.from ?? bin.bags, seeing: true };
  if (bin.state === "question") {
    return {
      title,
      picture: "bag",
      sentence: said.bag_question,
      back,
      foot: [
        doing(said.no_same_bag, "corner_bin", { ...fields, what: "indicator_zeroed" }, { name: "done" }, "plain"),
        doing(said.yes_new_bag, "corner_bin", fields, seeing),
      ],
    };
  }
  if (place.seeing) return { title, picture: "hand", sentence: said.bag_seeing, more: [said.bag_light], back };
  return {
    title,
    steps: [
      ["bag-off", said.bag_1],
      ["bag-on", said.bag_2],
      ["hand", said.bag_3],
    ],
    back,
    foot: [doing(said.bag_done, "corner_bin", fields, seeing)],
  };
}

function clean(place, now) {
  const { said } = now;
  const bin = binOf(place, now);
  const what = bin.locked ? "unlock" : "lock";
  const fields = { bin: bin.bin, what };
  return {
    title: `${said.home_clean}　${nameOf(bin, now)}`,
    picture: "broom",
    sentence: bin.locked ? said.clean_end : said.clean_begin,
    back: { name: "bins", work: "clean", at: 0 },
    foot: [doing(bin.locked ? said.clean_over : said.clean_touch, "corner_bin", fields, { name: "done" })],
  };
}

function broken(place, now) {
  const { said } = now;
  const bin = binOf(place, now);
  const fields = { bin: bin.bin, what: bin.broken ? "scale_mended" : "scale_broken" };
  return {
    title: `${said.home_broken}　${nameOf(bin, now)}`,
    picture: "broken",
    sentence: bin.broken ? said.mended_ask : said.broken_ask,
    back: { name: "bins", work: "broken", at: 0 },
    foot: [doing(bin.broken ? said.mended_touch : said.broken_touch, "corner_bin", fields, { name: "done" })],
  };
}

// -- a scale is adjusted --------------------------------------------------------------------------

function bottle(place, now) {
  return {
    title: `${now.said.home_adjust}　${nameOf(binOf(place, now), now)}`,
    picture: "pet-bottle",
    sentence: now.said.adjust_bottle,
    back: { name: "bins", work: "adjust", at: 0 },
    foot: [to(now.said.next, { name: "grams", bin: place.bin, typed: "" }, "first")],
  };
}

function grams(place, { said }) {
  return {
    title: said.adjust_grams,
    shown: `${place.typed || "・・・"} ${said.gram}`,
    pad: { most: 6, erase: said.erase, enter: said.next },
    enter: { place: { name: "empty", bin: place.bin }, field: "grams", least: 3 },
    back: { name: "bottle", bin: place.bin },
  };
}

function empty(place, now) {
  const { said } = now;
  const fields = { bin: place.bin, grams: Number(place.grams) };
  const start = (label, is, kind) => doing(label, "corner_adjust", { ...fields, empty: is }, { name: "job" }, kind);
  return {
    title: said.home_adjust,
    picture: "bag",
    sentence: said.adjust_empty,
    back: { name: "grams", bin: place.bin, typed: "" },
    foot: [start(said.adjust_is_loaded, false, "plain"), start(said.adjust_is_empty, true, "first")],
  };
}

/** What takes a while, as the station tells it. */
function job(_, now) {
  const { said, job: told } = now;
  const stop = [doing(said.stop, "corner_cancel", {}, { name: "home" }, "back")];
  if (told === null) return { back: null, foot: stop, sentence: said.step_begins };
  const over = { back: null, foot: [doing(said.back, "corner_cancel", {}, { name: "home" }, "back")] };
  if (told.step === "ended") return { ...trouble({ code: told.why }, now), ...over };
  return told.kind === "card" ? cardJob(told, now, stop, over) : adjustJob(told, now, stop, over);
}

function adjustJob(told, now, stop, over) {
  const { said, language, filled } = now;
  const title = said.home_adjust;
  if (told.step === "kept") return { ...done({ said: "adjust_kept" }, now), ...over, title };
  if (told.step === "agree") {
    const found = filled(said.adjust_agree, { change: told.change, full: told.full });
    return {
      title,
      picture: "scale",
      sentence: told.asks ? filled(said.adjust_asks, { kg: told.kg }) : found,
      more: told.asks ? [found] : [],
      care: told.asks,
      back: null,
      foot: [...stop, doing(said.adjust_keep, "corner_agree", {}, { name: "job" })],
    };
  }
  const again = told.step === "load" && told.placement > 1;
  const refused = told.refused ? [told.refused.what, told.refused.todo].map((one) => one[language] ?? one.ja) : [];
  return {
    title: `${title}　${told.kg} kg`,
    sentence: again ? said.step_again : said[`step_${told.step}`],
    live: told.live ?? null,
    still: told.live === undefined ? "" : told.still ? said.still : said.moving,
    more: refused,
    care: refused.length > 0,
    back: null,
    foot: stop,
  };
}

function cardJob(told, { said }, stop, over) {
  const title = said.home_card;
  if (told.step === "done") {
    const sentence = { replace: said.card_replaced, begin: said.card_begun, close: said.card_closed }[told.work];
    return { ...over, title, sign: GOOD, sentence };
  }
  const asks = { slip: said.card_step_slip, card: said.card_step_card, any: said.card_step_any };
  return { title, picture: "card", sentence: asks[told.step] ?? said.step_begins, back: null, foot: stop };
}

// -- cards, sentences, close and open -------------------------------------------------------------

function card(_, { said }) {
  const works = [["replace", said.card_slip], ["begin", said.card_no_slip], ["close", said.card_found]];
  return {
    title: said.card_title,
    rows: works.map(([work, label]) => doing(label, "corner_card", { work }, { name: "job" }, "row")),
  };
}

function notice(place, now) {
  const { view, said, language } = now;
  const all = Object.keys(said).filter((key) => key.startsWith("sentence_"));
  const most = SENTENCES[now.panel];
  const shown = all.slice(place.at, place.at + most);
  const text = view.message === null ? "" : view.message[language] ?? view.message.ja ?? "";
  if (text && !place.other) {
    return {
      title: said.notice_now,
      picture: "notice",
      sentence: text,
      foot: [
        to(said.notice_other, { ...place, other: true }),
        doing(said.notice_down, "corner_notice", { sentence: null }, { name: "done" }),
      ],
    };
  }
  const at = place.at + most < all.length ? place.at + most : 0;
  return {
    title: said.notice_title,
    rows: shown.map((key) => ({ label: said[key], kind: "row", go: { name: "days", sentence: key } })),
    foot: all.length > most ? [to(said.next, { ...place, at })] : [],
  };
}

function days(place, { said }) {
  const put = (label, count, kind) =>
    doing(label, "corner_notice", { sentence: place.sentence, days: count }, { name: "done" }, kind);
  return {
    title: said.notice_days,
    picture: "notice",
    sentence: said[place.sentence],
    back: { name: "notice", at: 0 },
    foot: [put(said.notice_week, 7, "plain"), put(said.notice_today, 1, "first")],
  };
}

function close(_, { view, said }) {
  if (view.closed !== null) {
    return {
      title: said.home_close,
      picture: "door",
      sentence: said.open_ask,
      foot: [doing(said.open_touch, "corner_open", {}, { name: "done" })],
    };
  }
  const reasons = Object.keys(said).filter((key) => key.startsWith("reason_"));
  const shut = (label, reason, kind) => doing(label, "corner_close", { reason }, { name: "done" }, kind);
  return {
    title: said.close_title,
    rows: reasons.map((key) => shut(said[key], key, "row")),
    foot: [shut(said.close_plain, null, "plain")],
  };
}
