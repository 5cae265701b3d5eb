/** The page: what one types is translated as one pauses; words light up their partners. */

import * as api from "./api.js";
import { copy } from "./clipboard.js";
import * as continuations from "./continuations.js";
import * as details from "./details.js";
import { reconcile } from "./line.js";
import * as models from "./models.js";
import * as source from "./source.js";
import * as target from "./target.js";

const DELAY = 250; // milliseconds of a pause
const PATIENCE = 1000; // milliseconds between two looks for a server that is gone
const GONE = "The server does not answer. Trying again …";

const ids = [
  "translation", "model", "method", "opening", "key", "prefix", "copy", "message", "working",
  "done", "progress", "cancel", "spoken",
];
const page = Object.fromEntries(ids.map((id) => [id, document.getElementById(id)]));

let lines = [];
let current = null; // the line that the details show
let pointed = null; // the word that one points at: see placeOf
let running = new AbortController();
let timer = 0;
let isGone = false;

// Translating.

/** Returns what is asked for a line; one that begins with a prefix is not divided behind it. */
function wishes(others) {
  const { name } = models.chosen();
  const sentences = lines.length > 1 && !others.prefix;
  return { model: name, n_best: models.widest(), sentences, ...others };
}

function schedule(delay) {
  clearTimeout(timer);
  timer = setTimeout(translate, delay);
}

/** Stops what is asked for; returns the signal of what is asked for from now on. */
function stop() {
  running.abort();
  running = new AbortController();
  page.translation.ariaBusy = "false";
  return running.signal;
}

async function translate() {
  clearTimeout(timer);
  const signal = stop();
  const missing = lines.filter((line) => !line.isTranslated);
  if (!models.chosen()) return;
  page.translation.ariaBusy = "true";
  try {
    if (missing.length) await translateLines(missing, signal);
    else refresh();
    say(current?.translation?.warning ?? "");
    page.copy.hidden = !lines.some((line) => line.translatedText);
    if (missing.length) speak();
    await complete(current, signal);
  } catch (error) {
    if (!signal.aborted) report(error);
  } finally {
    if (signal === running.signal) page.translation.ariaBusy = "false";
  }
}

/** Translates lines; each one with a prefix is a request, since a request has one prefix. */
async function translateLines(missing, signal) {
  const others = missing.filter((line) => !line.prefix);
  for (const line of missing) if (line.prefix) await translateOne(line, signal);
  if (others.length === 1) await translateOne(others[0], signal);
  else if (others.length) await translateAll(others, signal);
}

async function translateOne(line, signal) {
  const found = await api.translate(line.text, wishes({ prefix: line.prefix }), signal);
  signal.throwIfAborted();
  line.take(found, true);
  refresh();
}

async function translateAll(missing, signal) {
  let done = 0;
  const progress = () => {
    page.done.textContent = `${done} of ${missing.length} paragraphs`;
    page.progress.max = missing.length;
    page.progress.value = done;
    page.working.hidden = false;
  };
  const texts = missing.map((line) => line.text);
  progress();
  try {
    for await (const found of api.translateAll(texts, wishes({ n_best: 1 }), signal)) {
      signal.throwIfAborted();
      missing[done].take(found, false);
      if (missing[done] === current) refresh();
      done += 1;
      progress();
    }
  } finally {
    page.working.hidden = true;
  }
}

/** Asks for what the details of a line lack: the rest of the beam, the matrix of the method. */
async function complete(line, signal) {
  if (!line?.translation || !line.isTranslated) return;
  if (!line.isWide && models.widest() > 1) await translateOne(line, signal);
  await explain(line);
}

async function explain(line) {
  const { translation, chosen, prefix, text } = line;
  const method = page.method.value;
  if (method in translation.matrices) return;
  translation.matrices[method] = null; // is asked for
  try {
    // The same search again knows how the line was divided into sentences.
    const n_best = chosen ? models.widest() : 1;
    const found = await api.translate(text, wishes({ prefix, method, n_best }));
    const same = found.find((each) => each.text === translation.text);
    const explained = same ?? (await api.explain(translation, wishes({ method })));
    translation.matrices[method] = explained.attention;
  } catch (error) {
    delete translation.matrices[method];
    throw error;
  }
  refresh();
}

