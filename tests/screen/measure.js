// What contracts.md promises of the panel, asked of the drawn page; an empty list is a good page. `scrolls`
// where it is enlarged, and may be longer than the panel.
(asked) => {
  const scrolls = asked?.scrolls === true;
  const TEXT_PX = 33, TARGET_PX = 118, DIGITS_PX = 150, CONTRAST = 4.5, WEIGHT_CONTRAST = 7;
  const GAP_PX = 16; // between the moment and what stands under it
  const DIGIT = 0.73; // a digit's height to its font size in Noto Sans CJK (OS/2 sCapHeight 733)
  const wrong = [];
  const visible = (element) => element.checkVisibility() && element.getClientRects().length > 0;
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

  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement;
    const words = texts.currentNode.data.trim();
    if (words === "" || !visible(element)) continue;
    const style = getComputedStyle(element);
    const size = parseFloat(style.fontSize);
    if (size < TEXT_PX) wrong.push(`"${words}" is ${size} px`);
    const number = element.matches(".number");
    if (number && !scrolls && size * DIGIT < DIGITS_PX) wrong.push(`"${words}" is ${size * DIGIT} px high`);
    const [a, b] = [light(style.color), light(ground(element))].sort((x, y) => y - x);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < (number ? WEIGHT_CONTRAST : CONTRAST)) wrong.push(`"${words}": ${contrast}:1`);
    const range = document.createRange();
    range.selectNodeContents(texts.currentNode);
    const box = range.getBoundingClientRect();
    const frame = (element.closest(".tile, .action, .language") ?? document.body).getBoundingClientRect();
    if (box.left < frame.left || box.right > frame.right + 0.5) wrong.push(`"${words}" is cut at a side`);
    if (box.top < frame.top - 8 || box.bottom > frame.bottom + 8) wrong.push(`"${words}" is cut in height`);
  }
  for (const button of document.querySelectorAll("button")) {
    const { width, height } = button.getBoundingClientRect();
    if (visible(button) && (width < TARGET_PX || height < TARGET_PX)) {
      wrong.push(`button "${button.textContent}" is ${width}×${height}`);
    }
  }
  for (const place of document.querySelectorAll("body > main, body > section, body > footer")) {
    const { bottom } = place.getBoundingClientRect();
    for (const part of place.children) {
      const over = part.getBoundingClientRect().bottom - bottom;
      if (visible(place) && visible(part) && over > 1) wrong.push(`#${part.id} is ${over} px beyond its place`);
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
  // One hand, from below: on a turned panel nothing that must be touched has its middle in the upper third.
  if (innerHeight > innerWidth && !scrolls) {
    const few = document.querySelectorAll(".tile").length <= 8;
    for (const button of document.querySelectorAll(few ? "button" : ".action, footer button")) {
      const { top, height } = button.getBoundingClientRect();
      if (visible(button) && top + height / 2 < innerHeight / 3) wrong.push(`"${button.textContent}" is too far up`);
    }
  }
  const mark = document.querySelector("#turn .mark")?.getBoundingClientRect();
  for (const part of document.querySelectorAll("#pictures > .picture, #said > *")) {
    if (!mark || mark.width === 0 || !visible(part) || part.contains(document.querySelector("#turn .mark"))) continue;
    const { left, right, top, bottom } = part.getBoundingClientRect();
    const beside = right <= mark.left || left >= mark.right || bottom <= mark.top || top >= mark.bottom;
    if (!beside) wrong.push(`the mark of whose turn it is lies on ${part.id || "the picture"}`);
  }
  const page = document.documentElement;
  if (!scrolls && page.scrollHeight > innerHeight) wrong.push(`${page.scrollHeight - innerHeight} px below the panel`);
  if (page.scrollWidth > innerWidth) wrong.push(`${page.scrollWidth - innerWidth} px beside the panel`);
  return wrong;
};
