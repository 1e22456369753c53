/** The page: which model is asked what, and what it answered. What each part does, its own module says. */

import { Told, classes, raw, show } from "./answers.js";
import { Failure, address, ask, base64, hasKey, useKey } from "./api.js";
import * as curl from "./curl.js";
import { byId, make } from "./dom.js";
import { Beside, CodeInput, ImageInput, JsonInput, TextInput, beside, codeSize } from "./inputs.js";
import * as mattered from "./mattered.js";
import * as signatures from "./signatures.js";

const SOON = 60; // ms after the last change of a slider or a drawing
const EMPTY = {
  [signatures.IMAGE]: "Choose, drop, paste or draw an image: the answer stands here.",
  [signatures.TEXT]: "Type a text and ask: the answer stands here.",
  [signatures.CODE]: "Move a slider: what is made of the code stands here.",
  [signatures.JSON_ROW]: "Write an example as JSON and ask: the answer stands here.",
};

const state = {
  rows: [],
  model: "",
  where: "",
  card: null,
  all: [],
  asked: [],
  input: null,
  beside: null,
  given: null,
  before: {},
};
let controller = new AbortController(); // of the latest question, which alone is answered
let choosing = new AbortController(); // of the latest choice of a model
let timer = 0;

const said = (text) => (byId("said").textContent = text);

function fail(error) {
  if (error.name === "AbortError") return;
  if (!(error instanceof Failure)) console.error(error);
  byId("result").classList.remove("busy");
  byId("result").replaceChildren();
  byId("failure").replaceChildren(make("strong", {}, error.status ? `Refused (${error.status}). ` : "No answer. "), error.message);
  byId("failure").hidden = false;
  if (error.status === 401) wantKey();
}

function clear(text = "") {
  byId("failure").hidden = true;
  byId("failure").replaceChildren();
  byId("result").classList.remove("busy");
  byId("result").replaceChildren(make("p", { class: "soft" }, text));
}

/** A new question: those before it need no answer. */
function latest() {
  clearTimeout(timer);
  controller.abort();
  controller = new AbortController();
  return controller.signal;
}

const base = (which = state.where) => `v1/models/${encodeURIComponent(state.model)}${which && `/${which}`}`;

// ------------------------------------------------------------------ which model

async function start() {
  try {
    const { json } = await ask("models");
    byId("key-form").hidden = true;
    byId("choice").hidden = false;
    state.rows = json.models;
    fillModels();
    await choose();
  } catch (error) {
    fail(error);
  }
}

function wantKey() {
  byId("key-form").hidden = false;
  byId("key").focus();
}

function options(select, entries, kept) {
  select.replaceChildren(...entries.map(([value, text]) => make("option", { value }, text)));
  if (entries.some(([value]) => value === kept)) select.value = kept;
}

function fillModels() {
  const names = [...new Set(state.rows.map(({ model }) => model))];
  options(
    byId("model"),
    names.map((name) => [name, name]),
    state.model,
  );
  state.model = byId("model").value;
  const rows = state.rows.filter(({ model }) => model === state.model);
  const labels = rows.flatMap(({ version, labels: given }) =>
    given.map((label) => [`labels/${encodeURIComponent(label)}`, `${label} (version ${version})`]),
  );
  const versions = rows.map(({ version, state: its }) => [
    `versions/${version}`,
    `version ${version}${its === "AVAILABLE" ? "" : `, ${its.toLowerCase()}`}`,
  ]);
  options(byId("version"), [["", "the newest that answers"], ...labels, ...versions], state.where);
  state.where = byId("version").value;
}

