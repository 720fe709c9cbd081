"use strict";
// A box that a person draws in the picture, in fractions of its width and height. A click is a small box.

const CLICK = 0.06, LEAST = 0.02;

class Region {
  constructor(view, box, picture, drawn) {
    this.view = view;
    this.box = box;
    this.picture = picture;
    this.from = null;
    this.edges = [0, 0, 0, 0];
    view.addEventListener("pointerdown", (event) => {
      if (event.button || picture.hidden) return;
      view.setPointerCapture(event.pointerId);
      this.from = this.place(event);
    });
    view.addEventListener("pointermove", (event) => {
      if (this.from) this.draw(this.between(this.place(event)));
    });
    view.addEventListener("pointerup", (event) => {
      if (!this.from) return;
      const edges = this.between(this.place(event));
      this.from = null;
      this.draw(edges);
      drawn(edges);
    });
    view.addEventListener("pointercancel", () => {
      this.from = null;
      this.draw(this.edges);
    });
  }

  place(event) {
    const frame = this.picture.getBoundingClientRect();
    const share = (at, begin, size) => Math.min(1, Math.max(0, (at - begin) / size));
    return [share(event.clientX, frame.left, frame.width), share(event.clientY, frame.top, frame.height)];
  }

  between([x, y]) {
    const [x0, y0] = this.from;
    if (Math.abs(x - x0) < LEAST && Math.abs(y - y0) < LEAST) {
      return [Math.max(0, x - CLICK), Math.max(0, y - CLICK), Math.min(1, x + CLICK), Math.min(1, y + CLICK)];
    }
    const [left, right] = [Math.min(x, x0), Math.max(x, x0)], [top, bottom] = [Math.min(y, y0), Math.max(y, y0)];
    return [left, top, Math.max(right, left + 1e-3), Math.max(bottom, top + 1e-3)].map((edge) => Math.min(1, edge));
  }

  // What the running goal looks at; all zero: all of the picture.
  show(edges) {
    this.edges = edges;
    if (!this.from) this.draw(edges);
  }

  draw([left, top, right, bottom]) {
    this.box.hidden = !(right > left && bottom > top);
    Object.assign(this.box.style, {
      left: `${100 * left}%`,
      top: `${100 * top}%`,
      width: `${100 * (right - left)}%`,
      height: `${100 * (bottom - top)}%`,
    });
  }
}
