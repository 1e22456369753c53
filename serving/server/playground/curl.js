/** The line of a terminal that asks what this page asked. */

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

/**
 * @param url of the request. body: as it was sent, but a File in the place of its bytes. hasKey: whether an API key went with it.
 */
export function line(url, body, hasKey) {
  const files = [];
  const json = JSON.stringify(body, (_, value) =>
    value instanceof File ? { b64: `\u0000${files.push(value.name) - 1}\u0000` } : value,
  );
  const data = quoted(json).replace(/\\u0000(\d+)\\u0000/g, (_, place) => `'"$(base64 -w 0 ${argument(files[place])})"'`);
  return `curl -s ${argument(url)}${hasKey ? ` -H "x-api-key: $HUBEL_SERVE_API_KEY"` : ""} -d ${data}`;
}

/** A word of a command line: in quotes where it needs them, and never taken for an option. */
function argument(text) {
  const word = text.startsWith("-") ? `./${text}` : text;
  return /^[\w./:@%+=,-]+$/.test(word) ? word : quoted(word);
}
