/** What a person gives a model: files or a drawing, a text, a code, JSON; and what a signature takes beside it. */

import { Drawing } from "./drawing.js";
import { byId, field, make, slider } from "./dom.js";
import * as pictures from "./pictures.js";
import { CLASS, CODE, MASK, NUMBER } from "./signatures.js";

const SAMPLES = 16;
const SLIDERS = 64; // of a code, until somebody wants all
const RANGE = 3; // standard deviations of a code's prior, where nobody says otherwise

/**
 * Files, by choice, drop or paste, or a drawing.
 * @param changed called with {file, picture} or null once there is another one; `picture` null where no browser shows it.
 * @param card of the model, or null. said: as of Drawing.
 */
export class ImageInput {
  constructor(changed, card, said) {
    Object.assign(this, { changed, card, said, items: [], current: null, drawing: null });
    const name = "image-from";
    const radio = (value, text) => {
      const input = make("input", { type: "radio", name, value, checked: value === "file", onchange: () => this._switch(value) });
      return make("label", { class: "beside" }, input, text);
    };
    this.chooser = make("input", { type: "file", multiple: true, id: "files", onchange: () => this.add([...this.chooser.files]) });
    this.list = make("ul", { class: "files", "aria-label": "Images" });
    this.drop = make(
      "label",
      { class: "drop", for: "files" },
      "Drop images here, paste one, or choose files.",
      make("br"),
      this.chooser,
    );
    this.filePanel = make("div", {}, this.drop, this.list);
    this.drawPanel = make("div", { hidden: true });
    this.element = make(
      "div",
      {},
      make(
        "fieldset",
        { class: "field" },
        make("legend", {}, "Image"),
        make("div", { class: "row" }, radio("file", "a file"), radio("draw", "a drawing")),
      ),
      this.filePanel,
      this.drawPanel,
    );
  }

  /** Ask about the same images, or the drawing, for a model that may be another one. */
  use(card) {
    this.card = card;
    this.drawing?.colour(this._isColoured);
    if (this.drawPanel.hidden) this.changed(this.current);
    else this._drawn();
  }

  get _isColoured() {
    return this.card?.input_shape?.[2] === 3;
  }

  async add(files) {
    if (!files.length) return;
    if (this.filePanel.hidden) {
      this.element.querySelector("[value=file]").checked = true;
      this._switch("file");
    }
    const added = await Promise.all(files.map(async (file) => ({ file, picture: await pictures.decoded(file, this.card?.turns) })));
    this.items.push(...added);
    this._choose(added[0]);
  }

  _choose(item) {
    this.current = item;
    this._list();
    this.changed(item);
  }

  _list() {
    this.list.replaceChildren(
      ...this.items.map((item) => {
        const seen = item.picture ? pictures.shrunk(item.picture, 96) : make("span", { class: "none" }, "no preview");
        seen.setAttribute("aria-hidden", "true");
        const button = make(
          "button",
          { type: "button", title: item.file.name, "aria-pressed": String(item === this.current) },
          seen,
          make("span", {}, item.file.name),
        );
        button.addEventListener("click", () => this._choose(item));
        return make("li", {}, button);
      }),
    );
    this.list.querySelector('[aria-pressed="true"]')?.scrollIntoView({ block: "nearest" });
  }

  _switch(value) {
    const isDrawing = value === "draw";
    this.filePanel.hidden = isDrawing;
    this.drawPanel.hidden = !isDrawing;
    if (isDrawing && !this.drawing) {
      this.drawing = new Drawing(() => this._drawn(), this.said);
      this.drawing.colour(this._isColoured);
      const save = make("button", { type: "button", onclick: () => this._save() }, "Save as a file");
      this.drawing.element.querySelector(".row").append(save);
      this.drawPanel.append(this.drawing.element);
    }
    if (isDrawing) this._drawn();
    else this.changed(this.current);
  }

  async _drawn() {
    const drawn = (this.drawn = {}); // an earlier drawing may be encoded after a later one
    if (this.drawing.isEmpty) return this.changed(null);
    const file = await this.drawing.file();
    const picture = await pictures.decoded(file);
    return this.drawPanel.hidden || this.drawn !== drawn ? undefined : this.changed({ file, picture });
  }

  async _save() {
    const link = make("a", { href: URL.createObjectURL(await this.drawing.file()), download: "drawing.png" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }
}

/** A text; Ctrl+Enter, or Cmd+Enter, asks. `asked` is called with it. */
export class TextInput {
  constructor(asked) {
    this.area = make("textarea", { id: "text", spellcheck: false });
    this.mattered = make("input", { type: "checkbox", checked: true });
    const go = () => this.area.value !== "" && asked(this.area.value);
    this.area.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      go();
    });
    this.element = make(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          go();
        },
      },
      field("Text", this.area),
      make("div", { class: "row" }, make("button", { class: "main" }, "Ask"), make("span", { class: "soft" }, "or Ctrl+Enter")),
      make("label", { class: "beside" }, this.mattered, "show what mattered, by leaving each word out"),
    );
  }
}

