/** The words of the translation: by mouse, by touch and by keyboard. */

import { placeOf } from "./line.js";

const [translation, menu] = ["translation", "menu"].map((id) => document.getElementById(id));
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
  const leave = () => menu.matches(":popover-open") || onPoint(); // a word keeps its light there
  translation.addEventListener("pointerover", ({ target }) => onPoint(placeOf(target)));
  translation.addEventListener("pointerleave", leave);
  translation.addEventListener("focusin", ({ target }) => {
    keepReachable(target);
    onFocus(placeOf(target));
  });
  translation.addEventListener("focusout", leave);
  translation.addEventListener("click", ({ target }) => {
    if (placeOf(target) && getSelection().isCollapsed) onChoice(placeOf(target));
  });
  translation.addEventListener("keydown", (event) => {
    const all = words();
    const at = all.indexOf(event.target);
    const forward = getComputedStyle(event.target).direction === "rtl" ? -1 : 1;
    const last = all.length - 1;
    const next = { ArrowRight: at + forward, ArrowLeft: at - forward, Home: 0, End: last };
    if (event.key === "Enter" || event.key === " ") onChoice(placeOf(event.target));
    else if (event.key in next) all[next[event.key]]?.focus();
    else return;
    event.preventDefault();
  });
}
