"use strict";
// The curves over time, and the belief over distance.

const KEPT = 600;
const CURVES = [
  { key: "exposure", title: "exposure [ms]", log: true, scale: 1e-3 },
  { key: "lens", title: "lens position" },
  { key: "score", title: "score", from: [0, 1] },
  { key: "brisque", title: "BRISQUE" },
  { key: "reward", title: "reward" },
];

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

const clock = (t) => new Date(t * 1000).toTimeString().slice(0, 8);

function axes(x, y) {
  const shared = { stroke: css("--dim"), grid: { stroke: css("--line"), width: 1 }, ticks: { show: false } };
  return [{ ...shared, size: 26, ...x }, { ...shared, size: 52, ...y }];
}

class Curves {
  constructor(place) {
    this.rows = Object.fromEntries(CURVES.map((curve) => [curve.key, []]));
    this.place = place;
    this.plots = CURVES.map((curve) => this.#plot(curve));
    new ResizeObserver(() => this.plots.forEach((plot) => plot.setSize(this.#size()))).observe(place);
  }

  #size() {
    return { width: Math.max(200, this.place.clientWidth), height: 122 };
  }

  #plot(curve) {
    const y = curve.log ? { distr: 3 } : { range: curve.from ? () => curve.from : undefined };
    return new uPlot(
      {
        ...this.#size(), title: curve.title, legend: { show: false }, cursor: { sync: { key: "time" }, drag: { setScale: false } },
        scales: { x: { time: true }, y },
        axes: axes({ values: (_, splits) => splits.map(clock), space: 70 }, { values: (_, splits) => splits.map((v) => (v === null ? "" : +v.toPrecision(3))) }),
        series: [{}, { stroke: css("--blue"), width: 1.5, points: { size: 4 } }],
      },
      [[], []],
      this.place,
    );
  }

  clear() {
    for (const key in this.rows) this.rows[key] = [];
    this.draw();
  }

  add(rows) {
    for (const row of rows) {
      for (const { key, scale } of CURVES) {
        if (typeof row[key] !== "number") continue;
        const points = this.rows[key];
        points.push([row.t, row[key] * (scale || 1)]);
        if (points.length > KEPT) points.shift();
      }
    }
    this.draw();
  }

  draw() {
    const times = Object.values(this.rows).flatMap((points) => points.map((point) => point[0]));
    if (!times.length) return;
    // All curves show the same time.
    let first = Infinity, last = -Infinity;
    for (const t of times) { first = Math.min(first, t); last = Math.max(last, t); }
    CURVES.forEach(({ key }, i) => {
      const points = this.rows[key];
      this.plots[i].batch(() => {
        this.plots[i].setData([points.map((point) => point[0]), points.map((point) => point[1])], true);
        this.plots[i].setScale("x", { min: first, max: Math.max(last, first + 10) });
      });
    });
  }

  unit(unit) {
    this.plots[1].root.querySelector(".u-title").textContent = unit ? `lens position [${unit}]` : "lens position";
  }
}

class Belief {
  constructor(place) {
    this.lens = null;
    this.plot = new uPlot(
      {
        width: Math.max(200, place.clientWidth), height: 120, legend: { show: false }, cursor: { drag: { setScale: false } },
        scales: { x: { time: false }, y: { range: (_, low, high) => [0, Math.max(high || 0, 1e-3)] } },
        axes: axes({ values: (_, splits) => splits.map((d) => (d > 0.01 ? `${+(1 / d).toPrecision(2)} m` : "∞")) }, { show: false }),
        series: [{}, { stroke: css("--blue"), fill: css("--blue") + "55", points: { show: false } }],
        hooks: { draw: [(plot) => this.#mark(plot)] },
      },
      [[], []],
      place,
    );
    new ResizeObserver(() => this.plot.setSize({ width: Math.max(200, place.clientWidth), height: 120 })).observe(place);
  }

  show(belief) {
    this.plot.setData([belief.dioptres, belief.probability]);
  }

  // A line where the lens focuses.
  at(dioptres) {
    if (dioptres === this.lens) return;
    this.lens = dioptres;
    this.plot.redraw(false);
  }

  #mark(plot) {
    if (this.lens === null || !plot.data[0].length) return;
    const x = plot.valToPos(this.lens, "x", true), { left, top, width, height } = plot.bbox, g = plot.ctx;
    if (x < left || x > left + width) return;
    g.strokeStyle = css("--bad");
    g.lineWidth = 2;
    g.beginPath();
    g.moveTo(x, top);
    g.lineTo(x, top + height);
    g.stroke();
  }
}
