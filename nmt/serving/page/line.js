/** One line of the text: its translations, and the elements of its words on both sides. */

import { make, shade, slice, write } from "./words.js";

const places = new WeakMap(); // of the elements of words

/** Returns which word an element is, as {line, side, index}, if it is one. */
export const placeOf = (element) => places.get(element);

export class Line {
  source = make("div");
  target = make("p");
  prefix = "";
  translations = []; // the n best
  chosen = 0;
  isTranslated = false;
  isWide = false; // whether all that the beam holds has been asked for
  words = { source: [], target: [] };

  constructor(text) {
    this.target.dir = "auto";
    this.edit(text);
  }

  get translation() {
    return this.translations[this.chosen];
  }

  get translatedText() {
    return this.translation?.text ?? "";
  }

  /** Takes another text; the old translation remains, gray, until there is a new one. */
  edit(text) {
    this.text = text;
    this.prefix = "";
    this.outdate();
    this.words.source = [];
    this.source.textContent = text || "\u200b"; // an empty line is as high as any other
    if (!text.trim()) this.take([], true);
  }

  outdate() {
    this.isTranslated = !this.text.trim(); // nothing is to be done for an empty line
    this.target.classList.toggle("old", !this.isTranslated);
  }

  take(translations, isWide) {
    for (const each of translations) each.matrices ??= { [each.method]: each.attention };
    this.translations = translations;
    this.isTranslated = true;
    this.isWide = isWide;
    this.choose(0);
  }

  choose(number) {
    this.chosen = number;
    const { source, source_words, text = "", target_words = [] } = this.translation ?? {};
    const focused = this.words.target.indexOf(document.activeElement);
    this.words = {
      source: source === this.text ? write(this.source, source, source_words) : [],
      target: write(this.target, text, target_words),
    };
    this.target.classList.remove("old");
    for (const [side, spans] of Object.entries(this.words)) {
      spans.forEach((span, index) => places.set(span, { line: this, side, index }));
    }
    const forced = Array.from(this.prefix).length;
    this.words.target.forEach((span, index) => {
      span.role = "button";
      span.tabIndex = -1;
      span.ariaHasPopup = "menu";
      span.classList.toggle("forced", target_words[index].start < forced);
    });
    const last = this.words.target.length - 1;
    if (focused >= 0) this.words.target[Math.min(focused, last)]?.focus();
  }

  /** Returns the text of the translation before a word. */
  before(index) {
    return slice(this.translatedText, 0, this.translation.target_words[index].start);
  }

  /** Lights up the partners of a word, by the matrix of a method. */
  light({ side, index, partner }, method) {
    const matrix = this.translation?.matrices[method];
    const other = side === "source" ? "target" : "source";
    const weights = side === "source" ? matrix?.map((row) => row[index]) : matrix?.[index];
    this.words[other].forEach((span, number) => {
      shade(span, weights?.[number]);
      span.classList.toggle("pointed", number === partner);
    });
    const word = this.words[side][index];
    word?.classList.add("pointed");
    if (word && weights) word.ariaDescription = spoken(this.words[other], weights);
  }

  darken() {
    for (const span of [...this.words.source, ...this.words.target]) {
      shade(span);
      span.classList.remove("pointed");
    }
  }
}

/** Returns the lines of another text; those that have not changed keep what they have. */
export function reconcile(old, texts) {
  const fewer = Math.min(old.length, texts.length);
  let first = 0;
  while (first < fewer && old[first].text === texts[first]) first += 1;
  let last = 0;
  while (last < fewer - first && old.at(-1 - last).text === texts.at(-1 - last)) last += 1;
  const changed = texts.slice(first, texts.length - last).map((text, number) => {
    const line = first + number < old.length - last ? old[first + number] : null;
    line?.edit(text);
    return line ?? new Line(text);
  });
  return [...old.slice(0, first), ...changed, ...old.slice(old.length - last)];
}

/** Returns the partners of a word for a screen reader, the strongest first. */
function spoken(words, weights) {
  return words
    .map((word, number) => [weights[number], word.textContent])
    .filter(([weight]) => weight >= 0.1)
    .sort(([one], [two]) => two - one)
    .map(([weight, text]) => `${text} ${Math.round(100 * weight)}%`)
    .join(", ");
}
