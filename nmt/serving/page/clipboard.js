/** Copying, also where the page came by plain HTTP from another machine. */

import { make } from "./words.js";

export async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = make("textarea", document.body, text);
  area.select();
  document.execCommand("copy");
  area.remove();
}
