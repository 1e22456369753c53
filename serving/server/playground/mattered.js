/** What mattered for the class that won: leave parts out, one at a time, and see how probable it still is (Zeiler and Fergus 2014,
 *  section 4.2, of images; Li et al. 2016, "Understanding neural networks through representation erasure", of words). */

import { probabilityOf, scrolled } from "./answers.js";
import { make, share } from "./dom.js";
import * as pictures from "./pictures.js";

const MOST = 200; // texts of a request
const CELLS = 8; // along each side of a picture

/** A text in parts of a word, or of several where it is long: {before, part, after} each, `before` and `after` the rest of it. */
export function parts(text) {
  const words = [...text.matchAll(/\S+/g)];
  const each = Math.max(Math.ceil(words.length / MOST), 1);
  const made = [];
  for (let place = 0; place < words.length; place += each) {
    const last = words[Math.min(place + each, words.length) - 1];
    const start = words[place].index,
      end = last.index + last[0].length;
    made.push({
      before: text.slice(0, start),
      part: text.slice(start, end),
      after: text.slice(end).replace(/^\s+/, ""),
      start,
      end,
    });
  }
  return made;
}

/** The text itself, and then without each of its parts. */
export const leftOut = (text) => [text, ...parts(text).map(({ before, after }) => before + after)];

/**
 * @param text that was asked. told: what was said of each of `leftOut`. winner: the class.
 * @returns {element, said}; null where the answers do not say how probable the class is.
 */
export function words(text, told, winner, card) {
  const all = probabilityOf(told[0], winner, card);
  const without = told.slice(1).map((each) => probabilityOf(each, winner, card));
  if (all === null || !without.length || without.includes(null)) return null;
  const drops = without.map((probability) => all - probability);
  const largest = Math.max(...drops.map(Math.abs), 1e-9);
  const said = make("p", { class: "words", "aria-label": "The text, with what mattered" });
  let end = 0;
  const pieces = parts(text);
  pieces.forEach(({ part, start, end: next }, place) => {
    said.append(text.slice(end, start));
    end = next;
    const strength = drops[place] / largest;
    if (Math.abs(drops[place]) < 0.0005 || Math.abs(strength) < 0.04) return said.append(part);
    const marked = make("mark", { title: `without it ${share(without[place])}` }, part);
    marked.style.backgroundColor = tint(strength);
    return said.append(marked);
  });
  said.append(text.slice(end));
  const ranked = pieces
    .map(({ part }, place) => [part, without[place], drops[place]])
    .sort((first, other) => Math.abs(other[2]) - Math.abs(first[2]));
  const rows = ranked.map(([part, probability, drop]) => {
    const cells = [share(probability), (drop > 0 ? "−" : "+") + share(Math.abs(drop))].map((value) =>
      make("td", { class: "number" }, value),
    );
    return make("tr", {}, make("th", { scope: "row" }, part), ...cells);
  });
  const head = ["left out", winner, "change"].map((name, place) =>
    make("th", { scope: "col", class: place ? "number" : "" }, name),
  );
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
  const element = make(
    "div",
    {},
    make("h3", {}, `What mattered for ${winner}`),
    make(
      "p",
      { class: "soft" },
      "Orange: without it the class is less probable. Blue: more probable. Each word is left out by itself.",
    ),
    said,
    make("details", {}, make("summary", {}, "The numbers"), scrolled("Probabilities without each word", table)),
  );
  const most = ranked
    .filter(([, , drop]) => drop > 0)
    .slice(0, 3)
    .map(([part]) => part);
  return { element, said: most.length ? `What mattered most: ${most.join(", ")}.` : "" };
}

/** Orange for what speaks for the class, blue for what speaks against it, paler the weaker; dark text stays legible on it. */
function tint(strength) {
  const [red, green, blue] = strength > 0 ? [240, 150, 60] : [110, 180, 240];
  const part = 0.15 + 0.85 * Math.abs(strength);
  return `rgb(${[red, green, blue].map((value) => Math.round(255 - (255 - value) * part)).join()})`;
}

/** A picture, and then with each cell of a grid in its mean colour, as files. */
export async function hidden(picture, card) {
  const [height = 64, width = 64] = card?.input_shape ?? [];
  const small = pictures.shrunk(picture, 2 * Math.max(height, width));
  const [red, green, blue] = meanOf(small);
  const cells = grid(small);
  const files = [];
  for (const cell of [null, ...cells]) {
    const made = pictures.canvas(small.width, small.height),
      context = made.getContext("2d");
    context.drawImage(small, 0, 0);
    context.fillStyle = `rgb(${red},${green},${blue})`;
    if (cell) context.fillRect(...cell);
    const blob = await new Promise((done) => made.toBlob(done, "image/png"));
    files.push(new File([blob], "part.png", { type: "image/png" }));
  }
  return { small, cells, files };
}

function meanOf(small) {
  const { data } = small.getContext("2d").getImageData(0, 0, small.width, small.height);
  const sums = [0, 0, 0];
  for (let place = 0; place < data.length; place += 4)
    for (let channel = 0; channel < 3; channel += 1) sums[channel] += data[place + channel];
  return sums.map((sum) => Math.round((4 * sum) / data.length));
}

function grid({ width, height }) {
  const edges = (size) => {
    const count = Math.min(CELLS, size);
    return Array.from({ length: count }, (_, place) => [
      Math.round((place * size) / count),
      Math.round(((place + 1) * size) / count),
    ]);
  };
  return edges(height).flatMap(([top, bottom]) => edges(width).map(([left, right]) => [left, top, right - left, bottom - top]));
}

/** The parts of a picture that mattered; arguments as of `words`. */
export function places({ small, cells }, told, winner, card) {
  const all = probabilityOf(told[0], winner, card);
  const without = told.slice(1).map((each) => probabilityOf(each, winner, card));
  if (all === null || without.includes(null)) return null;
  const drops = without.map((probability) => all - probability);
  const largest = Math.max(...drops.map(Math.abs), 1e-9);
  const factor = Math.max(Math.floor(320 / Math.max(small.width, small.height)), 1);
  const made = pictures.canvas(small.width * factor, small.height * factor),
    context = made.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, made.width, made.height);
  cells.forEach((cell, place) => {
    const [red, green, blue] = drops[place] > 0 ? [240, 150, 60] : [60, 140, 240];
    context.fillStyle = `rgba(${red},${green},${blue},${0.75 * Math.abs(drops[place] / largest)})`;
    context.fillRect(...cell.map((side) => side * factor));
  });
  const hiding = "with that part hidden, in the picture's mean colour, the class is less probable";
  const caption = `What mattered for ${winner}. Orange: ${hiding}, by up to ${share(Math.max(...drops, 0))}. Blue: more.`;
  made.setAttribute("role", "img");
  made.setAttribute("aria-label", caption);
  return { element: make("figure", {}, made, make("figcaption", {}, caption)), said: "A map of what mattered." };
}
