/** The menu of what else could follow at a word of the translation. */

import { languages } from "./models.js";
import { make, phrase, slice } from "./words.js";

const ENOUGH = 5; // continuations
const ROUNDS = 3; // searches for them: each forbids the words that the ones before have found

const menu = document.getElementById("menu");
let search = new AbortController();
let opened = () => null; // returns the word; its element may be another by now

/**
 * Opens the menu at a word of a line; `translate(wishes, signal)` finds translations of the line,
 * and `onChoice(prefix)` is told the beginning that is chosen.
 */
export async function open({ line, index }, { translate, onChoice }) {
  search.abort();
  search = new AbortController();
  const { signal } = search;
  const prefix = line.before(index);
  opened = () => line.words.target[index];
  const present = opened().textContent;
  menu.ariaBusy = "true";
  menu.replaceChildren();
  make("p", menu, "…");
  opened().focus();
  menu.showPopover();
  put();
  try {
    for await (const found of continuations(prefix, translate, signal)) {
      const focused = document.activeElement.dataset.word;
      menu.replaceChildren(...found.map((each) => item(each, { present, prefix, onChoice })));
      put();
      const again = [...menu.children].find((each) => each.dataset.word === focused);
      (again ?? menu.firstChild)?.focus();
    }
  } catch (error) {
    menu.hidePopover();
    if (!signal.aborted) throw error;
  }
  menu.ariaBusy = "false";
}

/** Yields more and more of the words that could follow a prefix, the likeliest first. */
async function* continuations(prefix, translate, signal) {
  const found = new Map();
  let before = -1;
  for (let round = 0; round < ROUNDS && before < found.size && found.size < ENOUGH; round += 1) {
    before = found.size;
    for (const each of await translate({ prefix, forbid: [...found.keys()] }, signal)) {
      const next = each.target_words.find(({ start }) => start >= Array.from(prefix).length);
      if (next && each.text.startsWith(prefix) && !found.has(next.text)) {
        found.set(next.text, { text: each.text, next });
      }
    }
    yield [...found.values()]
      .sort((one, two) => two.next.log_prob - one.next.log_prob)
      .slice(0, ENOUGH);
  }
}

function item({ text, next }, { present, prefix, onChoice }) {
  const button = make("button");
  const rest = slice(text, next.end);
  button.role = "menuitemradio";
  button.ariaChecked = String(next.text === present);
  button.dataset.word = next.text;
  const line = phrase(button, "", languages().target);
  make("b", line, next.text);
  line.append(rest);
  make("data", button, percent(Math.exp(next.log_prob)));
  button.addEventListener("click", () => {
    menu.hidePopover();
    onChoice(prefix + next.text + (rest ? " " : ""));
  });
  return button;
}

const percent = (share) => (share < 0.01 ? "< 1%" : `${Math.round(100 * share)}%`);

/** Puts the menu under a word, within the window. */
function put() {
  const { left, bottom } = opened().getBoundingClientRect();
  menu.style.setProperty("left", 0); // where it is as wide as it likes
  const rightmost = document.documentElement.clientWidth - menu.offsetWidth - 12;
  menu.style.setProperty("left", `${Math.max(12, Math.min(left, rightmost)) + scrollX}px`);
  menu.style.setProperty("top", `${bottom + 6 + scrollY}px`);
}

menu.addEventListener("toggle", ({ newState }) => {
  if (newState !== "closed") return;
  search.abort();
  if (document.activeElement === document.body) opened()?.focus();
});

menu.addEventListener("keydown", (event) => {
  const items = [...menu.querySelectorAll("button")];
  const at = items.indexOf(document.activeElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
  if (next === undefined || !items.length) return;
  event.preventDefault();
  items.at(next % items.length).focus();
});
