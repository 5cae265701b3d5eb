/** The text field, and the mirror behind it, whose words can be pointed at and lit. */

import { placeOf } from "./line.js";

const [text, mirror] = ["text", "mirror"].map((id) => document.getElementById(id));

export const show = (lines) => mirror.replaceChildren(...lines.map((line) => line.source));

/** Returns the line of the caret, and the index of the word there, or -1, as a place does. */
export function placeAtCaret(lines) {
  const before = text.value.slice(0, text.selectionStart).split("\n");
  const line = lines[before.length - 1];
  const offset = Array.from(before.at(-1)).length;
  const words = (line?.isTranslated && line.translation?.source_words) || [];
  const index = words.findIndex(({ start, end }) => start <= offset && offset <= end);
  return { line, side: "source", index };
}

/** Tells of another text, of a word that one points at, and of a caret that has moved. */
export function listen({ onText, onPoint, onCaret }) {
  text.addEventListener("input", () => {
    document.body.classList.toggle("long", text.value.length > 400);
    onText(text.value.toWellFormed().split("\n"));
  });
  let last;
  text.addEventListener("pointermove", ({ clientX, clientY }) => {
    const word = document.elementsFromPoint(clientX, clientY).find(placeOf);
    if (word !== last) onPoint(placeOf((last = word)));
  });
  text.addEventListener("pointerleave", () => onPoint((last = undefined)));
  text.addEventListener("click", onCaret);
  text.addEventListener("keyup", ({ key }) => {
    if (/Arrow|Home|End|Page/.test(key)) onCaret();
  });
}
