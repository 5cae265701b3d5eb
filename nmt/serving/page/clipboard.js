/** Copying, also where the page came by plain HTTP from another machine. */

import { make } from "./words.js";

export async function copy(text) {
  const isWritten = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  if (isWritten) return;
  const area = make("textarea", document.body, text);
  area.select();
  document.execCommand("copy");
  area.remove();
}
