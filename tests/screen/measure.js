// What contracts.md promises of the panel, asked of the drawn page: {wrong, texts, least}. An empty `wrong` is a good
// page; `texts` is what can be read on it, `least` the smallest of each thing measured,
// `back` where the corner's back stands. `asked.zoom`: how many times the page is enlarged; then it may be longer than
// the panel, and scrolls.
//
// Sources: contracts.md "Residents' screen"; WCAG 2.2, 1.4.3 and 1.4.6 (contrast), 2.5.8 (targets, exceeded here).
// Between targets: at 150 px an inch 8 px are 1.4 mm, the 8 dp of Material Design. With targets of 20 mm more makes
// nobody surer (Colle and Hiszem 2004: 1 and 3 mm alike).
(asked) => {
  const GAP_PX = 16; // between the moment and what stands under it
  const zoom = asked?.zoom ?? 1;
  const scrolls = zoom > 1;
  const TEXT_PX = 33, TARGET_PX = 118, APART_PX = 8, DIGITS_PX = 150, CONTRAST = 4.5, WEIGHT_CONTRAST = 7;
  // A line's box is taller than what is drawn: Noto Sans CJK's ascent 1.16 and descent 0.288 around an
  // em of 0.88 + 0.12, or around a digit of 0.75 with its overshoot.
  const LINE = [(1.16 - 0.88) / 1.448, (0.288 - 0.12) / 1.448], DIGITS = [(1.16 - 0.75) / 1.448, (0.288 - 0.02) / 1.448];
  const deaf = document.body.classList.contains("deaf"); // so soon after a touch, and no button is covered by it
  document.body.classList.remove("deaf");
  const wrong = [];
  const least = {};
  const seen = (what, value) => (least[what] = Math.min(least[what] ?? Infinity, Math.round(value * 100) / 100));
  const visible = (element) => {
    const { width, height } = element.getBoundingClientRect();
    if (width + height === 0 || !element.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    return (width > 1 && height > 1) || getComputedStyle(element).overflowX === "visible"; // else for screen readers alone
  };
  const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
  const rgb = (colour) => colour.match(/[\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = rgb(colour).map((value) => channel(value / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; // WCAG 2.2, relative luminance
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((rgb(colour)[3] ?? 1) > 0) return colour;
    }
    return "rgb(255,255,255)";
  };
  const canvas = document.createElement("canvas").getContext("2d");
  /** The height of the smallest digit as the browser draws it in this style. */
  const digitPx = (words, { fontWeight, fontSize, fontFamily }) => {
    canvas.font = `${fontWeight} ${fontSize} ${fontFamily}`;
    return Math.min(...[...words.matchAll(/\d/g)].map(([digit]) => {
      const { actualBoundingBoxAscent: up, actualBoundingBoxDescent: down } = canvas.measureText(digit);
      return up + down;
    }));
  };
  const clips = (element) => {
    const found = [];
    for (let at = element; at !== document.documentElement; at = at.parentElement) {
      const { overflowX } = getComputedStyle(at);
      if (overflowX !== "visible" || at.matches("button, .badge, .chip, #steps li, .steps li")) found.push(at);
    }
    return found;
  };
  const overlap = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1 &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
  /** What of `over` is painted upon `element`, if anything: a line's own empty box hides nothing. */
  const covering = (over, element) => {
    for (let at = over; at && !at.contains(element) && !element.contains(at); at = at.parentElement) {
      if (at instanceof SVGElement || (rgb(getComputedStyle(at).backgroundColor)[3] ?? 1) > 0) return at;
    }
    return null;
  };
  const inPanel = (x, y) => x >= 0 && y >= 0 && x < innerWidth && y < innerHeight;

  const lines = [];
  const read = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const words = texts.currentNode.data.trim();
    if (words === "" || !visible(element)) continue;
    read.push(element.closest("#town .strip") ? "the town's strip" : words); // its card may change at any moment
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    seen("text_px", size);
    if (size < TEXT_PX) wrong.push(`"${words}" is ${size} px`);
    const weight = element.closest(".weight") !== null;
    if (weight && element.matches(".number")) {
      const digits = digitPx(words, style) * zoom;
      seen("digits_px", digits);
      if (digits < DIGITS_PX) wrong.push(`"${words}" is ${digits} px high`);
    }
    const [a, b] = [light(style.color), light(ground(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    seen(weight ? "weight_contrast" : "contrast", contrast);
    if (contrast < (weight ? WEIGHT_CONTRAST : CONTRAST)) wrong.push(`"${words}": ${contrast}:1`);
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const frames = clips(element).map((frame) => [frame, frame.getBoundingClientRect()]);
    for (const { left, right, top, bottom, width, height } of range.getClientRects()) {
      if (width < 1) continue;
      const [over, under] = /^[\d.,・−]+$/.test(words) ? DIGITS : LINE;
      const line = { left, right, top: top + height * over, bottom: bottom - height * under, element, words };
      lines.push(line);
      if (left + scrollX < -0.5 || line.top + scrollY < -0.5) wrong.push(`"${words}" is before the page`);
      const hanging = words.includes("\u3000") ? size : 0; // an ideographic space at a line's end takes no room
      if (right > innerWidth + 0.5 + hanging) wrong.push(`"${words}" is beside the page`);
      for (const [frame, box] of frames) {
        const name = frame.id || frame.className;
        if (left < box.left - 0.5 || right > box.right + 0.5) wrong.push(`"${words}" is cut at a side of ${name}`);
        if (line.top < box.top - 1 || line.bottom > box.bottom + 1) wrong.push(`"${words}" is cut in height by ${name}`);
      }
      const [x, y] = [(left + right) / 2, (line.top + line.bottom) / 2];
      const cover = inPanel(x, y) ? covering(document.elementFromPoint(x, y), element) : null;
      if (cover) wrong.push(`"${words}" is under ${cover.id || cover.getAttribute("class")}`);
    }
  }
  lines.forEach((one, index) => {
    for (const other of lines.slice(index + 1)) {
      if (overlap(one, other)) wrong.push(`"${one.words}" and "${other.words}" lie on each other`);
    }
  });

  const targets = [...document.querySelectorAll("button")].filter(visible);
  targets.forEach((button, index) => {
    const box = button.getBoundingClientRect();
    seen("target_px", Math.min(box.width, box.height));
    if (box.width < TARGET_PX || box.height < TARGET_PX) {
      wrong.push(`button "${button.textContent}" is ${box.width}×${box.height}`);
    }
    for (const other of targets.slice(index + 1)) {
      const near = other.getBoundingClientRect();
      const apart = Math.max(
        near.left - box.right, box.left - near.right, near.top - box.bottom, box.top - near.bottom,
      );
      seen("apart_px", apart);
      if (apart < APART_PX - 0.1) wrong.push(`"${button.textContent}" is ${apart} px from "${other.textContent}"`);
    }
    const inset = 20; // of the corners, which may be round
    for (const x of [box.left + inset, box.right - inset]) {
      for (const y of [box.top + inset, box.bottom - inset]) {
        const hit = inPanel(x, y) ? document.elementFromPoint(x, y) : button;
        if (!button.contains(hit)) wrong.push(`"${button.textContent}" is partly under ${hit?.className || hit?.id}`);
      }
    }
  });
  for (const place of document.querySelectorAll("body > main, body > section, body > footer")) {
    const { bottom } = place.getBoundingClientRect();
    for (const part of place.children) {
      const over = part.getBoundingClientRect().bottom - bottom;
      if (visible(place) && visible(part) && over > 1) wrong.push(`#${part.id} is ${over} px beyond its place`);
    }
  }
  const pieces = [...document.querySelectorAll("#play .page > *, #town .page > *, #corner > *")].filter(visible);
  pieces.forEach((one, index) => {
    const next = pieces[index + 1];
    if (next?.parentElement !== one.parentElement) return;
    if (overlap(one.getBoundingClientRect(), next.getBoundingClientRect())) {
      wrong.push(`${one.className} "${one.innerText}" is over ${next.className}`);
    }
  });
  // One hand, from below: on a turned panel nothing that must be touched has its middle in the upper third.
  if (innerHeight > innerWidth && !scrolls) {
    const few = document.querySelectorAll(".tile").length <= 8;
    for (const button of document.querySelectorAll(few ? "button" : ".action, footer button")) {
      const { top, height } = button.getBoundingClientRect();
      const up = button.closest("#corner") ? top : top + height / 2;
      if (visible(button) && up < innerHeight / 3) wrong.push(`"${button.textContent}" is too far up`);
    }
  }
  const mark = document.querySelector("#turn .mark")?.getBoundingClientRect();
  for (const part of document.querySelectorAll("#pictures > .picture, #said > *")) {
    if (!mark || mark.width === 0 || !visible(part) || part.contains(document.querySelector("#turn .mark"))) continue;
    if (overlap(part.getBoundingClientRect(), mark)) {
      wrong.push(`the mark of whose turn it is lies on ${part.id || "the picture"}`);
    }
  }
  // What is said stands in its own room: centred in one that is too low it would lie under the touches.
  const moment = document.querySelector("#moment")?.getBoundingClientRect();
  for (const part of document.querySelectorAll("#seen > *, #said > *")) {
    if (!moment || moment.height === 0 || part.id === "turn" || !visible(part)) continue;
    const { top, bottom } = part.getBoundingClientRect();
    const over = Math.max(moment.top - top, bottom - moment.bottom);
    if (over >= GAP_PX) wrong.push(`#${part.id || part.className} is ${over} px outside its room`);
  }
  const page = document.documentElement;
  if (!scrolls && page.scrollHeight > innerHeight) wrong.push(`${page.scrollHeight - innerHeight} px below the panel`);
  if (page.scrollWidth > innerWidth) wrong.push(`${page.scrollWidth - innerWidth} px beside the panel`);
  const [back] = [...document.querySelectorAll(".corner-foot .back")].filter(visible);
  const at = back?.getBoundingClientRect();
  document.body.classList.toggle("deaf", deaf);
  return { wrong, texts: read, least, back: at ? [Math.round(at.left), Math.round(at.bottom)] : null };
};
