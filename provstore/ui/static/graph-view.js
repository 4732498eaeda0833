// @ts-check
/**
 * A picture of a graph in an SVG element: pan, zoom, walk by keyboard, and only what can be seen is in the document.
 *
 * Things are links and lines are buttons, one of them at a time in the order of the Tab key. Arrows walk: left and
 * right along the lines, up and down within a layer; `+` `-` zoom, `0` shows all, Enter opens, Escape lets go.
 *
 * @typedef {import('./graph-draw.js').Thing} Thing
 * @typedef {import('./graph-draw.js').Line} Line
 * @typedef {import('./graph-draw.js').Detail} Detail
 * @typedef {import('./graph-layout.js').Layout} Layout
 * @typedef {import('./graph-layout.js').Placed} Placed
 * @typedef {{onThing(id: string): void, onLine(id: string): void, onMore(id: string, side: string): void, onNothing(): void}} Hooks
 */

import { layout } from './graph-layout.js';
import { along, drawn, element, height, stroke, width as wide } from './graph-draw.js';

const MARGIN = 48, LEAST = 0.02, MOST = 2.5;
const READABLE = 0.62; // the least scale at which all is shown at first
const MAP = { width: 150, height: 84 };
const MANY = 1_500; // lines and things that are drawn as one path each when seen from far

export class GraphView {
  /** @param {SVGSVGElement} svg @param {SVGSVGElement} map @param {Hooks} hooks */
  constructor(svg, map, hooks) {
    this.svg = svg;
    this.map = map;
    this.hooks = hooks;
    this.world = element('g', { class: 'world' });
    this.lineLayer = element('g', { class: 'lines' });
    this.thingLayer = element('g', { class: 'things' });
    this.world.append(this.lineLayer, this.thingLayer);
    svg.append(this.world);
    this.at = { x: 0, y: 0, scale: 1 };
    /** @type {Map<string, Thing>} */ this.things = new Map();
    /** @type {Map<string, Line>} */ this.lines = new Map();
    /** @type {Map<string, Line[]>} */ this.touching = new Map();
    /** @type {Map<string, SVGElement>} */ this.seen = new Map();
    /** @type {Layout} */ this.layout = { boxes: new Map(), routes: [], width: 0, height: 0 };
    /** @type {string | null} */ this.current = null; // the thing that the Tab key comes to
    /** @type {string | null} */ this.chosen = null; // the line that is chosen
    /** @type {Detail} */ this.detail = 'near';
    this.frame = 0;
    /** @type {string | null} */ this.pressed = null; // the thing that was clicked last
    this.covered = 0; // pixels on the right that something else covers
    listen(this);
    new ResizeObserver(() => this.ask()).observe(svg);
  }

  /** Show other things and lines: where one was looking, or at first anywhere until `start`. @param {Thing[]} things @param {Line[]} lines @param {'first' | 'keep'} how */
  show(things, lines, how) {
    const before = this.current ? this.layout.boxes.get(this.current) : undefined;
    this.things = new Map(things.map((thing) => [thing.id, thing]));
    this.lines = new Map(lines.map((line) => [line.id, line]));
    this.touching = new Map(things.map((thing) => [thing.id, []]));
    for (const line of lines) {
      this.touching.get(line.source)?.push(line);
      this.touching.get(line.target)?.push(line);
    }
    const width = wide(things);
    this.layout = layout(things.map((thing) => ({ id: thing.id, width, height: height(thing) })), lines);
    this.routes = new Map(lines.map((line, i) => [line.id, this.layout.routes[i]]));
    if (!this.current || !this.things.has(this.current)) this.current = (things.find((thing) => thing.focus) ?? things[0])?.id ?? null;
    if (this.chosen && !this.lines.has(this.chosen)) this.chosen = null;
    this.clear();
    const after = this.current ? this.layout.boxes.get(this.current) : undefined;
    this.drawMap();
    if (how === 'first') return; // the caller says when there is room to look
    if (!before || !after) this.start();
    else this.move((before.x - after.x) * this.at.scale, (before.y - after.y) * this.at.scale);
    this.draw();
  }

  clear() {
    this.seen.clear();
    this.lineLayer.replaceChildren();
    this.thingLayer.replaceChildren();
  }

  // --- where one looks -------------------------------------------------------------------------------------------------

