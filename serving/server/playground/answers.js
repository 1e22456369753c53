/** Showing what a model answered, by the kind of each output. Nothing here knows a task or the name of an output. */

import { digits, make, share, slider } from "./dom.js";
import * as pictures from "./pictures.js";

const FIRST = 5; // classes that are shown until somebody wants all
const SHOWN = 20000; // characters of JSON
const NUMBERS = 16; // of a list, until one looks closer

/**
 * What one signature said of one example: the values of its outputs by kind.
 * @param row as JSON of TF Serving has it: the value itself where there is one output.
 */
export class Told {
  constructor(asked, row) {
    this.asked = asked;
    this.gives = asked.gives;
    this.row = asked.outputs.length === 1 ? { [asked.outputs[0]]: row } : row;
  }

  names(kind) {
    return Object.keys(this.gives).filter((name) => this.gives[name] === kind && name in this.row);
  }

  /** The value of the first output of a kind, or undefined. */
  of(kind) {
    return this.row[this.names(kind)[0]];
  }
}

const list = (value) => (value === undefined ? undefined : [value].flat());

/** What is said of classes: {name, score, holds} each, the best first; `all` of the card's classes, or null. */
export function classes(told, card) {
  const names = list(told.of("names")),
    scores = list(told.of("scores")),
    flags = list(told.of("flags"));
  const decisions = list(told.of("decisions")),
    probabilities = list(told.of("probabilities"));
  const known = card?.class_names ?? [];
  const all = (probabilities ?? decisions)
    ?.map((value, place) => ({
      name: known.length === (probabilities ?? decisions).length ? known[place] : String(place),
      score: probabilities?.[place],
      holds: decisions?.[place] === undefined ? undefined : Boolean(decisions[place]),
    }))
    .sort((first, other) => other.score - first.score);
  const best = names?.map((name, place) => ({ name, score: scores?.[place], holds: flags?.[place] }));
  return { best: best ?? all ?? [], all: all ?? null };
}

/** How probable a class is by one answer; null where that does not say it. */
export function probabilityOf(told, name, card) {
  const { best, all } = classes(told, card);
  return (all ?? best).find((each) => each.name === name)?.score ?? null;
}

/**
 * Put answers into a place.
 * @param told a list of Told. asked: {picture, card, explore}: the picture that was asked about, or null, and what is called with a
 *   code that somebody wants to start from, or null.
 * @returns a sentence for those who do not see it.
 */
export function show(place, told, asked) {
  const parts = [judged, boxed, classified].flatMap((part) => told.map((each) => part(each, asked, told)));
  parts.push(pictured(told, asked), ...[written, counted, coded].flatMap((part) => told.map((each) => part(each, asked))));
  const there = parts.filter((part) => part !== null);
  place.append(...there.map(({ element }) => element));
  return there
    .map(({ said }) => said)
    .filter(Boolean)
    .join(" ");
}

/** The anomaly score with its threshold. */
function judged(told, _, all) {
  const score = list(told.of("anomaly_score"))?.[0];
  if (score === undefined) return null;
  const more = all.find((each) => each.of("threshold") !== undefined);
  if (more && more !== told && more.of("anomaly_score") !== undefined) return null; // which says it whole
  const threshold = list(told.of("threshold"))?.[0],
    decided = list(told.of("is_anomaly"))?.[0];
  const said = [];
  if (decided !== undefined) said.push(decided ? "An anomaly." : "No anomaly.");
  said.push(`Anomaly score ${digits(score)}${threshold === undefined ? "." : `, threshold ${digits(threshold)}.`}`);
  const element = make("div", {}, make("p", { class: "headline" }, said.join(" ")));
  if (threshold > 0 && score >= 0) {
    const top = Math.max(score, threshold) * 1.25;
    element.append(make("ul", { class: "bars plain" }, bar("score", score / top, digits(score), threshold / top)));
    element.append(make("p", { class: "soft" }, "The line is the threshold: what lies above is an anomaly."));
  }
  return { said: said.join(" "), element };
}

