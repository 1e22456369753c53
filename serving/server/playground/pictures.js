/** Where an image lies in what a model sees, and how numbers become pixels. */

/** A picture as {width, height, draw(context, ...)}, or null where this browser does not show such a file. */
export async function decoded(file, turns) {
  try {
    return await createImageBitmap(file, { imageOrientation: turns === false ? "none" : "from-image" });
  } catch {
    return null;
  }
}

/**
 * Where an image lies in a model's input: [height, width, factors of rows and columns, shifts of rows and columns], a place in the
 * input being factor * place + shift, as the kind "frame" has it; null where the card does not say it.
 */
export function frame(card, { height, width }) {
  const to = card?.transform;
  if (!to || card.export?.crops || !["fit", "stretch", "crop"].includes(to.resize)) return null;
  const ratios = [to.height / height, to.width / width];
  if (to.resize === "stretch") return [height, width, ...ratios, 0, 0];
  const target = [to.height, to.width],
    own = [height, width];
  if (to.resize === "fit") {
    const scaled = own.map((size) => Math.max(Math.round(size * Math.min(...ratios)), 1));
    const before = target.map((size, axis) => Math.floor(Math.max(size - scaled[axis], 0) / 2));
    return [...own, ...scaled.map((size, axis) => size / own[axis]), ...before];
  }
  const kept = target.map((size, axis) => Math.min(Math.max(Math.round(size / Math.max(...ratios)), 1), own[axis]));
  const factors = target.map((size, axis) => size / kept[axis]);
  return [...own, ...factors, ...factors.map((factor, axis) => -factor * Math.floor((own[axis] - kept[axis]) / 2))];
}

export function canvas(width, height) {
  const made = document.createElement("canvas");
  [made.width, made.height] = [width, height];
  return made;
}

/** A canvas of `colour(row, column)` -> [red, green, blue, alpha], 0..255. */
export function painted(height, width, colour) {
  const made = canvas(width, height);
  const context = made.getContext("2d");
  const image = context.createImageData(width, height);
  for (let row = 0, place = 0; row < height; row += 1) {
    for (let column = 0; column < width; column += 1, place += 4) image.data.set(colour(row, column), place);
  }
  context.putImageData(image, 0, 0);
  return made;
}

/** An answer of the kind image: [height][width][1 or 3], 0..255. */
export function ofImage(rows) {
  return painted(rows.length, rows[0].length, (row, column) => {
    const pixel = rows[row][column];
    return pixel.length === 3 ? [...pixel, 255] : [pixel[0], pixel[0], pixel[0], 255];
  });
}

/** [height][width] of values that may each stand in a list of one. */
export const flat = (rows) => (Array.isArray(rows[0]?.[0]) ? rows.map((row) => row.map(([value]) => value)) : rows);

/** Errors in 0..1 as black over red and yellow to white, of their root, as hubel writes them; white is `top`. */
export function ofHeat(rows, top) {
  return painted(rows.length, rows[0].length, (row, column) => {
    const value = 3 * Math.sqrt(Math.min(Math.max(rows[row][column] / top, 0), 1));
    return [0, 1, 2].map((shift) => 255 * Math.min(Math.max(value - shift, 0), 1)).concat(255);
  });
}

/** The classes of a mask in the image's own frame, [height][width], null where the model did not see the image. */
export function ownMask(rows, [height, width, ...scales]) {
  const places = [height, width].map((size, axis) => {
    const limit = axis ? rows[0].length : rows.length;
    const line = Array.from({ length: size }, (_, place) => Math.floor((place + 0.5) * scales[axis] + scales[axis + 2]));
    return line.map((place) => (place >= 0 && place < limit ? place : -1));
  });
  return places[0].map((row) => places[1].map((column) => (row < 0 || column < 0 ? null : rows[row][column])));
}

const WONG = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#f0e442", "#999999"]; // Wong 2011, for all eyes

/** [red, green, blue] of a class, 0..255. */
export function colourOf(number) {
  if (number < WONG.length) return [1, 3, 5].map((place) => parseInt(WONG[number].slice(place, place + 2), 16));
  const hue = (number * 137.508) % 360; // the golden angle: neighbours differ
  const channel = (shift) =>
    Math.round(255 * (0.55 - 0.35 * Math.max(-1, Math.min(((shift + hue / 30) % 12) - 3, 9 - ((shift + hue / 30) % 12), 1))));
  return [0, 8, 4].map(channel);
}

/** How many px of the screen a picture of so many px gets: small ones whole multiples. */
export function zoom(width, height, most = 320) {
  const factor = most / Math.max(width, height);
  return factor >= 2 ? Math.floor(factor) : Math.min(factor, 1);
}

/** Let a canvas be shown as large as `zoom` says. */
export function fitted(made, most) {
  const factor = zoom(made.width, made.height, most);
  made.style.width = `${Math.round(made.width * factor)}px`;
  made.classList.toggle("sharp", factor >= 2);
  return made;
}

/** A picture no larger than `most` px, to look at. */
export function shrunk(picture, most) {
  const factor = Math.min(most / Math.max(picture.width, picture.height), 1);
  const made = canvas(Math.max(Math.round(picture.width * factor), 1), Math.max(Math.round(picture.height * factor), 1));
  const context = made.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, 0, 0, made.width, made.height);
  return made;
}

/** The picture as the model is shown it, about: this browser resizes a little otherwise than the model's graph. */
export function asSeen(picture, card) {
  const place = frame(card, picture);
  const made = canvas(card.transform.width, card.transform.height);
  const context = made.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.fillRect(0, 0, made.width, made.height);
  const [height, width, down, right, top, left] = place;
  context.drawImage(picture, left, top, width * right, height * down);
  return made;
}
