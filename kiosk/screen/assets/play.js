// What residents say and play: the question of the month, thanks between neighbours, the quiz, and a class that
// weighs in teams. One touch in the footer opens it; one page at a time; whoever comes has the screen at once.

import { classPage, turnStrip } from "/classroom.js";
import { at, choices } from "/drawing.js";
import { inTown } from "/words.js";

const READ_MS = 9000; // a page that only thanks goes by itself
const TOUCH_PHASES = ["waiting", "thanks", "no_card"];
const REFUSED = { play_rest: "rest", play_visit: "busy", play_gone: "gone" };

let told = null;
let here = null; // the opened page that is drawn
let leaving = 0;

/** A named event beside the views. */
export function heard(name, value) {
  if (name === "play") told = value;
}

/** For the town's strip: the week's thanks, where there are any. */
export function cards({ said, filled }) {
  const week = told?.thanks?.week;
  if (!week) return [];
  const title = filled(said.thanks_week, { count: String(week) });
  return [{ picture: "thanks", title, lines: [said.thanks_line], opens: { part: "play", page: "thanks" } }];
}

/** Draws into #play, and its touch in the footer. `context.room` is "panel" (a strip), "whole" or "none". True where
 * there is something to show. */
export function draw(context) {
  here = context.opened;
  drawTouch(context);
  if (context.room === "none") return false;
  const page = context.room === "panel" ? turnStrip(context) : here === null ? classPage(context) : pageOf(context);
  if (page === null) return false;
  if (context.changed("shown", [context.room, context.language, here, page.model])) {
    at("play").replaceChildren(page.made());
    stay(context, page.passing === true);
  }
  return true;
}

/** A page that only thanks leaves by itself. */
function stay(context, passing) {
  clearTimeout(leaving);
  const shown = here;
  if (passing) leaving = setTimeout(() => here === shown && context.open(null), READ_MS);
}

// -- the touch on the first page ----------------------------------------------------------------

/** What is on: {page, picture, title, line}. */
function offers({ said, filled }) {
  if (told === null) return [];
  const found = [];
  if (told.question !== null) {
    found.push({ page: "question", picture: "question", title: said.question, line: said.question_line });
  }
  if (told.thanks !== null) {
    const { week } = told.thanks;
    const line = week ? filled(said.thanks_week, { count: String(week) }) : said.thanks_line;
    found.push({ page: "thanks", picture: "thanks", title: said.thanks, line });
  }
  if (told.quiz) found.push({ page: "quiz", picture: "quiz", title: said.quiz, line: said.quiz_line });
  return found;
}

function drawTouch(context) {
  const { view, said, words, make, svgUse, filled } = context;
  const place = at("together");
  const free = view !== null && TOUCH_PHASES.includes(view.phase) && view.classroom === null;
  const on = free && here === null && context.room === "none" && view.awaiting === null ? offers(context) : [];
  const week = told?.thanks?.week;
  const line = week ? filled(said.thanks_short, { count: String(week) }) : on.length === 1 ? on[0].line : said.together_line;
  const model = [context.language, on.map((one) => one.page), line, view?.online];
  if (!context.changed("touch", model)) return;
  place.hidden = on.length === 0;
  place.replaceChildren();
  if (on.length === 0) return;
  const [first] = on;
  const button = make("button", "together");
  const text = make("span", "text");
  text.append(make("span", "title", on.length === 1 ? first.title : said.together), make("span", "title short", said.short));
  if (view.online) text.append(make("span", "line", line));
  button.append(svgUse(on.length === 1 ? first.picture : "neighbours"), text);
  place.append(context.pressable(button, () => (on.length === 1 ? begin(first.page, context) : context.open({ page: "menu" }))));
}

function begin(page, context) {
  if (page === "quiz") return beginQuiz(context);
  return context.open({ page });
}

// -- pages --------------------------------------------------------------------------------------

const PAGES = { menu, question, answered, results, thanks, sent, quiz, over, refused };

function pageOf(context) {
  return told === null ? null : (PAGES[here.page] ?? menu)(context);
}

function spoken(context, words) {
  return inTown(words, context);
}

function back({ said, open, make, pressable }, to = null) {
  return pressable(make("button", "action", said.back), () => open(to));
}

/** A page: a head, what is in it, touches at its foot. */
function frame({ make, svgUse }, { name, picture, title, note = "" }, body, ...touches) {
  const page = make("div", `page ${name}`);
  const head = make("div", "head");
  if (picture) head.append(svgUse(picture));
  const words = make("div", "");
  words.append(make("h1", "", title));
  if (note) words.append(make("p", "note", note));
  head.append(words);
  const foot = make("div", "touches");
  foot.append(...touches.filter((one) => one !== null));
  page.append(head, body);
  if (foot.childElementCount > 0) page.append(foot);
  return page;
}

function menu(context) {
  const on = offers(context);
  const { said } = context;
  return {
    model: on,
    made: () =>
      frame(
        context,
        { name: "menu", title: said.together },
        choices(on.map((one) => ({ ...one, press: () => begin(one.page, context) }))),
        back(context),
      ),
  };
}

function question(context) {
  const asked = told.question;
  if (asked === null) return gone(context);
  const { said, make, pressable, open } = context;
  const look = () => pressable(make("button", "action", said.results), () => open({ page: "results" }));
  return {
    model: asked,
    made: () =>
      frame(
        context,
        { name: "asking", picture: "question", title: spoken(context, asked.words), note: said.question_how },
        choices(
          asked.answers.map((one, choice) => ({
            picture: one.picture,
            title: spoken(context, one.words),
            press: () => send(context, "play_voice", { question: asked.id, choice }, "answered"),
          })),
        ),
        back(context),
        asked.counts === null ? null : look(),
      ),
  };
}