/** Look at the model that is chosen; `isOther` where what was asked of the one before says nothing of it. */
async function choose(isOther = false) {
  latest();
  choosing.abort();
  choosing = new AbortController();
  const { signal } = choosing;
  state.asked = []; // nothing is asked before it is known what can be
  if (!state.model) return fail(new Failure("The server has no model."));
  try {
    const path = `models/${encodeURIComponent(state.model)}${state.where && `/${state.where}`}/card`;
    const card = ask(path, null, signal).then(({ json }) => json, absent);
    const [its, { json }] = await Promise.all([card, ask(`${base()}/metadata`, null, signal)]);
    signal.throwIfAborted();
    state.card = its;
    state.all = signatures.functions(json, state.card);
    describe();
    fillWhat(isOther ? "" : byId("what").value);
    return build();
  } catch (error) {
    if (error.name === "AbortError") return undefined;
    byId("input").replaceChildren();
    byId("about-model").textContent = "";
    const row = state.rows.find(({ model, version }) => model === state.model && `versions/${version}` === state.where);
    return fail(error.status && row?.error ? new Failure(`${error.message}. ${row.error}`, error.status) : error);
  }
}

/** A card that is not there: models of others have none. */
function absent(error) {
  if (error.status === 404) return null;
  throw error;
}

function describe() {
  const { card } = state;
  const shape = card?.input_shape?.length === 3 ? `, ${card.input_shape[1]}×${card.input_shape[0]} px` : "";
  byId("about-model").textContent = card
    ? `${card.name}: ${card.architecture}, ${card.task}${shape}, ${card.params.toLocaleString("en")} parameters`
    : `${state.model}: a model without hubel's card`;
  document.title = `${state.model} – hubel playground`;
}

function fillWhat(kept) {
  const everything = signatures.everything(state.all);
  const byHand = ({ takes }) => takes !== signatures.JSON_ROW;
  const named = (each) => [each.signature, `${each.name === "serving_default" ? "its answer" : each.name} (${each.signature})`];
  const entries = everything.length > 1 ? [["", `all it says of an image (${everything.map(({ name }) => name).join(", ")})`]] : [];
  const select = byId("what");
  select.replaceChildren(
    ...[...entries, ...state.all.filter(byHand).map(named)].map(([value, text]) => make("option", { value }, text)),
  );
  const others = state.all.filter((each) => !byHand(each)).map(({ signature }) => make("option", { value: signature }, signature));
  if (others.length) select.append(make("optgroup", { label: "by JSON" }, ...others));
  if ([...select.options].some(({ value }) => value === kept && kept)) select.value = kept;
}

// ------------------------------------------------------------------ what is asked

function build(code = null) {
  latest();
  const chosen = state.all.find(({ signature }) => signature === byId("what").value);
  state.asked = chosen ? [chosen] : signatures.everything(state.all);
  const place = byId("input");
  state.given = null;
  place.replaceChildren();
  if (!state.asked.length) return clear("None of its signatures takes anything.");
  const [{ takes, inputs }] = state.asked;
  clear(EMPTY[takes]);
  state.beside = new Beside(beside(inputs), again, said);
  if (takes === signatures.IMAGE) {
    state.image ??= new ImageInput((value) => state.input === state.image && given(value), state.card, said);
    state.input = state.image;
  } else if (takes === signatures.TEXT) {
    state.input = state.text ??= new TextInput(given);
  } else if (takes === signatures.CODE) {
    state.input = new CodeInput(given, sample, codeSize(inputs));
  } else {
    state.input = new JsonInput(given, (text) => fail(new Failure(text)), inputs);
  }
  place.append(
    ...(takes === signatures.CODE ? [state.beside, state.input] : [state.input, state.beside]).map(({ element }) => element),
  );
  if (takes === signatures.IMAGE) state.image.use(state.card);
  if (takes === signatures.CODE) state.input.set(code ?? state.input.values);
  return undefined;
}

/** What a person gave: a picture with its file, a text, a code or a row. null where there is nothing yet. */
function given(value) {
  if (!state.asked.length) return;
  const isOther = value !== state.given;
  state.given = value;
  if (isOther && state.asked[0].takes === signatures.IMAGE) state.beside.over(value?.picture ?? null);
  again();
}

