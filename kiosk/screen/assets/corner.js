// The caretaker's corner, opened by a caretaker's card or from the footer's touch.

/** Draws into #corner. `context.room` is "whole" while the corner has the screen, else "none". True where there
 * is something to show. */
export function draw(context) {
  return false;
}

/** A named event beside the views. */
export function heard(name, value) {}
