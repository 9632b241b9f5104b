// A class that weighs in teams: a touch says whose turn it is, and the largest number is the sum of all.

import { choices } from "/drawing.js";
import { summed } from "/words.js";

const CLASS_PHASES = ["waiting", "no_card"];
const TURN_PHASES = ["weighing", "recorded", "small", "taken_out"];

/** Whether a class has the screen, as the first page. */
export function isClass(view) {
  return view.classroom !== null && CLASS_PHASES.includes(view.phase) && view.awaiting === null && !view.claiming;
}

/** Whether a strip says whose turn it is, under what a bin weighs. */
export function hasTurn(view) {
  return view !== null && view.classroom !== null && view.classroom.counting && TURN_PHASES.includes(view.phase);
}

/** The first page: whose turn it is, chosen by a touch, and what all of them brought. */
export function classPage(context) {
  const { view, said, make, svgUse, filled } = context;
  const { team, grams } = view.classroom;
  const estimate = view.bins.some((bin) => bin.scale !== "none" && !bin.certified);
  return {
    model: [team, grams, estimate],
    made: () => {
      const list = choices(
        grams.map((g, number) => ({
          picture: `team-${number}`,
          title: said[`team_${number}`],
          line: g > 0 ? filled(said.kg, { kg: kilograms(g) }) : said.team_soon,
          kind: `team team-${number}`,
          press: () => context.act("play_team", { team: number }),
        })),
      );
      [...list.querySelectorAll("button")].forEach((button, number) => {
        button.setAttribute("aria-pressed", String(number === team));
        if (number === team) button.append(svgUse("hand"), make("span", "turn", said.turn));
      });
      const sum = make("p", "sum");
      const all = grams.reduce((total, g) => total + g, 0);
      if (all > 0) {
        sum.append(make("span", "", said.all_together), make("span", "total", filled(said.kg, { kg: kilograms(all) })));
        if (estimate) sum.append(make("span", "", context.words.estimate));
      } else sum.append(make("span", "", said.class_begin));
      const page = make("div", "page class");
      page.append(make("h1", "", said.class_how), sum, list);
      return page;
    },
  };
}

/** Whose turn it is, seen from the bins, under what is being weighed. */
export function turnStrip(context) {
  const { view, said, make, svgUse, filled } = context;
  const { team, grams } = view.classroom;
  return {
    model: [team, grams],
    made: () => {
      const strip = make("div", `strip team-${team}`);
      strip.append(svgUse(`team-${team}`), make("span", "title", said[`team_${team}`]));
      if (grams[team] > 0) strip.append(make("span", "line", filled(said.kg, { kg: kilograms(grams[team]) })));
      return strip;
    },
  };
}

function kilograms(grams) {
  return summed(grams, grams < 10000 ? 2 : 1);
}
