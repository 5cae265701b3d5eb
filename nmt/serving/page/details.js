/** What is known of the line that one reads: its heat map, its alternatives and its beginning. */

import * as heatmap from "./heatmap.js";
import { languages } from "./models.js";
import { make, phrase } from "./words.js";

const LONG = 22; // words of a text whose heat map has the whole width of the page

const [details, map, reading, method, alternatives, prefix] = [
  "details", "map", "reading", "method", "alternatives", "prefix",
].map((id) => document.getElementById(id));

/** Shows a line; `onPoint(row, column)` and `onChoice(number)` are told what one does with it. */
export function show(line, { onPoint, onChoice }) {
  const translation = line?.translation;
  details.hidden = !translation;
  if (!translation) return;
  if (document.activeElement !== prefix) prefix.value = line.prefix;
  details.classList.toggle("long", translation.source_words.length > LONG);
  const weights = translation.matrices[method.value];
  const isTooLarge = method.value in translation.matrices && weights === undefined;
  map.ariaBusy = String(!weights && !isTooLarge);
  if (weights || isTooLarge) heatmap.show(map, translation, weights, { onPoint });
  alternatives.replaceChildren(
    ...line.translations.map((each, number) => {
      const item = make("li");
      const button = make("button", item);
      button.ariaPressed = String(number === line.chosen);
      const same = number === line.chosen ? 0 : sharedLength(each.text, translation.text);
      const text = phrase(button, "", languages().target);
      make("span", text, each.text.slice(0, same)).className = "same";
      text.append(each.text.slice(same));
      make("data", button, each.score.toFixed(2).replace("-", "−"));
      button.addEventListener("click", () => onChoice(number));
      return item;
    }),
  );
}

/** Marks the words that one points at, and says their weight. */
export function mark(line, place) {
  const isShown = place?.line === line;
  heatmap.mark(isShown ? place : null);
  const weight = line?.translation?.matrices[method.value]?.[place?.index]?.[place?.partner];
  if (isShown && weight !== undefined) read(line.translation, place, weight);
  else reading.textContent = heatmap.MEANINGS[method.value] ?? "";
}

/** Says the weight between two words. */
function read({ source_words, target_words }, { index, partner }, weight) {
  reading.replaceChildren();
  phrase(reading, source_words[partner].text, languages().source);
  reading.append(" → ");
  phrase(reading, target_words[index].text, languages().target);
  reading.append(`  ${weight.toFixed(2)}`);
}

/** Returns the length of the words with which both texts begin. */
function sharedLength(one, two) {
  let shared = 0;
  while (shared < one.length && one[shared] === two[shared]) shared += 1;
  return one.lastIndexOf(" ", shared - 1) + 1;
}
