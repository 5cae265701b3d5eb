/** The server's API: requests, answers that come line by line, and errors in the server's words. */

const WRONG_KEY =
  "This is no key of a server: keys have letters, digits and signs of ASCII only. Type it again.";

export class ServerError extends Error {
  constructor(message, { status, retryAfter }) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter; // seconds, or NaN
  }
}

/** The server does not answer, or no longer. */
export class GoneError extends Error {}

export async function models() {
  return read(await ask("v1/models"));
}

export async function isHealthy() {
  return fetch("health").then((answer) => answer.ok, () => false);
}

/** Takes the key of a server that asks for one. */
export function useKey(key) {
  sessionStorage.setItem("key", key.trim());
}

/** Returns the n best translations of a line. */
export async function translate(line, wishes, signal) {
  const answer = await ask("v1/translate", { ...wishes, text: line, attention: true }, signal);
  return (await read(answer)).translations[0];
}

/** Yields the n best translations of each line, in order, each when it is there. */
export async function* translateAll(lines, wishes, signal) {
  const question = { ...wishes, text: lines, attention: true };
  const answer = await ask("v1/translate", question, signal, "application/x-ndjson");
  let missing = lines.length;
  for await (const found of jsonLines(answer.body)) {
    if (found.error) throw new ServerError(found.error, {});
    yield found.translations;
    missing -= 1;
  }
  if (missing) throw new GoneError();
}

/** Returns a given translation with the matrix of another method. */
export async function explain({ source, text }, { model, method }) {
  const question = { model, method, source_text: source, target_text: text };
  return read(await ask("v1/explain", question));
}

async function ask(path, question, signal, accept = "application/json") {
  const headers = { Accept: accept, "Content-Type": "application/json", ...authorization() };
  const posted = question && { method: "POST", body: JSON.stringify(question) };
  const answer = await fetch(path, { ...posted, headers, signal }).catch(asGone);
  if (answer.ok) return answer;
  if ([502, 504].includes(answer.status)) throw new GoneError(); // says a proxy before it
  const { error = `The server answered ${answer.status}.` } = await answer.json().catch(() => ({}));
  const retryAfter = parseInt(answer.headers.get("Retry-After"), 10);
  throw new ServerError(error, { status: answer.status, retryAfter });
}

/** Returns the header with the key; no server has one that headers cannot carry. */
function authorization() {
  const key = sessionStorage.getItem("key");
  if (!key) return {};
  if (!/^[!-~]+$/.test(key)) throw new ServerError(WRONG_KEY, { status: 401 });
  return { Authorization: `Bearer ${key}` };
}

const read = (answer) => answer.json().catch(asGone);

async function* jsonLines(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value = "" } = await reader.read().catch(asGone);
    const lines = (rest + value).split("\n");
    rest = done ? "" : lines.pop();
    for (const line of lines) if (line) yield JSON.parse(line);
    if (done) return;
  }
}

function asGone(error) {
  throw error.name === "AbortError" ? error : new GoneError();
}
