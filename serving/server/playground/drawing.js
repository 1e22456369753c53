/** A canvas to draw on, by pointer or by keys. */

import { make, slider } from "./dom.js";
import { canvas } from "./pictures.js";

const SIDE = 280; // px of what is sent
const STEP = 8; // px that an arrow key moves the pen
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Drawing {
  /**
   * @param changed called after each stroke, undo and clear. said: called with what a person who does not see it should hear.
   * @param options {ground: a picture to draw over, of which only the strokes are sent, white
   *   on black; label, name: of the file}.
   */
  constructor(changed, said, { ground = null, label = "Drawing", name = "drawing.png" } = {}) {
    Object.assign(this, { changed, said, ground, name, strokes: [], width: ground ? 24 : 30, isLight: true, ink: null });
    const larger = ground ? Math.max(ground.width, ground.height) : 1;
    const [width, height] = ground
      ? [ground.width, ground.height].map((size) => Math.max(Math.round((SIDE * size) / larger), 1))
      : [SIDE, SIDE];
    this.pad = canvas(width, height);
    this.pen = { x: Math.round(width / 2), y: Math.round(height / 2), isDown: false, isSeen: false };
    this.pad.className = "pad";
    this.pad.tabIndex = 0;
    this.pad.setAttribute("role", "application");
    this.pad.setAttribute(
      "aria-label",
      `${label}: arrow keys move the pen, Shift in small steps, Space lowers and lifts it, Backspace undoes`,
    );
    this._listen();
    this.element = make("div", {}, this.pad, ...this._controls());
    this.paint();
  }

  get isEmpty() {
    return this.strokes.length === 0;
  }

  /** A PNG of what is drawn. */
  async file() {
    const made = canvas(this.pad.width, this.pad.height);
    this._draw(made.getContext("2d"), this.ground !== null);
    const blob = await new Promise((done) => made.toBlob(done, "image/png"));
    return new File([blob], this.name, { type: "image/png" });
  }

  paint() {
    const context = this.pad.getContext("2d");
    this._draw(context, false);
    if (!this.pen.isSeen) return;
    context.lineWidth = 2;
    for (const [colour, radius] of [
      ["#fff", this.width / 2 + 2],
      ["#d55e00", this.width / 2],
    ]) {
      context.strokeStyle = colour;
      context.beginPath();
      context.arc(this.pen.x, this.pen.y, radius, 0, 2 * Math.PI);
      context.stroke();
    }
    if (this.pen.isDown) context.fillStyle = "#d55e00";
    context.fillRect(this.pen.x - 2, this.pen.y - 2, 4, 4);
  }

  _draw(context, onlyStrokes) {
    const { width, height } = context.canvas;
    const isMask = this.ground !== null;
    context.globalAlpha = 1;
    context.fillStyle = isMask || this.isLight ? "#000" : "#fff";
    context.fillRect(0, 0, width, height);
    if (isMask && !onlyStrokes) {
      context.drawImage(this.ground, 0, 0, width, height);
      context.globalAlpha = 0.7;
    }
    context.lineCap = context.lineJoin = "round";
    for (const { points, width: thick, ink } of this.strokes) {
      context.strokeStyle = ink ?? (isMask || this.isLight ? "#fff" : "#000");
      context.lineWidth = thick;
      context.beginPath();
      points.forEach(([x, y], place) => (place ? context.lineTo(x, y) : context.moveTo(x, y)));
      if (points.length === 1) context.lineTo(points[0][0], points[0][1] + 0.01);
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  _controls() {
    const undo = make("button", { type: "button", onclick: () => this._undo() }, "Undo");
    const clear = make("button", { type: "button", onclick: () => this._clear() }, "Clear");
    const pen = slider(
      "Pen",
      { min: 4, max: 60, step: 2, value: this.width, shown: (number) => `${number} px`, label: "Width of the pen" },
      (number) => {
        this.width = number;
        this.paint();
      },
    );
    const light = make("input", { type: "checkbox", checked: this.isLight, onchange: () => this._turn(light.checked) });
    const row = [undo, clear];
    if (this.ground === null) row.push(make("label", { class: "beside" }, light, "light on dark"));
    this.inks = make("input", { type: "color", value: "#ffffff", oninput: () => (this.ink = this.inks.value) });
    this.inksLabel = make("label", { class: "beside", hidden: true }, this.inks, "colour of the pen");
    row.push(this.inksLabel);
    return [make("div", { class: "row", role: "group", "aria-label": "Tools" }, ...row), pen];
  }

  /** Whether the pen has colours. */
  colour(isColoured) {
    this.inksLabel.hidden = !isColoured;
    if (!isColoured) this.ink = null;
  }

  _turn(isLight) {
    this.isLight = isLight;
    this.paint();
    if (!this.isEmpty) this.changed();
  }

  _undo() {
    if (!this.strokes.pop()) return;
    this.paint();
    this.said("The last stroke is gone.");
    this.changed();
  }

  _clear() {
    this.strokes = [];
    this.pen.isDown = false;
    this.paint();
    this.said("The drawing is empty.");
    this.changed();
  }

  _begin(x, y) {
    this.strokes.push({ points: [[x, y]], width: this.width, ink: this.ink });
  }

  _go(x, y) {
    this.strokes.at(-1).points.push([x, y]);
  }

  _listen() {
    const place = (event) => {
      const box = this.pad.getBoundingClientRect();
      return [
        ((event.clientX - box.left) * this.pad.width) / box.width,
        ((event.clientY - box.top) * this.pad.height) / box.height,
      ];
    };
    let pointer = null;
    this.pad.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || pointer !== null) return;
      pointer = event.pointerId;
      this.pad.setPointerCapture(pointer);
      Object.assign(this.pen, { isSeen: false, isDown: false });
      this._begin(...place(event));
      this.paint();
    });
    this.pad.addEventListener("pointermove", (event) => {
      if (event.pointerId !== pointer) return;
      const events = event.getCoalescedEvents?.() ?? [];
      for (const each of events.length ? events : [event]) this._go(...place(each));
      this.paint();
    });
    for (const end of ["pointerup", "pointercancel"]) {
      this.pad.addEventListener(end, (event) => {
        if (event.pointerId !== pointer) return;
        pointer = null;
        this.changed();
      });
    }
    this.pad.addEventListener("keydown", (event) => this._key(event));
    this.pad.addEventListener("blur", () => {
      Object.assign(this.pen, { isSeen: false, isDown: false });
      this.paint();
    });
  }

  _key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key in ARROWS) {
      const step = event.shiftKey ? STEP / 4 : STEP;
      const [right, down] = ARROWS[event.key];
      this.pen.x = Math.min(Math.max(this.pen.x + step * right, 0), this.pad.width);
      this.pen.y = Math.min(Math.max(this.pen.y + step * down, 0), this.pad.height);
      this.pen.isSeen = true;
      if (this.pen.isDown) {
        this._go(this.pen.x, this.pen.y);
        this.changed();
      }
    } else if (event.key === " ") {
      this.pen.isSeen = true;
      this.pen.isDown = !this.pen.isDown;
      if (this.pen.isDown) {
        this._begin(this.pen.x, this.pen.y);
        this.changed();
      }
      this.said(this.pen.isDown ? "The pen is down." : "The pen is up.");
    } else if (event.key === "Backspace" || event.key === "Delete") {
      this.pen.isDown = false;
      this._undo();
    } else return;
    event.preventDefault();
    this.paint();
  }
}
