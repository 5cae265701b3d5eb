/** The words of the translation: by mouse, by touch and by keyboard. */

import { placeOf } from "./line.js";

const translation = document.getElementById("translation");
const words = () => [...translation.querySelectorAll("span")];

export function show(lines) {
  translation.replaceChildren(...lines.map((line) => line.target));
}

/** Keeps one word within reach of the tab key; arrows lead to the others. */
export function keepReachable(word = words().find((each) => each.tabIndex === 0) ?? words()[0]) {
  for (const each of translation.querySelectorAll('[tabindex="0"]')) each.tabIndex = -1;
  if (word) word.tabIndex = 0;
}

/** Tells of a word that one points at, of one that has the focus, and of one that is chosen. */
export function listen({ onPoint, onFocus, onChoice }) {
  translation.addEventListener("pointerover", ({ target }) => onPoint(placeOf(target)));
  translation.addEventListener("pointerleave", () => onPoint());
  translation.addEventListener("focusin", ({ target }) => {
    keepReachable(target);
    onFocus(placeOf(target));
  });
  translation.addEventListener("focusout", () => onPoint());
  translation.addEventListener("click", ({ target }) => {
    if (placeOf(target) && getSelection().isCollapsed) onChoice(placeOf(target));
  });
  translation.addEventListener("keydown", (event) => {
    const all = words();
    const at = all.indexOf(event.target);
    const forward = getComputedStyle(event.target).direction === "rtl" ? -1 : 1;
    const next = { ArrowRight: at + forward, ArrowLeft: at - forward, Home: 0, End: all.length - 1 };
    if (event.key === "Enter" || event.key === " ") onChoice(placeOf(event.target));
    else if (event.key in next) all[next[event.key]]?.focus();
    else return;
    event.preventDefault();
  });
}