  size() {
    return { width: (this.svg.clientWidth || 800) - this.covered, height: this.svg.clientHeight || 400 };
  }

  /** All of it where that can be read, else what is around the thing in question. */
  start() {
    this.fit();
    const { width, height: high } = this.size(), box = this.current ? this.layout.boxes.get(this.current) : undefined;
    if (this.at.scale >= READABLE || !box) return;
    const scale = width < 600 ? 0.7 : 0.85;
    this.at = { scale, x: width / 2 - (box.x + box.width / 2) * scale, y: high / 2 - (box.y + box.height / 2) * scale };
    this.within();
  }

  /** Do not look past the edges of what there is. */
  within() {
    const { width, height: high } = this.size(), { scale } = this.at;
    this.at.x = inside(this.at.x, width, this.layout.width * scale);
    this.at.y = inside(this.at.y, high, this.layout.height * scale);
  }

  fit() {
    const { width, height: high } = this.size(), { width: w, height: h } = this.layout;
    const scale = Math.min(1, Math.max(LEAST, Math.min((width - 2 * MARGIN) / (w || 1), (high - 2 * MARGIN) / (h || 1))));
    this.at = { scale, x: (width - w * scale) / 2, y: (high - h * scale) / 2 };
    this.ask();
  }

  /** @param {number} factor @param {number} [x] @param {number} [y] */
  zoom(factor, x, y) {
    const { width, height: high } = this.size(), px = x ?? width / 2, py = y ?? high / 2;
    const scale = Math.min(MOST, Math.max(LEAST, this.at.scale * factor)), by = scale / this.at.scale;
    this.at = { scale, x: px - (px - this.at.x) * by, y: py - (py - this.at.y) * by };
    this.ask();
  }

  /** @param {number} dx @param {number} dy */
  move(dx, dy) {
    this.at.x += dx;
    this.at.y += dy;
    this.ask();
  }

  /** Bring a box into sight. @param {Placed} box */
  reveal(box) {
    const { width, height: high } = this.size(), { scale } = this.at, edge = 40;
    const left = box.x * scale + this.at.x, top = box.y * scale + this.at.y;
    const dx = Math.max(edge - left, 0) + Math.min(width - edge - left - box.width * scale, 0);
    const dy = Math.max(edge - top, 0) + Math.min(high - edge - top - box.height * scale, 0);
    if (dx || dy) this.move(dx, dy);
  }

  // --- drawing -----------------------------------------------------------------------------------------------------------

