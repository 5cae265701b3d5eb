/** The page: what one types is translated as one pauses; words light up their partners. */

import * as api from "./api.js";
import * as continuations from "./continuations.js";
import * as details from "./details.js";
import { Line, placeOf } from "./line.js";
import { make } from "./words.js";

const DELAY = 250; // milliseconds of a pause
const PATIENCE = 1000; // milliseconds between two looks for a server that is gone

const ids = [
  "text", "mirror", "translation", "model", "method", "prefix", "copy", "cancel", "message",
  "progress", "spoken",
];
const page = Object.fromEntries(ids.map((id) => [id, document.getElementById(id)]));

let models = [];
let lines = [];
let current = null; // the line that the details show
let pointed = null; // the word that one points at: see placeOf
let running = new AbortController();
let timer = 0;
let isGone = false;

const model = () => models.find(({ name }) => name === page.model.value);
const wishes = (others) => ({ model: model().name, n_best: model().beam, ...others });

// Translating.

function schedule(delay) {
  clearTimeout(timer);
  timer = setTimeout(translate, delay);
}

async function translate() {
  clearTimeout(timer);
  running.abort();
  running = new AbortController();
  const { signal } = running;
  const missing = lines.filter((line) => !line.isTranslated);
  if (!model()) return;
  page.translation.ariaBusy = "true";
  try {
    if (missing.length === 1) await translateOne(missing[0], signal);
    else if (missing.length) await translateAll(missing, signal);
    say("");
    page.copy.hidden = !lines.some((line) => line.translatedText);
    if (missing.length) page.spoken.textContent = summary();
    await complete(current, signal);
  } catch (error) {
    if (!signal.aborted) report(error);
  } finally {
    if (signal === running.signal) page.translation.ariaBusy = "false";
  }
}

async function translateOne(line, signal) {
  line.take(await api.translate(line.text, wishes({ prefix: line.prefix }), signal), true);
  refresh();
}

async function translateAll(missing, signal) {
  let done = 0;
  const progress = () => {
    say(`${done} of ${missing.length} paragraphs`);
    page.progress.max = missing.length;
    page.progress.value = done;
    page.progress.hidden = page.cancel.hidden = false;
  };
  const texts = missing.map((line) => line.text);
  progress();
  try {
    for await (const found of api.translateAll(texts, wishes({ n_best: 1 }), signal)) {
      missing[done].take(found, false);
      if (missing[done] === current) refresh();
      done += 1;
      progress();
    }
  } finally {
    page.progress.hidden = page.cancel.hidden = true;
  }
}

/** Asks for what the details of a line lack: the rest of the beam, the matrix of the method. */
async function complete(line, signal) {
  if (!line?.translation || !line.isTranslated) return;
  if (!line.isWide && model().beam > 1) await translateOne(line, signal);
  await explain(line);
}

async function explain({ translation }) {
  const method = page.method.value;
  if (method in translation.matrices) return;
  translation.matrices[method] = null; // is asked for
  try {
    const explained = await api.explain(translation, { model: model().name, method });
    translation.matrices[method] = explained.attention;
  } catch (error) {
    delete translation.matrices[method];
    throw error;
  }
  refresh();
}

function summary() {
  const count = lines.filter((line) => line.translatedText).length;
  return count > 1 ? `${count} paragraphs are translated.` : lines.map(translated).join("");
}

const translated = (line) => line.translatedText;

// The server.

async function start() {
  try {
    const chosen = page.model.value;
    ({ models } = await api.models());
    page.model.replaceChildren(
      ...models.map((each) => {
        const option = make("option", null, title(each));
        option.value = each.name;
        option.selected = chosen ? each.name === chosen : each.default;
        return option;
      }),
    );
    page.model.closest("label").hidden = models.length < 2;
    if (chosen !== page.model.value) useModel();
    else translate();
  } catch (error) {
    report(error);
  }
}

function useModel() {
  const { source, target, methods } = model();
  document.getElementById("source-name").textContent = source ? language(source) : "Text";
  document.getElementById("target-name").textContent = target ? language(target) : "Translation";
  page.text.lang = page.mirror.lang = source ?? "";
  page.translation.lang = target ?? "";
  const method = page.method.value;
  page.method.replaceChildren(
    ...methods.map((each) => {
      const option = make("option", null, each);
      option.selected = each === method;
      return option;
    }),
  );
  lines.forEach((line) => line.outdate());
  translate();
}

function title({ name, source, target }) {
  if (!source || !target) return name;
  const pair = `${language(source)} → ${language(target)}`;
  const same = models.filter((each) => each.source === source && each.target === target);
  return same.length > 1 ? `${pair} (${name})` : pair;
}

function language(code) {
  try {
    return new Intl.DisplayNames(["en"], { type: "language" }).of(code);
  } catch {
    return code; // not one that the standard knows
  }
}

function report(error) {
  if (error instanceof api.GoneError) recover();
  else if (error instanceof api.ServerError) {
    say(error.message);
    if (error.retryAfter) schedule(1000 * error.retryAfter);
  } else throw error;
}

async function recover() {
  if (isGone) return;
  isGone = true;
  say("The server does not answer. Trying again …");
  do await new Promise((resolve) => setTimeout(resolve, PATIENCE));
  while (!(await api.isHealthy()));
  isGone = false;
  start();
}

function say(message) {
  if (!isGone || message.startsWith("The server")) page.message.textContent = message;
}

// Reading.

function refresh() {
  details.show(current, {
    onPoint: (index, partner) =>
      point(index === undefined ? null : { line: current, side: "target", index, partner }),
    onChoice(number) {
      current.choose(number);
      look(current);
    },
  });
  point(pointed);
  keepReachable();
}

