/** Asking the server that this page is of: TF Serving's REST API, so that what is seen here is what clients get. */

export class Failure extends Error {
  /** @param status of HTTP; 0 where there was no answer. */
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

let key = "";

/** The API key that goes with each request from now on; it is kept nowhere else. */
export function useKey(value) {
  if (/[^\x21-\x7e]/.test(value)) throw new Failure("An API key has letters, digits and signs of ASCII, and no spaces.");
  key = value;
}

export const hasKey = () => key !== "";

/** The address of a path of this server. */
export const address = (path) => new URL(path, document.baseURI).href;

/**
 * What the server answers.
 * @param body what is sent as JSON; null to look alone.
 * @returns {json, milliseconds, version}: the version of a model that answered, where the server says so.
 * @throws Failure, with the server's own sentence where there is one; AbortError once `signal` is.
 */
export async function ask(path, body = null, signal = undefined) {
  const start = performance.now();
  const headers = { ...(key && { "x-api-key": key }), ...(body && { "content-type": "application/json" }) };
  const sent = { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body), signal };
  let response, text;
  try {
    response = await fetch(address(path), { ...sent, cache: "no-store", credentials: "omit" });
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Failure(`The server at ${location.origin} does not answer. Is hubel serve still running there?`);
  }
  const milliseconds = performance.now() - start;
  const json = parsed(text);
  if (!response.ok)
    throw new Failure(json?.error ?? `The server answered ${response.status} ${response.statusText}.`, response.status);
  if (json === undefined) throw new Failure("The server answered what is no JSON.", response.status);
  return { json, milliseconds, version: response.headers.get("x-model-version") };
}

const STRING_OR_NUMBER = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;
const BARE = { NaN: "null", Infinity: "1e999", "-Infinity": "-1e999" };

/** JSON in which TF Serving has NaN and Infinity bare: null, and infinities. undefined for what is no JSON. */
function parsed(text) {
  for (const attempt of [() => text, () => text.replace(STRING_OR_NUMBER, (token) => BARE[token] ?? token)]) {
    try {
      return JSON.parse(attempt());
    } catch {
      continue;
    }
  }
  return undefined;
}

/** Bytes of a file as JSON has them. */
export async function base64(blob) {
  const read = new FileReader();
  const done = new Promise((resolve, reject) => {
    read.onload = () => resolve(read.result);
    read.onerror = () => reject(new Failure(`The file cannot be read: ${read.error.message}`));
  });
  read.readAsDataURL(blob);
  return { b64: (await done).replace(/^[^,]*,?/, "") };
}
