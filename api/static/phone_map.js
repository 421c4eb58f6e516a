// @ts-check
// A map of our own: walkways, buildings, zone, route and numbered stops as SVG, moved by finger.
const NS = "http://www.w3.org/2000/svg";

/** @param {string} name @param {Record<string, string|number>} attributes @param {string} [text] */
function shape(name, attributes, text) {
  const made = document.createElementNS(NS, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  if (text !== undefined) made.textContent = text;
  return made;
}

export class PhoneMap {
  /** @param {SVGSVGElement} svg */
  constructor(svg) {
    this.svg = svg;
    this.home = [0, 0, 100, 100];
    this.box = [...this.home];
    this.lat0 = 0;
    this.lon0 = 0;
    /** @type {Map<number, [number, number]>} */
    this.fingers = new Map();
    svg.addEventListener("pointerdown", (e) => { svg.setPointerCapture(e.pointerId); this.fingers.set(e.pointerId, [e.clientX, e.clientY]); });
    for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) svg.addEventListener(end, (e) => this.fingers.delete(e.pointerId));
    svg.addEventListener("pointermove", (e) => this.moved(e));
  }

  /** Metres east and south of the middle: near enough over one community. @param {number[]} place */
  xy([lon, lat]) {
    return [(lon - this.lon0) * 111_320 * Math.cos((this.lat0 * Math.PI) / 180), (this.lat0 - lat) * 110_574];
  }

  /** @param {any} geometry @returns {string} */
  path(geometry) {
    const lines = { LineString: [geometry.coordinates], MultiLineString: geometry.coordinates, Polygon: geometry.coordinates,
      MultiPolygon: geometry.coordinates.flat ? geometry.coordinates.flat() : [] }[/** @type {string} */ (geometry.type)] || [];
    return lines.map((/** @type {number[][]} */ line) => "M" + line.map((p) => this.xy(p).map((v) => v.toFixed(1)).join(" ")).join("L")).join("");
  }

  /** @param {any} ground @param {any} patrol @param {Set<string>} done */
  draw(ground, patrol, done) {
    const first = patrol?.stops[0] || (ground.buildings[0] && { lon: ring(ground.buildings[0][0])[0][0], lat: ring(ground.buildings[0][0])[0][1] });
    if (!first) return;
    this.lon0 = first.lon; this.lat0 = first.lat;
    const made = [];
    for (const [geometry] of ground.walkways) made.push(shape("path", { class: "way", d: this.path(geometry) }));
    for (const [geometry] of ground.buildings) made.push(shape("path", { class: "building", d: this.path(geometry) }));
    if (patrol?.zone_shape) made.push(shape("path", { class: "zone", d: this.path(patrol.zone_shape) }));
    if (patrol?.line) made.push(shape("path", { class: "route", d: this.path(patrol.line) }));
    for (const [geometry, label] of ground.buildings) {
      const points = ring(geometry).map((p) => this.xy(p));
      const x = points.reduce((sum, p) => sum + p[0], 0) / points.length, y = points.reduce((sum, p) => sum + p[1], 0) / points.length;
      if (label) made.push(shape("text", { x: x.toFixed(1), y: y.toFixed(1), "font-size": 7 }, label));
    }
    (patrol?.stops || []).forEach((/** @type {any} */ stop, /** @type {number} */ n) => {
      const [cx, cy] = this.xy([stop.lon, stop.lat]);
      made.push(shape("circle", { class: done.has(stop.key) ? "pin done" : "pin", cx, cy, r: 11 }));
      made.push(shape("text", { class: "number", x: cx, y: cy, "font-size": 12 }, String(n + 1)));
    });
    this.dot = shape("circle", { class: "me", r: 8, visibility: "hidden" });
    made.push(this.dot);
    this.svg.replaceChildren(...made);
    const around = (patrol?.line?.coordinates || patrol?.stops.map((/** @type {any} */ s) => [s.lon, s.lat]) || []).map((/** @type {number[]} */ p) => this.xy(p));
    if (around.length) {
      const xs = around.map((/** @type {number[]} */ p) => p[0]), ys = around.map((/** @type {number[]} */ p) => p[1]);
      const [x, y] = [Math.min(...xs) - 40, Math.min(...ys) - 40];
      this.home = [x, y, Math.max(...xs) + 40 - x, Math.max(...ys) + 40 - y];
    } else this.home = [-300, -300, 600, 600];
    this.show(this.home);
  }

  /** @param {number} lon @param {number} lat */
  me(lon, lat) {
    if (!this.dot) return;
    const [x, y] = this.xy([lon, lat]);
    this.dot.setAttribute("cx", String(x)); this.dot.setAttribute("cy", String(y)); this.dot.setAttribute("visibility", "visible");
  }

  /** @param {number[]} box */
  show(box) { this.box = [...box]; this.svg.setAttribute("viewBox", box.map((v) => v.toFixed(1)).join(" ")); }
  /** @param {number} by */
  zoom(by) { const [x, y, w, h] = this.box; this.show([x + (w - w * by) / 2, y + (h - h * by) / 2, w * by, h * by]); }

  /** @param {PointerEvent} e */
  moved(e) {
    const before = this.fingers.get(e.pointerId);
    if (!before) return;
    const others = [...this.fingers].filter(([id]) => id !== e.pointerId).map(([, p]) => p);
    const scale = Math.max(this.box[2] / this.svg.clientWidth, this.box[3] / this.svg.clientHeight);
    if (others.length) {
      const [ox, oy] = others[0];
      const was = Math.hypot(before[0] - ox, before[1] - oy), is = Math.hypot(e.clientX - ox, e.clientY - oy);
      if (is > 10) this.zoom(was / is);
    } else this.show([this.box[0] - (e.clientX - before[0]) * scale, this.box[1] - (e.clientY - before[1]) * scale, this.box[2], this.box[3]]);
    this.fingers.set(e.pointerId, [e.clientX, e.clientY]);
  }
}

/** The outer ring of a polygon. @param {any} geometry @returns {number[][]} */
function ring(geometry) { return geometry.type === "MultiPolygon" ? geometry.coordinates[0][0] : geometry.coordinates[0]; }
