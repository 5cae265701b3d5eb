/** The heat map: a table of weights, a row for each target word, a column for each source word. */

import { languages } from "./models.js";
import { make, phrase, shade } from "./words.js";

const LARGEST = 10_000; // cells

export const MEANINGS = {
  attention: "How much the model looked at each source word while it wrote a word.",
  shifted: "How much it looked at each source word one step later, when it read the word.",
  guided: "Which source words it takes a word for the translation of, when it has read the word.",
  saliency: "How much a small change of each source word would change the probability of a word.",
  saliency_input: "The gradient of a word's probability, times each source word.",
  smoothed: "Gradient times input, averaged over noisy copies of the source words.",
  jacobian: "How much a small change of each source word would change the state under a word.",
  projected_jacobian: "The same as jacobian, estimated in less time by random projections.",
};

let headings = { source: [], target: [] };

/** Shows the weights (target, source) between the words of a translation. */
export function show(element, translation, weights, { onPoint }) {
  const { source_words: source, target_words: target } = translation;
  headings = { source: [], target: [] };
  element.replaceChildren();
  if (source.length * target.length > LARGEST) {
    const text = "This paragraph is too long for a picture: point at its words instead.";
    make("p", element, text).className = "quiet";
    return;
  }
  const table = make("table", element);
  table.style.setProperty("--columns", source.length);
  const top = make("tr", make("thead", table));
  make("td", top);
  headings.source = source.map(({ text }) => heading(top, "col", text, languages().source));
  const body = make("tbody", table);
  target.forEach(({ text }, row) => {
    const line = make("tr", body);
    headings.target.push(heading(line, "row", text, languages().target));
    source.forEach((_, column) => {
      const cell = make("td", line, weights[row][column].toFixed(2));
      shade(cell, weights[row][column]);
      cell.addEventListener("pointerenter", () => onPoint(row, column));
    });
  });
  table.addEventListener("pointerleave", () => onPoint());
}

/** Marks the row or the column of a word, or both. */
export function mark(place) {
  for (const heading of [...headings.source, ...headings.target]) heading.className = "";
  if (!place) return;
  const other = place.side === "source" ? "target" : "source";
  for (const heading of [headings[place.side][place.index], headings[other][place.partner]]) {
    if (heading) heading.className = "pointed";
  }
}

function heading(row, scope, text, language) {
  const cell = make("th", row);
  cell.scope = scope;
  phrase(cell, text, language);
  return cell;
}