/** Boxes over the picture, with what is said of each. */
function boxed(told, { picture }) {
  const boxes = told.of("boxes");
  if (boxes === undefined) return null;
  const names = list(told.of("names")),
    scores = list(told.of("scores"));
  const fits = (values) => (values?.length === boxes.length ? values : null);
  const rows = boxes.map((box, place) => ({ box, name: fits(names)?.[place], score: fits(scores)?.[place] }));
  const element = make("div", {}, make("h3", {}, "Boxes"));
  const body = make("tbody");
  const made = picture && pictures.shrunk(picture, 640);
  const paint = (least) => {
    const chosen = rows.filter(({ score }) => score === undefined || score >= least);
    body.replaceChildren(
      ...chosen.map(({ box, name, score }) => make("tr", {}, make("td", {}, name ?? ""), ...[score, ...box].map(cell))),
    );
    if (made) outline(made, picture, chosen);
  };
  if (made) element.append(figure(pictures.fitted(made, 420), "The boxes over the picture"));
  if (fits(scores)) {
    const set = { min: 0, max: 1, step: 0.01, value: 0, shown: share, label: "Show boxes with at least this score" };
    element.append(slider("Least score", set, paint));
  }
  const head = ["class", "score", "top", "left", "bottom", "right"].map((text, place) =>
    make("th", { scope: "col", class: place ? "number" : "" }, text),
  );
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), body);
  element.append(scrolled("Boxes, px of the picture", table));
  paint(0);
  const first = rows[0] && [rows[0].name, rows[0].score === undefined ? null : share(rows[0].score)].filter(Boolean).join(" ");
  return { said: `${rows.length} ${rows.length === 1 ? "box" : "boxes"}${first ? `: ${first}` : ""}.`, element };
}

const cell = (number) => make("td", { class: "number" }, number === undefined ? "" : digits(number));

function outline(made, picture, rows) {
  const context = made.getContext("2d"),
    factor = made.width / picture.width;
  context.drawImage(picture, 0, 0, made.width, made.height);
  const thick = Math.max(made.width / 200, 0.5);
  rows.forEach(({ box: [top, left, bottom, right], name }, place) => {
    const sides = [left, top, right - left, bottom - top].map((side) => side * factor);
    for (const [colour, width] of [
      ["#000", 2 * thick],
      [`rgb(${pictures.colourOf(place).join()})`, thick],
    ]) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.strokeRect(...sides);
    }
    if (name === undefined || made.width < 100) return;
    context.font = `${12 + thick}px sans-serif`;
    context.fillStyle = "#000c";
    context.fillRect(sides[0], sides[1], context.measureText(name).width + 8, 18);
    context.fillStyle = "#fff";
    context.fillText(name, sides[0] + 4, sides[1] + 13);
  });
}

/** Classes with how probable they are. */
function classified(told, { card }) {
  const boxes = told.of("boxes");
  const { best, all } = classes(told, card);
  if (!best.length || (boxes && list(told.of("names"))?.length === boxes.length)) return null;
  const held = best.filter(({ holds }) => holds).map(({ name }) => name);
  const isDecided = best.some(({ holds }) => holds !== undefined);
  const score = best[0].score === undefined ? "" : ` ${share(best[0].score)}`;
  const said = isDecided ? `${held.join(", ") || "None of the classes"}.` : `${best[0].name}${score}.`;
  const element = make(
    "div",
    {},
    make("p", { class: "headline" }, isDecided ? held.join(", ") || "None of the classes holds" : best[0].name),
  );
  const bars = make("ol", { class: isDecided ? "bars plain judged" : "bars", "aria-label": "Classes" });
  const fill = (rows) =>
    bars.replaceChildren(
      ...rows.map(({ name, score: value, holds }) => {
        const verdict = holds === undefined ? "" : holds ? " holds" : " does not hold";
        return bar(name, value ?? 0, `${value === undefined ? "" : share(value)}${verdict}`);
      }),
    );
  const most = all?.length > best.length ? all : best;
  const few = best.slice(0, Math.max(FIRST, held.length));
  fill(few);
  element.append(bars);
  if (most.length > few.length) {
    const more = make(
      "button",
      {
        type: "button",
        "aria-expanded": "false",
        onclick: () => {
          const isOpen = more.getAttribute("aria-expanded") === "true";
          fill(isOpen ? few : most);
          more.setAttribute("aria-expanded", String(!isOpen));
          more.textContent = isOpen ? `All ${most.length} classes` : "The best alone";
        },
      },
      `All ${most.length} classes`,
    );
    element.append(more);
  }
  return { said, element };
}

/** A row of a bar chart; `at` is the place of a line, a share as the bar is. */
function bar(name, part, text, at) {
  const filled = make("span");
  filled.style.width = `${100 * Math.min(Math.max(part, 0), 1)}%`;
  const drawn = make("span", { class: "bar", "aria-hidden": "true" }, filled);
  if (at !== undefined) {
    const line = make("i");
    line.style.left = `${100 * at}%`;
    drawn.append(line);
  }
  return make("li", {}, make("span", { class: "name" }, name), drawn, make("span", { class: "value" }, text));
}