  ask() {
    if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.draw(); });
  }

  draw() {
    const { x, y, scale } = this.at, { width, height: high } = this.size();
    const detail = scale < 0.22 ? 'far' : scale < 0.5 ? 'middle' : 'near';
    if (detail !== this.detail) this.clear();
    this.detail = detail;
    this.svg.dataset.detail = detail;
    this.world.setAttribute('transform', `translate(${x.toFixed(1)} ${y.toFixed(1)}) scale(${scale.toFixed(4)})`);
    const pad = 60 / scale, left = -x / scale - pad, top = -y / scale - pad;
    const right = (width + this.covered - x) / scale + pad, bottom = (high - y) / scale + pad;
    const wanted = this.parts(left, top, right, bottom);
    const held = document.activeElement instanceof SVGElement ? document.activeElement : null;
    for (const [key, made] of this.seen) {
      if (!wanted.has(key) && !(held && made.contains(held))) {
        made.remove();
        this.seen.delete(key);
      }
    }
    for (const [key, make] of wanted) {
      if (this.seen.has(key)) continue;
      const made = /** @type {SVGElement} */ (make());
      this.seen.set(key, made);
      (key[0] === 'e' ? this.lineLayer : this.thingLayer).append(made);
    }
    this.marked();
    this.drawView();
  }

  /** What is to be in the document: a name for each part, and what makes it. @param {number} left @param {number} top @param {number} right @param {number} bottom */
  parts(left, top, right, bottom) {
    /** @type {Map<string, () => Element>} */
    const wanted = new Map();
    if (this.detail === 'far' && this.things.size + this.lines.size > MANY) {
      for (const [name, d] of this.bulk()) wanted.set(name, () => element('path', { class: name.slice(2), d }));
      const box = this.current && this.layout.boxes.get(this.current), thing = this.current && this.things.get(this.current);
      if (box && thing) wanted.set(`n ${thing.id}`, () => drawn(thing, box, 'far'));
      return wanted;
    }
    for (const [id, line] of this.lines) {
      const route = this.routes?.get(id);
      if (!route) continue;
      const [x0, x1, y0, y1] = bounds(route);
      if (x1 >= left && x0 <= right && y1 >= top && y0 <= bottom) wanted.set(`e ${id}`, () => stroke(line, route));
    }
    for (const [id, box] of this.layout.boxes) {
      const thing = this.things.get(id);
      if (thing && (id === this.current || (box.x + box.width >= left && box.x <= right && box.y + box.height >= top && box.y <= bottom))) {
        wanted.set(`n ${id}`, () => drawn(thing, box, this.detail));
      }
    }
    return wanted;
  }

  /** All lines of a style as one path, all things of a look as another: [part, path]. */
  bulk() {
    /** @type {Map<string, string[]>} */
    const parts = new Map();
    for (const [id, line] of this.lines) {
      const route = this.routes?.get(id);
      if (route) add(parts, `e bulk stroke ${line.style}`, along(route.points));
    }
    for (const [id, box] of this.layout.boxes) {
      const thing = this.things.get(id);
      if (thing) add(parts, `n bulk shape ${thing.role} ${thing.look}`, `M${box.x} ${box.y.toFixed(1)}h${box.width}v${box.height}h${-box.width}Z`);
    }
    return Array.from(parts, ([name, all]) => /** @type {const} */ ([name, all.join('')]));
  }

  /** Show which thing is current, which line is chosen, and what touches either. */
  marked() {
    const line = this.chosen ? this.lines.get(this.chosen) : undefined;
    for (const [key, made] of this.seen) {
      const id = key.slice(2);
      if (key[0] === 'e') {
        made.classList.toggle('chosen', id === this.chosen);
        const near = this.lines.get(id);
        made.classList.toggle('near', !line && !!near && (near.source === this.current || near.target === this.current));
      } else {
        const current = id === this.current;
        made.classList.toggle('current', current && !line);
        made.classList.toggle('end', !!line && (line.source === id || line.target === id));
        for (const each of made.querySelectorAll('[tabindex]')) each.setAttribute('tabindex', current ? '0' : '-1');
      }
    }
  }

  drawMap() {
    const { width, height: high } = this.layout;
    const by = Math.min(MAP.width / (width + 2 * MARGIN), MAP.height / (high + 2 * MARGIN));
    this.map.style.width = `${Math.max(30, (width + 2 * MARGIN) * by)}px`;
    this.map.style.height = `${Math.max(20, (high + 2 * MARGIN) * by)}px`;
    this.map.setAttribute('viewBox', `${-MARGIN} ${-MARGIN} ${width + 2 * MARGIN} ${high + 2 * MARGIN}`);
    this.map.replaceChildren();
    for (const [name, d] of this.bulk()) if (name[0] === 'n') this.map.append(element('path', { class: name.slice(2), d }));
    this.window = element('rect', { class: 'window' });
    this.map.append(this.window);
  }

  drawView() {
    const { x, y, scale } = this.at, { width, height: high } = this.size();
    const all = this.layout.width * scale <= width + 1 && this.layout.height * scale <= high + 1;
    this.map.classList.toggle('unseen', all);
    const said = { x: -x / scale, y: -y / scale, width: width / scale, height: high / scale };
    for (const [name, value] of Object.entries(said)) this.window?.setAttribute(name, value.toFixed(1));
  }

  // --- what is chosen ------------------------------------------------------------------------------------------------------

  /** @param {string} id @param {boolean} [focus] whether the keyboard goes there too */
  chooseThing(id, focus = false) {
    const box = this.layout.boxes.get(id);
    if (!box) return;
    this.current = id;
    this.chosen = null;
    this.hooks.onThing(id);
    if (focus) this.reveal(box);
    this.draw();
    if (focus) /** @type {SVGElement | null} */ (this.seen.get(`n ${id}`)?.querySelector('a'))?.focus({ preventScroll: true });
  }

  /** @param {string} id */
  chooseLine(id) {
    this.chosen = id;
    this.marked();
    this.hooks.onLine(id);
  }

  /** Walk along a line, or up or down. @param {'left' | 'right' | 'up' | 'down'} where */
  walk(where) {
    const here = this.current ? this.layout.boxes.get(this.current) : undefined;
    if (!here || !this.current) return;
    const found = where === 'left' || where === 'right' ? this.along(where, here) : this.beside(where, here);
    if (!found) return;
    this.chooseThing(found.id, true);
    if (found.line) this.chooseLine(found.line);
  }

  /** @param {'left' | 'right'} where @param {Placed} here @returns {{id: string, line?: string} | null} */
  along(where, here) {
    const id = /** @type {string} */ (this.current);
    const ends = (this.touching.get(id) ?? []).filter((line) => (where === 'left' ? line.target : line.source) === id && line.source !== line.target);
    const near = ends.map((line) => ({ id: where === 'left' ? line.source : line.target, line: line.id }));
    return nearest(near, (each) => this.layout.boxes.get(each.id), here);
  }

  /** @param {'up' | 'down'} where @param {Placed} here @returns {{id: string, line?: string} | null} */
  beside(where, here) {
    const near = Array.from(this.layout.boxes, ([id, box]) => ({ id, box }));
    const side = near.filter(({ box }) => box.layer === here.layer && (where === 'up' ? box.y < here.y : box.y > here.y));
    return nearest(side, (each) => each.box, here);
  }

  /** The whole picture at full detail, as an SVG element that stands alone but for its styles. */
  whole() {
    const { width, height: high } = this.layout, pad = MARGIN;
    const whole = element('svg', { xmlns: 'http://www.w3.org/2000/svg', class: 'picture-svg', viewBox: `${-pad} ${-pad} ${width + 2 * pad} ${high + 2 * pad}`, width: Math.ceil(width + 2 * pad), height: Math.ceil(high + 2 * pad) });
    const lines = element('g'), things = element('g');
    for (const [id, line] of this.lines) {
      const route = this.routes?.get(id);
      if (route) lines.append(stroke(line, route));
    }
    for (const [id, box] of this.layout.boxes) things.append(drawn(/** @type {Thing} */ (this.things.get(id)), box, 'near'));
    whole.append(lines, things);
    for (const each of whole.querySelectorAll('[tabindex]')) each.removeAttribute('tabindex');
    return whole;
  }
}