/** Tells a screen reader the translation of a line, or how many there are. */
function speak() {
  const texts = lines.map((line) => line.translatedText).filter(Boolean);
  const isLong = texts.length > 1;
  page.spoken.lang = isLong ? "en" : models.languages().target;
  page.spoken.textContent = isLong ? `${texts.length} paragraphs are translated.` : texts.join("");
}

// The server.

async function start() {
  try {
    if (await models.load()) useModel();
    else translate();
  } catch (error) {
    report(error);
  }
}

function useModel() {
  models.show();
  for (const line of lines) begin(line, "");
  translate();
}

function report(error) {
  if (error instanceof api.GoneError) recover();
  else if (error instanceof api.ServerError) {
    say(error.message);
    page.opening.hidden = error.status !== 401;
    if (error.retryAfter) schedule(1000 * error.retryAfter);
  } else throw error;
}

async function recover() {
  if (isGone) return;
  say(GONE);
  isGone = true;
  do await new Promise((resolve) => setTimeout(resolve, PATIENCE));
  while (!(await api.isHealthy()));
  isGone = false;
  start();
}

function say(message) {
  if (!isGone) page.message.textContent = message;
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
  target.keepReachable();
}

function look(line) {
  current?.target.classList.remove("current");
  current = line;
  current?.target.classList.toggle("current", lines.length > 1);
  for (const element of line ? [line.source, line.target] : []) bringIntoView(element);
  refresh();
  const { signal } = running;
  complete(line, signal).catch((error) => signal.aborted || report(error));
}

/** Scrolls a pane, and not the window, to a line. */
function bringIntoView(element) {
  const pane = element.closest(".paper");
  const [inner, outer] = [element, pane].map((each) => each.getBoundingClientRect());
  if (inner.bottom < outer.top || inner.top > outer.bottom) pane.scrollTop += inner.top - outer.top;
}

function point(place) {
  pointed?.line.darken();
  pointed = place?.line?.words[place.side][place.index] ? place : null;
  if (pointed) {
    pointed.line.light(pointed, page.method.value);
    bringIntoView(pointed.line[pointed.side === "source" ? "target" : "source"]);
    if (pointed.line.isTranslated) explain(pointed.line).catch(report);
  }
  details.mark(current, pointed);
}

function lookAndPoint(place) {
  if (place.line !== current) look(place.line);
  point(place);
}

// What one does.

source.listen({
  onText(texts) {
    stop();
    point(null);
    lines = reconcile(lines, texts);
    source.show(lines);
    target.show(lines);
    const { line } = source.placeAtCaret(lines);
    if (line !== current) look(line);
    schedule(DELAY);
  },
  onPoint: point,
  onCaret: () => lookAndPoint(source.placeAtCaret(lines)),
});

target.listen({
  onPoint: point,
  onFocus: lookAndPoint,
  onChoice(place) {
    const { line } = place;
    if (!line.isTranslated) return;
    const onChoice = (prefix) => {
      begin(line, prefix);
      translate();
    };
    const search = (more, signal) => api.translate(line.text, wishes(more), signal);
    continuations.open(place, { translate: search, onChoice }).catch(report);
  },
});

/** Outdates a line, whose next translation begins with a prefix. */
function begin(line, prefix) {
  line.prefix = prefix;
  line.outdate();
}

page.prefix.addEventListener("input", () => {
  stop(); // or the answer for an older prefix might come after this one
  begin(current, page.prefix.value);
  schedule(DELAY);
});
page.opening.addEventListener("submit", (event) => {
  event.preventDefault();
  api.useKey(page.key.value);
  page.opening.hidden = true;
  start();
});
page.model.addEventListener("change", useModel);
page.method.addEventListener("change", () => look(current));

function cancel() {
  stop();
  say("Cancelled.");
}

page.cancel.addEventListener("click", cancel);
document.addEventListener("keydown", ({ key }) => {
  if (key === "Escape" && !page.working.hidden) cancel();
});

page.copy.addEventListener("click", async () => {
  await copy(lines.map((line) => line.translatedText).join("\n"));
  page.copy.textContent = "Copied";
  setTimeout(() => (page.copy.textContent = "Copy"), 2000);
});

start();
