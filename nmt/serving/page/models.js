/** The models that the server has, and the one that is chosen. */

import * as api from "./api.js";
import { make } from "./words.js";

const [models, methods, text, mirror, translation, prefix, sourceName, targetName] = [
  "model", "method", "text", "mirror", "translation", "prefix", "source-name", "target-name",
].map((id) => document.getElementById(id));
let known = [];

const MOST = 10; // alternatives, which samples might be more

/** Returns {name, source, target, n_best, methods}, or nothing before the server has answered. */
export const chosen = () => known.find(({ name }) => name === models.value);

export const widest = () => Math.min(MOST, chosen().n_best ?? MOST);

/** Returns the languages of both sides, for attributes `lang`; "" is one that is not known. */
export function languages() {
  const { source, target } = chosen();
  return { source: source ?? "", target: target ?? "" };
}

/** Asks which models there are; returns whether another one is chosen now. */
export async function load() {
  const before = models.value;
  known = (await api.models()).models;
  fill(models, known.map((each) => [each.name, title(each)]));
  const again = known.find(({ name }) => name === before);
  models.value = (again ?? known.find((each) => each.default)).name;
  models.closest("label").hidden = known.length < 2;
  return models.value !== before;
}

/** Names the languages of the model, and offers its methods. */
export function show() {
  const { source, target, methods: names } = chosen();
  sourceName.textContent = source ? language(source) : "Text";
  targetName.textContent = target ? language(target) : "Translation";
  text.lang = mirror.lang = languages().source;
  translation.lang = prefix.lang = languages().target;
  const method = methods.value;
  fill(methods, names.map((name) => [name, name.replace("_", " × ")]));
  methods.value = names.includes(method) ? method : names[0];
}

function fill(select, options) {
  select.replaceChildren();
  for (const [value, name] of options) make("option", select, name).value = value;
}

function title({ name, source, target }) {
  if (!source || !target) return name;
  const pair = `${language(source)} → ${language(target)}`;
  const same = known.filter((each) => each.source === source && each.target === target);
  return same.length > 1 ? `${pair} (${name})` : pair;
}

function language(code) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code);
  } catch {
    return code; // not one that the standard knows
  }
}