/** @param {number} at @param {number} room @param {number} size */
function inside(at, room, size) {
  return size + 2 * MARGIN <= room ? (room - size) / 2 : Math.min(MARGIN, Math.max(room - size - MARGIN, at));
}

/** @param {import('./graph-layout.js').Route} route */
function bounds(route) {
  let x0 = Infinity, x1 = -Infinity, y0 = Infinity, y1 = -Infinity;
  for (let i = 0; i < route.points.length; i += 2) {
    x0 = Math.min(x0, route.points[i]);
    x1 = Math.max(x1, route.points[i]);
    y0 = Math.min(y0, route.points[i + 1]);
    y1 = Math.max(y1, route.points[i + 1]);
  }
  return [x0, x1, y0, y1];
}

/** @param {Map<string, string[]>} parts @param {string} name @param {string} d */
function add(parts, name, d) {
  const held = parts.get(name);
  if (held) held.push(d);
  else parts.set(name, [d]);
}

/** @template T @param {T[]} all @param {(each: T) => Placed | undefined} where @param {Placed} here @returns {T | null} */
function nearest(all, where, here) {
  let best = null, least = Infinity;
  for (const each of all) {
    const box = where(each);
    if (!box) continue;
    const far = Math.abs(box.y + box.height / 2 - here.y - here.height / 2) + Math.abs(box.layer - here.layer) * 0.01;
    if (far < least) [best, least] = [each, far];
  }
  return best;
}

// --- what people do ------------------------------------------------------------------------------------------------------