/** Pictures: what was asked, masks over it, what is said to be it, and where they differ. */
function pictured(all, asked) {
  const { picture, card } = asked;
  const said = [],
    figures = make("div", { class: "figures" });
  const each = (kind) => all.flatMap((told) => told.names(kind).map((name) => [told, told.row[name]]));
  const images = each("image"),
    heats = each("heat");
  if (picture && images.length + heats.length) {
    figures.append(
      figure(pictures.fitted(pictures.shrunk(picture, 640), 224), `What was asked, ${picture.width}×${picture.height} px`),
    );
  }
  for (const [told, mask] of each("mask")) {
    const frame = list(told.of("frame")) ?? (picture && pictures.frame(card, picture));
    const made = masked(pictures.flat(mask), frame, asked);
    figures.append(made.element);
    said.push(made.said);
  }
  const isRebuilt = Object.values(card?.gives ?? {}).some((kinds) => Object.values(kinds).includes("anomaly_score"));
  for (const [told, image] of images) {
    figures.append(
      figure(pictures.fitted(pictures.ofImage(image), 224), `${told.asked.name}, ${image[0].length}×${image.length} px`),
    );
    said.push(`An image of ${image[0].length} by ${image.length} px.`);
    if (picture && isRebuilt && !heats.length) figures.append(differences(image, picture, card) ?? "");
  }
  for (const [, heat] of heats) {
    figures.append(heated(pictures.flat(heat), "Error map"));
    said.push("An error map.");
  }
  return figures.childElementCount ? { said: said.join(" "), element: figures } : null;
}

function figure(drawn, caption, ...more) {
  drawn.setAttribute("role", "img");
  drawn.setAttribute("aria-label", caption);
  return make("figure", {}, drawn, make("figcaption", {}, caption, ...more));
}

/** The classes of pixels over the picture, in its own frame where that is known. */
function masked(rows, frame, { picture, card }) {
  const own = picture && frame ? pictures.ownMask(rows, frame) : rows;
  const counts = new Map();
  for (const row of own) for (const value of row) counts.set(value, (counts.get(value) ?? 0) + 1);
  const total = own.length * own[0].length;
  const name = (value) => (value === null ? "not seen" : (card?.class_names?.[value] ?? String(value)));
  const ranked = [...counts].sort((first, other) => other[1] - first[1]);
  const layer = pictures.painted(own.length, own[0].length, (row, column) => {
    const value = own[row][column];
    return value === null ? [0, 0, 0, 0] : [...pictures.colourOf(value), 255];
  });
  const made = pictures.shrunk(picture && frame ? picture : layer, 640);
  const paint = (opacity) => {
    const context = made.getContext("2d");
    context.clearRect(0, 0, made.width, made.height);
    context.globalAlpha = 1;
    if (picture && frame) context.drawImage(picture, 0, 0, made.width, made.height);
    context.globalAlpha = picture && frame ? opacity : 1;
    context.imageSmoothingEnabled = false;
    context.drawImage(layer, 0, 0, made.width, made.height);
  };
  paint(0.5);
  const legend = make(
    "ul",
    { class: "legend", "aria-label": "Classes and their shares of the picture" },
    ranked.map(([value, count]) => {
      const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
      if (value !== null) swatch.style.backgroundColor = `rgb(${pictures.colourOf(value).join()})`;
      return make("li", {}, swatch, `${name(value)} ${((100 * count) / total).toFixed(1)} %`);
    }),
  );
  const shown = figure(
    pictures.fitted(made, 420),
    picture && frame ? "The mask over the picture" : "The mask, as large as the model's input",
  );
  if (picture && frame)
    shown.append(
      slider("Opacity", { min: 0, max: 1, step: 0.05, value: 0.5, shown: (part) => `${Math.round(100 * part)} %` }, paint),
    );
  shown.append(legend);
  const said = ranked
    .slice(0, 3)
    .map(([value, count]) => `${name(value)} ${Math.round((100 * count) / total)} percent`)
    .join(", ");
  return { said: `A mask: ${said}.`, element: shown };
}