function again() {
  if (!state.asked.length) return undefined;
  latest();
  if (state.given === null) return clear(EMPTY[state.asked[0].takes]);
  if (!state.beside.isWhole)
    return clear(state.beside.mask ? "Draw what is missing over the image." : "Fill in what else it takes.");
  timer = setTimeout(() => question().catch(fail), SOON);
  return undefined;
}

/** A row of "instances", files in the place of bytes. */
function row({ takes, inputs }, main, more) {
  if (takes === signatures.JSON_ROW) return main;
  const value = takes === signatures.IMAGE ? main.file : takes === signatures.CODE ? [...main] : main;
  if (inputs.length === 1) return value;
  return Object.fromEntries(inputs.map(({ name, role }) => [name, role === takes ? value : more[name]]));
}

/** A body with its files as bytes. */
async function encoded(body) {
  if (body instanceof File) return base64(body);
  if (Array.isArray(body)) return Promise.all(body.map(encoded));
  if (body === null || typeof body !== "object") return body;
  return Object.fromEntries(await Promise.all(Object.entries(body).map(async ([name, value]) => [name, await encoded(value)])));
}

async function predict(asked, rows, signal) {
  const body = { signature_name: asked.signature, instances: rows };
  const answer = await ask(`${base()}:predict`, await encoded(body), signal);
  return { ...answer, body, told: answer.json.predictions.map((each) => new Told(asked, each)) };
}

async function question() {
  const signal = latest(),
    { asked, given: main, card, input } = state;
  if (!byId("result").querySelector("details")) clear("Asked; the answer is on its way.");
  byId("result").classList.add("busy");
  const more = { ...state.beside.values };
  const isText = asked[0].takes === signatures.TEXT && input.mattered.checked;
  const rows = isText && asked[0].inputs.length === 1 ? mattered.leftOut(main) : [row(asked[0], main, more)];
  const start = performance.now();
  const answers = await Promise.all(asked.map((each) => predict(each, each === asked[0] ? rows : [row(each, main, more)], signal)));
  const milliseconds = performance.now() - start;
  signal.throwIfAborted();
  const told = answers.map((answer) => answer.told[0]);
  const place = make("div", {});
  const about = { picture: main.picture ?? null, card, explore: explorer(card) };
  const sentences = [show(place, told, about)];
  const winner = classes(told[0], card).best[0]?.name;
  if (winner !== undefined && rows.length > 1) {
    const words = mattered.words(main, answers[0].told, winner, card);
    if (words) place.append(words.element);
    sentences.push(words?.said ?? "");
  }
  if (
    winner !== undefined &&
    asked[0].takes === signatures.IMAGE &&
    main.picture &&
    asked[0].inputs.length === 1 &&
    told[0].of("boxes") === undefined
  ) {
    place.append(whatMattered(asked[0], main.picture, winner, card));
  }
  const versions = [...new Set(answers.map(({ version }) => version).filter(Boolean))];
  const by = versions.length ? `Version ${versions.join(" and ")} answered` : "Answered";
  const many = answers.length > 1 ? ` ${answers.length} requests` : "";
  const texts = rows.length > 1 ? `, with ${rows.length - 1} texts more,` : "";
  const timed = `${by}${many}${texts} in ${milliseconds.toFixed(0)} ms.`;
  const isUnseen = asked[0].takes === signatures.IMAGE && !main.picture;
  if (isUnseen)
    place.prepend(make("p", { class: "soft" }, `This browser cannot show ${main.file.name}; the server was sent it as it is.`));
  place.prepend(make("p", { class: "soft" }, timed));
  const bodies = answers.map(({ body }) => ({ ...body, instances: body.instances.slice(0, 1) }));
  place.append(
    lines(bodies),
    raw(answers.length === 1 ? { predictions: answers[0].json.predictions.slice(0, 1) } : answers.map(({ json }) => json)),
  );
  byId("failure").hidden = true;
  byId("result").classList.remove("busy");
  byId("result").replaceChildren(place);
  said(`${sentences.filter(Boolean).join(" ")} ${timed}`);
}

