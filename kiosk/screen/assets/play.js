// What may be said and played: the question of the month, thanks between neighbours, the quiz, class mode.

/** Draws into #play. `context.room` is "panel" (a strip under the bins), "whole" (a touch opened it) or "none".
 * True where there is something to show. */
export function draw(context) {
  return false;
}

/** A named event beside the views. */
export function heard(name, value) {}