/** An error map: white is the largest error here, or a whole 1 as in the files that hubel writes. */
function heated(rows, title, about = "") {
  const largest = Math.max(...rows.map((row) => Math.max(...row)), 1e-12);
  const place = make("div");
  const paint = (top) => {
    const drawn = pictures.fitted(pictures.ofHeat(rows, top), 224);
    place.replaceChildren(
      figure(
        drawn,
        `${title}: squared errors, black is 0, white ${top === 1 ? "1" : `${digits(largest)}, the largest here`}.${about}`,
      ),
    );
  };
  paint(largest);
  const same = make("input", { type: "checkbox", onchange: () => paint(same.checked ? 1 : largest) });
  return make("div", {}, place, make("label", { class: "beside" }, same, "the same scale for all images"));
}

/** Squared errors of a reconstruction, where no signature gives them. */
function differences(image, picture, card) {
  const { height, width } = card?.transform ?? {};
  if (image.length !== height || image[0].length !== width || !pictures.frame(card, picture)) return null;
  const pixels = pictures.asSeen(picture, card).getContext("2d").getImageData(0, 0, width, height).data;
  const rows = image.map((line, row) =>
    line.map((values, column) => {
      const [red, green, blue] = pixels.slice(4 * (row * width + column));
      const own = values.length === 3 ? [red, green, blue] : [0.299 * red + 0.587 * green + 0.114 * blue];
      return own.reduce((sum, value, channel) => sum + ((value - values[channel]) / 255) ** 2, 0) / own.length;
    }),
  );
  const isExact = picture.width === width && picture.height === height;
  return heated(rows, "Error map", isExact ? "" : " Of the picture as this browser resizes it, about what the model saw.");
}

function written(told) {
  const names = told.names("text");
  if (!names.length) return null;
  const texts = names.map((name) => [told.row[name]].flat(Infinity).join("\n"));
  const shownTexts = names.map((name, place) => [make("h3", {}, name), make("p", { class: "words" }, texts[place])]);
  return { said: texts.join(" ").slice(0, 300), element: make("div", {}, ...shownTexts.flat()) };
}

/** Numbers, and whatever no other part shows. */
function counted(told) {
  const rows = [...told.names("number"), ...told.names("bytes")];
  const hasMask = told.names("mask").length > 0;
  if (!hasMask) rows.push(...told.names("frame"));
  if (told.of("anomaly_score") === undefined) rows.push(...told.names("is_anomaly"), ...told.names("threshold"));
  if (told.of("names") === undefined && told.of("probabilities") === undefined)
    rows.push(...told.names("scores"), ...told.names("flags"));
  if (!rows.length) return null;
  const cells = rows.map((name) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, brief(told.row[name]))));
  const table = make("table", {}, make("tbody", {}, ...cells));
  const said = rows
    .slice(0, 4)
    .map((name) => `${name} ${brief(told.row[name])}`)
    .join(", ");
  return { said: `${said.slice(0, 300)}.`, element: scrolled(`Numbers of ${told.asked.name}`, table) };
}

function brief(value) {
  if (!Array.isArray(value))
    return value !== null && typeof value === "object" ? JSON.stringify(value).slice(0, 100) : digits(value);
  const all = value.flat(Infinity);
  const sizes = [];
  for (let part = value; Array.isArray(part); part = part[0]) sizes.push(part.length);
  return all.length <= NUMBERS
    ? all.map(digits).join(" ")
    : `${all.slice(0, NUMBERS).map(digits).join(" ")} … (${sizes.join(" × ")} values)`;
}

/** A code, with a way into the latent space. */
function coded(told, { explore }) {
  const [name] = told.names("code");
  if (name === undefined) return null;
  const values = told.row[name].flat(Infinity);
  const element = make("div", {}, make("h3", {}, `Code, ${values.length} ${values.length === 1 ? "number" : "numbers"}`));
  element.append(make("p", { class: "mono" }, brief(values)));
  const go = explore?.(values);
  if (go) element.append(make("button", { type: "button", onclick: go }, "Change it with sliders"));
  return { said: `A code of ${values.length} numbers.`, element };
}

/** What may be wider or higher than its place; one gets there by keys. */
export function scrolled(label, ...children) {
  return make("div", { class: "scroll", tabIndex: 0, role: "region", "aria-label": label }, ...children);
}

/** The answer as it came. */
export function raw(json) {
  const text = JSON.stringify(json, null, 1).replace(/\[[-+.,\deE\s]+\]/g, (numbers) => numbers.replace(/\s+/g, " "));
  const cut =
    text.length > SHOWN ? `${text.slice(0, SHOWN)}\n… ${(text.length - SHOWN).toLocaleString("en")} characters more` : text;
  return make(
    "details",
    {},
    make("summary", {}, "The answer as JSON"),
    make("pre", { tabIndex: 0, "aria-label": "The answer as JSON" }, cut),
  );
}