/** Starting from a code, where the model makes something of codes of that size. */
function explorer(card) {
  return (values) => {
    const makes = state.all.find(
      (each) => each.takes === signatures.CODE && codeSize(each.inputs) === values.length && card === state.card,
    );
    return (
      makes &&
      (() => {
        byId("what").value = makes.signature;
        build(values);
      })
    );
  };
}

async function sample(codes) {
  const signal = latest(),
    [asked] = state.asked,
    { input } = state;
  try {
    const { told } = await predict(
      asked,
      codes.map((code) => row(asked, code, state.beside.values)),
      signal,
    );
    const images = told.map((each) => each.of("image")).filter((image) => image !== undefined);
    input.show(codes, images);
    said(images.length ? `${images.length} samples; choose one.` : "");
    input.set(codes[0]);
  } catch (error) {
    fail(error);
  }
}

/** A button that shows which parts of a picture mattered. */
function whatMattered(asked, picture, winner, card) {
  const { signal } = controller;
  const place = make("div", {});
  const button = make("button", { type: "button" }, "What mattered? Hide each part");
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const parts = await mattered.hidden(picture, card);
      const { told } = await predict(asked, parts.files, signal);
      const made = mattered.places(parts, told, winner, card);
      place.replaceChildren(made?.element ?? make("p", {}, "The answer does not say how probable each class is."));
      said(made?.said ?? "");
    } catch (error) {
      fail(error);
    }
  });
  place.append(button);
  return place;
}

/** The requests as lines of a terminal. */
function lines(bodies) {
  const text = bodies.map((body) => curl.line(address(`${base()}:predict`), body, hasKey())).join("\n");
  const shown = make("pre", { tabIndex: 0, "aria-label": "The request as a line of a terminal" }, text);
  const copy = make(
    "button",
    {
      type: "button",
      onclick: async () => {
        try {
          await navigator.clipboard.writeText(text);
          said("Copied.");
          copy.textContent = "Copied";
        } catch {
          // only pages by TLS or of this machine may
          getSelection().selectAllChildren(shown);
          said("Selected: copy it with Ctrl+C.");
          copy.textContent = "Selected: Ctrl+C copies it";
        }
      },
    },
    "Copy",
  );
  return make("details", {}, make("summary", {}, bodies.length > 1 ? "The requests by curl" : "The request by curl"), shown, copy);
}

// ------------------------------------------------------------------ what the page hears

function listen() {
  byId("model").addEventListener("change", () => {
    Object.assign(state, { model: byId("model").value, where: "" });
    fillModels();
    choose(true);
  });
  byId("version").addEventListener("change", () => {
    state.where = byId("version").value;
    choose();
  });
  byId("what").addEventListener("change", () => build());
  byId("refresh").addEventListener("click", start);
  byId("key-form").addEventListener("submit", (event) => {
    event.preventDefault();
    try {
      useKey(byId("key").value);
      byId("key").value = "";
      byId("failure").hidden = true;
      start();
    } catch (error) {
      fail(error);
    }
  });
  const theme = byId("theme");
  theme.addEventListener("change", () => {
    if (theme.value) document.documentElement.dataset.theme = theme.value;
    else delete document.documentElement.dataset.theme;
  });
  const takesFiles = () => state.input !== null && state.input === state.image;
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!takesFiles() || !files.length) return;
    event.preventDefault();
    state.input.add(files);
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      event.preventDefault(); // a file that misses the field is not opened in the place of the page
      if (!takesFiles()) return;
      state.input.drop.classList.toggle("over", kind === "dragover");
      if (kind === "drop") state.input.add([...event.dataTransfer.files]);
    });
  }
}

listen();
clear("Asking the server which models it has.");
start();
