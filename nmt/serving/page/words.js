/** Words as elements: where they are in a text, and how strongly each is lit. */

export function make(name, parent, text) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  parent?.append(element);
  return element;
}

/** Makes an element of a text in a language, which has a direction of its own. */
export function phrase(parent, text, language) {
  const element = make("bdi", parent, text);
  element.lang = language;
  return element;
}

/** Returns part of a text; places count characters of Unicode, as those of the server do. */
export function slice(text, start, end) {
  return Array.from(text).slice(start, end).join("");
}

/** Writes a text whose words are elements; returns these. */
export function write(element, text, words) {
  const characters = Array.from(text);
  const part = (start, end) => characters.slice(start, end).join("");
  let written = 0;
  element.replaceChildren();
  const spans = words.map(({ start, end }) => {
    element.append(part(written, start));
    written = end;
    return make("span", element, part(start, end));
  });
  element.append(part(written));
  return spans;
}

/** Shows a weight between 0 and 1 as the color of an element; undefined: none. */
export function shade(element, weight) {
  if (weight === undefined) element.style.removeProperty("--weight");
  else element.style.setProperty("--weight", weight);
}
