/** Making elements. Nothing is ever made of markup in a string: what a server or a file says cannot become a tag. */

/** An element. Properties that begin with "on" are listeners; "class", "role", "for", "scope" and those with a dash attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (/-|^(class|role|for|scope)$/.test(name)) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const byId = (id) => document.getElementById(id);

let count = 0;

/** A slider with its label and its value beside it. `input` gets the number. */
export function slider(text, { min, max, step, value, shown = (number) => number, label = text }, input) {
  const id = `slider-${(count += 1)}`;
  const output = make("output", { for: id }, String(shown(value)));
  const range = make("input", { id, type: "range", min, max, step, "aria-label": label });
  range.value = value;
  range.addEventListener("input", () => {
    output.value = shown(Number(range.value));
    input(Number(range.value));
  });
  const control = make("div", { class: "control" }, make("label", { for: id }, text), range, output);
  control.set = (number) => {
    range.min = Math.min(Number(range.min), number);
    range.max = Math.max(Number(range.max), number);
    range.value = number;
    output.value = shown(number);
  };
  return control;
}

/** A field with a label above it. */
export function field(text, element) {
  element.id ||= `field-${(count += 1)}`;
  return make("div", { class: "field" }, make("label", { for: element.id }, text), element);
}

/** A number in a few digits; what JSON had as NaN is null. */
export function digits(number) {
  if (number === null || Number.isNaN(number)) return "NaN";
  if (typeof number !== "number") return String(number);
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
  if (Number.isInteger(number)) return String(number);
  const size = Math.abs(number);
  return size >= 0.001 && size < 1e6 ? number.toFixed(size < 100 ? 4 : 1) : number.toPrecision(4);
}

/** A probability, as terminals show it too. */
export const share = (number) => (number === null ? "NaN" : number.toFixed(4));