/** @param {GraphView} view */
function listen(view) {
  const { svg } = view;
  keys(view);
  pointers(view);
  svg.addEventListener('click', (event) => clicked(view, event));
  svg.addEventListener('dblclick', (event) => {
    const thing = view.pressed ? view.things.get(view.pressed) : undefined; // the first click may have moved it away
    if (thing) location.assign(thing.href);
    else view.zoom(1.6, event.offsetX, event.offsetY);
  });
  svg.addEventListener('focusin', (event) => {
    const id = /** @type {Element} */ (event.target).closest('a.node')?.getAttribute('data-id');
    if (id && id !== view.current) view.chooseThing(id);
  });
  svg.addEventListener('wheel', (event) => {
    // The wheel scrolls the page until one has taken to the picture, as with maps.
    if (!event.ctrlKey && !event.metaKey && !svg.contains(document.activeElement)) return;
    event.preventDefault();
    const box = svg.getBoundingClientRect();
    view.zoom(Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.0015)), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  view.map.addEventListener('pointerdown', (event) => {
    const box = view.map.getScreenCTM();
    if (!box) return;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(box.inverse()), { width, height: high } = view.size();
    view.at = { scale: view.at.scale, x: width / 2 - at.x * view.at.scale, y: high / 2 - at.y * view.at.scale };
    view.within();
    view.ask();
  });
}

/** @param {GraphView} view @param {MouseEvent} event */
function clicked(view, event) {
  const target = /** @type {Element} */ (event.target);
  if (event.detail > 1) return;
  view.pressed = target.closest('a.node')?.getAttribute('data-id') ?? null;
  const more = target.closest('.more'), line = target.closest('.edge'), link = target.closest('a.node');
  if (more) view.hooks.onMore(more.getAttribute('data-id') ?? '', more.getAttribute('data-side') ?? '');
  else if (link && event.detail && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault(); // a pointer chooses; the Enter key, a double click or the panel opens
    view.chooseThing(link.getAttribute('data-id') ?? '', true);
  } else if (line) view.chooseLine(line.getAttribute('data-id') ?? '');
  else if (!link) view.hooks.onNothing();
}

/** @type {Record<string, (view: GraphView) => void>} */
const KEYS = {
  ArrowLeft: (view) => view.walk('left'),
  ArrowRight: (view) => view.walk('right'),
  ArrowUp: (view) => view.walk('up'),
  ArrowDown: (view) => view.walk('down'),
  '+': (view) => view.zoom(1.25),
  '=': (view) => view.zoom(1.25),
  '-': (view) => view.zoom(0.8),
  0: (view) => view.fit(),
  Escape: (view) => view.hooks.onNothing(),
};

/** @param {GraphView} view */
function keys(view) {
  view.svg.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const button = /** @type {Element} */ (event.target).closest('.more');
    if (button && (event.key === 'Enter' || event.key === ' ')) {
      event.preventDefault();
      view.hooks.onMore(button.getAttribute('data-id') ?? '', button.getAttribute('data-side') ?? '');
    } else if (KEYS[event.key]) {
      event.preventDefault();
      KEYS[event.key](view);
    }
  });
}

/** One pointer pans, two zoom. @param {GraphView} view */
function pointers(view) {
  const { svg } = view;
  /** @type {Map<number, {x: number, y: number}>} */
  const held = new Map();
  let moved = false;
  svg.addEventListener('pointerdown', (event) => {
    if (event.button) return;
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
    moved = false;
  });
  svg.addEventListener('pointermove', (event) => {
    const last = held.get(event.pointerId);
    if (!last) return;
    const dx = event.clientX - last.x, dy = event.clientY - last.y;
    if (!moved && Math.hypot(dx, dy) < 4) return;
    if (!moved) svg.setPointerCapture(event.pointerId);
    moved = true;
    svg.classList.add('moving');
    if (held.size === 2) pinch(view, held, event);
    else view.move(dx, dy);
    held.set(event.pointerId, { x: event.clientX, y: event.clientY });
  });
  for (const end of ['pointerup', 'pointercancel']) {
    svg.addEventListener(end, (event) => {
      held.delete(/** @type {PointerEvent} */ (event).pointerId);
      svg.classList.remove('moving');
    });
  }
  svg.addEventListener('click', (event) => {
    if (moved) event.stopImmediatePropagation(), event.preventDefault();
    moved = false;
  }, { capture: true });
  svg.addEventListener('dragstart', (event) => event.preventDefault());
}

/** @param {GraphView} view @param {Map<number, {x: number, y: number}>} held @param {PointerEvent} event */
function pinch(view, held, event) {
  const [other] = Array.from(held).filter(([id]) => id !== event.pointerId).map(([, at]) => at);
  const last = /** @type {{x: number, y: number}} */ (held.get(event.pointerId)), box = view.svg.getBoundingClientRect();
  const before = Math.hypot(last.x - other.x, last.y - other.y), now = Math.hypot(event.clientX - other.x, event.clientY - other.y);
  if (before) view.zoom(now / before, (event.clientX + other.x) / 2 - box.left, (event.clientY + other.y) / 2 - box.top);
}