/** A place in the latent space. `changed` is called with its numbers, `sampled` with SAMPLES of them. */
export class CodeInput {
  constructor(changed, sampled, size) {
    Object.assign(this, {
      changed,
      size,
      values: new Array(size).fill(0),
      samples: make("div", { class: "samples", role: "group", "aria-label": "Samples" }),
    });
    this.place = make("div", { class: "latent", role: "group", "aria-label": "Code" });
    this.range = make("input", { type: "number", min: "0.1", step: "any", value: RANGE });
    this.range.addEventListener("change", () => this.range.value > 0 && this._build(this.shown));
    const button = (text, go) => make("button", { type: "button", onclick: go }, text);
    const tools = make(
      "div",
      { class: "row" },
      button("Random sample", () => this.set(this._normal())),
      button(`${SAMPLES} samples`, () => sampled(Array.from({ length: SAMPLES }, () => this._normal()))),
      button("All 0", () => this.set(new Array(size).fill(0))),
    );
    this.element = make(
      "div",
      {},
      make(
        "p",
        { class: "soft" },
        `A code of ${size} ${size === 1 ? "number" : "numbers"}; move a slider and see what is made of it.`,
      ),
      tools,
      field("Sliders reach from minus to plus", this.range),
      this.place,
      this.samples,
    );
    this._build(Math.min(size, SLIDERS));
  }

  set(values) {
    this.values = [...values];
    this.sliders.forEach((control, place) => control.set(values[place]));
    this.changed(this.values);
  }

  /** Show images that were made of samples, to choose one. */
  show(codes, images) {
    this.samples.replaceChildren(
      ...images.map((image, place) => {
        const drawn = pictures.ofImage(image);
        drawn.classList.add("sharp");
        drawn.setAttribute("aria-hidden", "true");
        return make(
          "button",
          { type: "button", "aria-label": `Sample ${place + 1}`, onclick: () => this.set(codes[place]) },
          drawn,
        );
      }),
    );
  }

  _build(count) {
    const range = Number(this.range.value);
    this.shown = count;
    this.sliders = Array.from({ length: count }, (_, place) => {
      const value = this.values[place];
      const limits = { min: Math.min(-range, value), max: Math.max(range, value), step: range / 100, value };
      return slider(
        String(place + 1),
        { ...limits, shown: (number) => number.toFixed(2), label: `Number ${place + 1} of the code` },
        (number) => {
          this.values[place] = number;
          this.changed(this.values);
        },
      );
    });
    const more = count < this.size && make("button", { type: "button", onclick: () => this._build(this.size) }, `All ${this.size}`);
    this.place.replaceChildren(...this.sliders, ...(more ? [more] : []));
  }

  _normal() {
    return Array.from(
      { length: this.size },
      () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()),
    );
  }
}

/** A row of JSON, for signatures that nobody can draw or type for. `asked` is called with what it says. */
export class JsonInput {
  constructor(asked, failed, inputs) {
    const example = inputs.length === 1 ? "1.0" : `{${inputs.map(({ name }) => `"${name}": 1.0`).join(", ")}}`;
    this.area = make("textarea", { class: "mono", spellcheck: false, value: example });
    const go = () => {
      let row;
      try {
        row = JSON.parse(this.area.value);
      } catch (error) {
        return failed(`What stands there is no JSON: ${error.message}.`);
      }
      return asked(row);
    };
    this.area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) go();
    });
    this.element = make(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          go();
        },
      },
      make(
        "p",
        { class: "soft" },
        `One example of ${inputs.map(({ name }) => name).join(" and ")}, as a row of "instances"; bytes are {"b64": "..."}.`,
      ),
      field("JSON", this.area),
      make("div", { class: "row" }, make("button", { class: "main" }, "Ask"), make("span", { class: "soft" }, "or Ctrl+Enter")),
    );
  }
}

/** What signatures take beside what is asked about: numbers, a class, a mask. */
export class Beside {
  constructor(inputs, changed, said) {
    Object.assign(this, { changed, said, values: {}, mask: null });
    this.element = make("div", {});
    for (const { name, role, names } of inputs) {
      if (role === NUMBER) this._number(name);
      else if (role === CLASS) this._class(name, names);
      else if (role === MASK) this.mask = name;
    }
  }

  /** The picture that a mask is drawn on. */
  over(picture) {
    byId("mask-panel")?.remove();
    if (!this.mask) return;
    delete this.values[this.mask];
    if (!picture) return;
    const drawing = new Drawing(
      async () => {
        const drawn = (this.drawn = {});
        const file = drawing.isEmpty ? undefined : await drawing.file();
        if (this.drawn !== drawn) return;
        this.values[this.mask] = file;
        this.changed();
      },
      this.said,
      { ground: picture, label: "Mask", name: "mask.png" },
    );
    this.element.append(make("div", { id: "mask-panel" }, make("h3", {}, "What is missing: draw over it"), drawing.element));
  }

  get isWhole() {
    return Object.values(this.values).every((value) => value !== undefined) && (!this.mask || this.values[this.mask] !== undefined);
  }

  _number(name) {
    const input = make("input", { type: "number", step: "any", value: "0" });
    this.values[name] = 0;
    input.addEventListener("change", () => {
      this.values[name] = input.value === "" ? undefined : Number(input.value);
      this.changed();
    });
    this.element.append(field(name, input));
  }

  _class(name, names) {
    const options = [make("option", { value: -1 }, "none"), ...names.map((text, place) => make("option", { value: place }, text))];
    const select = make("select", {}, ...options);
    this.values[name] = -1;
    select.addEventListener("change", () => {
      this.values[name] = Number(select.value);
      this.changed();
    });
    this.element.append(field(name, select));
  }
}

/** The inputs that a Beside is of. */
export const beside = (inputs) => inputs.filter(({ role }) => [NUMBER, CLASS, MASK].includes(role));
export const codeSize = (inputs) => inputs.find(({ role }) => role === CODE)?.size;
