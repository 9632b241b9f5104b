// Sentences from the catalogues: filled in, and cut into parts that the style can lay out.

/** Kilograms as people read them: two decimals, one from a kilogram on where `rough`. */
export function kilograms(grams, rough = false) {
  const digits = rough && Math.abs(grams) >= 1000 ? 1 : 2;
  return (grams / 1000).toFixed(digits).replace("-", "−");
}

/** Kilograms of a sum, its thousands set apart. */
export function summed(grams, digits) {
  return (grams / 1000).toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** Nobody reads a weight that rounds to nothing. */
export function shows(grams) {
  return grams !== null && Math.abs(grams) >= 5;
}

// Where a sentence ends and another begins: after the full stop, before the gap.
const SENTENCE = /(?<=[。！？])(?=[^」』）])|(?<=[.!?])(?=\s+\p{Lu})/u;
const ENDS = /[。！？.!?]$/u;

/** `"✓ {item} {weight}"` to `[{kind, text}]`; kind is `text`, `sign`, `line` or the placeholder, and a `text` is of
 * one sentence. */
export function parts(template, values) {
  const found = [];
  for (const piece of template.split(/(\{[a-z]+\}|✓|\n)/)) {
    if (piece === "") continue;
    if (piece === "✓") found.push({ kind: "sign", text: piece });
    else if (piece === "\n") found.push({ kind: "line", text: "" });
    else if (piece.startsWith("{") && piece.endsWith("}")) {
      const kind = piece.slice(1, -1);
      if (values[kind]) found.push({ kind, text: values[kind] });
    } else {
      found.push(...texts(piece));
    }
  }
  return found;
}

/** What somebody wrote, by sentence: no template, whatever stands in it. */
export function texts(written) {
  return written.split(SENTENCE).map((text) => ({ kind: "text", text }));
}

/** The parts by sentence: a weight, a sign and the end of a line stand by themselves. */
export function sentences(found) {
  const groups = [];
  let open = false;
  for (const part of found) {
    const alone = ["weight", "sign", "line"].includes(part.kind);
    if (alone || !open) groups.push([part]);
    else groups.at(-1).push(part);
    open = !alone && !(part.kind === "text" && ENDS.test(part.text));
  }
  return groups;
}

/** The same as plain text. */
export function filled(template, values) {
  return parts(template, values).map((part) => part.text).join("");
}

/** What people here wrote: in this language, else in the one that it is like, else in Japanese. */
export function inTown(words, { language, like }) {
  return words[language] ?? words[like] ?? words.ja;
}