/** A touch that the station keeps, and the page that thanks for it, where nobody came in between. */
async function send(context, action, fields, page) {
  const from = here;
  const { ok, value } = await context.act(action, fields);
  if (here !== from) return;
  context.open(ok ? { page, ...fields } : { page: "refused", code: value?.code ?? "" });
}

function answered(context) {
  const { said } = context;
  const counts = told.question?.counts ?? null;
  return {
    passing: true,
    model: told.question,
    made: () =>
      frame(
        context,
        { name: "kept", picture: "thanks", title: said.answered, note: counts === null ? said.from_five : said.anonymous },
        counts === null ? context.make("div", "") : bars(context, told.question),
        back(context),
      ),
  };
}

function results(context) {
  const asked = told.question;
  if (asked === null || asked.counts === null) return gone(context);
  const all = asked.counts.reduce((sum, count) => sum + count, 0);
  const note = context.filled(context.said.of_all, { count: String(all) });
  return {
    model: asked,
    made: () =>
      frame(
        context,
        { name: "results", picture: "question", title: spoken(context, asked.words), note },
        bars(context, asked),
        back(context),
      ),
  };
}

/** How many chose each: picture, words, a bar, and the number. */
function bars(context, asked) {
  const { make, svgUse, filled, said } = context;
  const most = Math.max(1, ...asked.counts);
  const list = make("ul", "bars");
  asked.answers.forEach((one, place) => {
    const count = asked.counts[place];
    const row = make("li", "");
    const bar = make("span", "bar");
    const level = make("span", "level");
    level.style.width = `${(100 * count) / most}%`;
    bar.append(level);
    const words = make("span", "words", spoken(context, one.words));
    row.append(svgUse(one.picture), words, bar, make("span", "count", filled(said.votes, { count: String(count) })));
    list.append(row);
  });
  return list;
}

function thanks(context) {
  if (told.thanks === null) return gone(context);
  const { said, filled } = context;
  const { sentences, week } = told.thanks;
  return {
    model: told.thanks,
    made: () =>
      frame(
        context,
        {
          name: "thanking",
          picture: "thanks",
          title: said.thanks_which,
          note: week ? filled(said.thanks_week, { count: String(week) }) : said.anonymous,
        },
        choices(
          sentences.map((one) => ({
            picture: one.picture,
            title: spoken(context, one.words),
            press: () => send(context, "play_thanks", { sentence: one.id }, "sent"),
          })),
        ),
        back(context),
      ),
  };
}

function sent(context) {
  const { said, filled } = context;
  const one = told.thanks?.sentences.find(({ id }) => id === here.sentence);
  if (one === undefined) return gone(context);
  const { week } = told.thanks;
  return {
    passing: true,
    model: [one, week],
    made: () =>
      frame(
        context,
        { name: "kept", picture: one.picture, title: said.sent, note: spoken(context, one.words) },
        context.make("p", "more", week ? filled(said.thanks_week, { count: String(week) }) : ""),
        back(context),
      ),
  };
}

function refused(context) {
  const { said, make } = context;
  const why = said[REFUSED[here.code] ?? "later"];
  return {
    passing: true,
    model: why,
    made: () => frame(context, { name: "kept", picture: "clock", title: why }, make("div", ""), back(context)),
  };
}

function gone(context) {
  const { said, make } = context;
  return {
    passing: true,
    model: "gone",
    made: () => frame(context, { name: "kept", picture: "clock", title: said.gone }, make("div", ""), back(context)),
  };
}

// -- the quiz -----------------------------------------------------------------------------------

async function beginQuiz(context) {
  const from = here;
  const { ok, value } = await context.act("play_quiz");
  if (here !== from) return;
  context.open(ok ? { page: "quiz", round: value.questions, at: 0, chosen: null } : { page: "refused", code: value?.code ?? "" });
}

function quiz(context) {
  const { said, filled, make, svgUse, pressable, open } = context;
  const { round, at: place, chosen } = here;
  const asked = round[place];
  const about = spoken(context, asked.about.words);
  const title = asked.kind === "own" ? about : filled(said[`quiz_${asked.kind}`], { what: about });
  const right = asked.answers[asked.right];
  const done = chosen !== null;
  const note = !done
    ? filled(said.quiz_at, { at: String(place + 1), of: String(round.length) })
    : chosen === asked.right
      ? said.quiz_right
      : filled(said.quiz_wrong, { right: spoken(context, right.words) });
  const on = place + 1 < round.length ? { ...here, at: place + 1, chosen: null } : { page: "over" };
  const next = () => pressable(make("button", "action first", said.next), () => open(on));
  return {
    model: null,
    made: () => {
      const body = choices(
        asked.answers.map((one, answer) => ({
          picture: one.picture,
          title: spoken(context, one.words),
          kind: !done ? "" : answer === asked.right ? "right" : answer === chosen ? "chosen" : "other",
          press: done ? null : () => open({ ...here, chosen: answer }),
        })),
      );
      for (const found of body.querySelectorAll(".right")) found.append(svgUse("check"));
      const picture = asked.kind === "becomes" ? asked.about.picture : "quiz"; // it would show the answer
      return frame(context, { name: "asking quiz", picture, title, note }, body, back(context), done ? next() : null);
    },
  };
}

function over(context) {
  const { said, make, pressable } = context;
  const again = () => pressable(make("button", "action first", said.quiz_again), () => beginQuiz(context));
  return {
    passing: true,
    model: "over",
    made: () => frame(context, { name: "kept", picture: "hello", title: said.quiz_over }, make("div", ""), back(context), again()),
  };
}
