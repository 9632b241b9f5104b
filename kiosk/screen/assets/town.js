// The town behind the station: what becomes of the things, what it paid for, what is on next.

/** Draws into #town. `context.room` is "panel" (a strip under the bins), "whole" (a touch opened it) or "none".
 * True where there is something to show. */
export function draw(context) {
  return false;
}

/** A named event beside the views. */
export function heard(name, value) {}