function look(line) {
  current?.target.classList.remove("current");
  current = line;
  current?.target.classList.toggle("current", lines.length > 1);
  for (const element of line ? [line.source, line.target] : []) bringIntoView(element);
  refresh();
  complete(line, running.signal).catch((error) => running.signal.aborted || report(error));
}

/** Scrolls a pane, and not the window, to a line. */
function bringIntoView(element) {
  const pane = element.closest(".paper");
  const [inner, outer] = [element, pane].map((each) => each.getBoundingClientRect());
  if (inner.bottom < outer.top || inner.top > outer.bottom) pane.scrollTop += inner.top - outer.top;
}

function point(place) {
  pointed?.line.darken();
  pointed = place?.line.words[place.side][place.index] ? place : null;
  if (pointed) {
    pointed.line.light(pointed, page.method.value);
    if (pointed.line.isTranslated) explain(pointed.line).catch(report);
  }
  details.mark(current, pointed);
}

/** Keeps one word of the translation within reach of the tab key; arrows lead to the others. */
function keepReachable() {
  const words = page.translation.querySelectorAll("span");
  if (words.length && !page.translation.querySelector('span[tabindex="0"]')) words[0].tabIndex = 0;
}

function placeAtCaret() {
  const before = page.text.value.slice(0, page.text.selectionStart).split("\n");
  const line = lines[before.length - 1];
  const offset = Array.from(before.at(-1)).length;
  const words = (line?.isTranslated && line.translation?.source_words) || [];
  const index = words.findIndex(({ start, end }) => start <= offset && offset <= end);
  return { line, side: "source", index };
}

// What one does.

page.text.addEventListener("input", () => {
  running.abort();
  point(null);
  lines = reconcile(lines, page.text.value.toWellFormed().split("\n"));
  page.mirror.replaceChildren(...lines.map((line) => line.source));
  page.translation.replaceChildren(...lines.map((line) => line.target));
  document.body.classList.toggle("long", page.text.value.length > 400);
  const { line } = placeAtCaret();
  if (line !== current) look(line);
  schedule(DELAY);
});

function reconcile(old, texts) {
  const fewer = Math.min(old.length, texts.length);
  let first = 0;
  while (first < fewer && old[first].text === texts[first]) first += 1;
  let last = 0;
  while (last < fewer - first && old.at(-1 - last).text === texts.at(-1 - last)) last += 1;
  const changed = texts.slice(first, texts.length - last).map((text, number) => {
    const line = first + number < old.length - last ? old[first + number] : null;
    line?.edit(text);
    return line ?? new Line(text);
  });
  return [...old.slice(0, first), ...changed, ...old.slice(old.length - last)];
}

for (const event of ["click", "keyup"]) {
  page.text.addEventListener(event, ({ key = "Arrow" }) => {
    if (!/Arrow|Home|End|Page/.test(key)) return;
    const place = placeAtCaret();
    if (place.line !== current) look(place.line);
    point(place);
  });
}

page.text.addEventListener("pointermove", ({ clientX, clientY }) => {
  const under = document.elementsFromPoint(clientX, clientY).map(placeOf).find(Boolean);
  if (under?.line !== pointed?.line || under?.index !== pointed?.index) point(under);
});
page.translation.addEventListener("pointerover", ({ target }) => point(placeOf(target)));
for (const side of [page.text, page.translation]) {
  side.addEventListener("pointerleave", () => point(null));
}

page.translation.addEventListener("focusin", ({ target }) => {
  const place = placeOf(target);
  page.translation.querySelectorAll('span[tabindex="0"]').forEach((each) => (each.tabIndex = -1));
  target.tabIndex = 0;
  if (place.line !== current) look(place.line);
  point(place);
});
page.translation.addEventListener("focusout", () => point(null));

page.translation.addEventListener("click", ({ target }) => {
  if (placeOf(target) && getSelection().isCollapsed) openMenu(target);
});

page.translation.addEventListener("keydown", (event) => {
  const words = [...page.translation.querySelectorAll("span")];
  const at = words.indexOf(event.target);
  const forward = getComputedStyle(event.target).direction === "rtl" ? -1 : 1;
  const steps = { ArrowRight: at + forward, ArrowLeft: at - forward, Home: 0, End: words.length - 1 };
  if (event.key === "Enter" || event.key === " ") openMenu(event.target);
  else if (event.key in steps) words[steps[event.key]]?.focus();
  else return;
  event.preventDefault();
});

function openMenu(word) {
  const place = placeOf(word);
  if (!place.line.isTranslated) return;
  const translate = (more, signal) => api.translate(place.line.text, wishes(more), signal);
  const onChoice = (prefix) => begin(place.line, prefix);
  continuations.open(word, place, { translate, onChoice }).catch(report);
}

function begin(line, prefix) {
  line.prefix = prefix;
  line.outdate();
  translate();
}

page.prefix.addEventListener("input", () => {
  current.prefix = page.prefix.value;
  current.outdate();
  schedule(DELAY);
});

page.model.addEventListener("change", () => {
  for (const line of lines) line.prefix = "";
  useModel();
});
page.method.addEventListener("change", () => look(current));
page.cancel.addEventListener("click", cancel);
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && !page.cancel.hidden) cancel();
});

function cancel() {
  running.abort();
  say("Cancelled.");
}

page.copy.addEventListener("click", async () => {
  await copied(lines.map(translated).join("\n"));
  page.copy.textContent = "Copied";
  setTimeout(() => (page.copy.textContent = "Copy"), 2000);
});

/** Writes to the clipboard, also where the page came by plain HTTP from another machine. */
async function copied(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = make("textarea", document.body, text);
  area.select();
  document.execCommand("copy");
  area.remove();
}

start();
