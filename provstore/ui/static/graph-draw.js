// @ts-check
/**
 * How the things and lines of a picture are drawn: SVG elements from plain data, nothing else.
 *
 * PROV's shapes: an entity is round, an activity a rectangle, an agent a house. Three levels of detail: near shows
 * everything, middle one large name, far the shape alone.
 *
 * @typedef {import('./graph-layout.js').Placed} Placed
 * @typedef {import('./graph-layout.js').Route} Route
 * @typedef {'near' | 'middle' | 'far'} Detail
 * @typedef {{id: string, name: string, about: string, role: string, look: string, href: string, label: string,
 *   focus: boolean, doubt: boolean, rows: {text: string, column: string | null}[], sources: number, results: number}} Thing
 *   `about` is the small line below the name, `label` what a screen reader says, `sources` and `results` how many more
 *   there are on either side that are not shown
 * @typedef {{id: string, source: string, target: string, style: string, label: string, sourceY?: number, targetY?: number}} Line
 */

export const HEIGHT = 50, ROW = 24;
const NARROW = 140, WIDE = 248, INSET = 20, MEASURED = 24;
const SVG = 'http://www.w3.org/2000/svg';
const pen = document.createElement('canvas').getContext('2d');
const FONT = 'system-ui, "Segoe UI", "DejaVu Sans", sans-serif';
/** @type {Map<string, string>} */
const cuts = new Map();

/** @param {string} tag @param {Record<string, string | number>} attributes @param {(Node | string)[]} children */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const name in attributes) made.setAttribute(name, String(attributes[name]));
  made.append(...children);
  return made;
}

/** How high a thing's box is. @param {Thing} thing */
export function height(thing) {
  return HEIGHT + (thing.rows.length ? thing.rows.length * ROW + 8 : 0);
}

/** How wide boxes must be for what they say, within limits; all of a picture are of one width. @param {Thing[]} things */
export function width(things) {
  const widest = Math.max(
    longest(things.map((thing) => thing.name), 15, 600),
    longest(things.map((thing) => thing.about), 12, 400),
    longest(things.flatMap((thing) => thing.rows.map((row) => row.text)), 13, 400));
  return Math.min(WIDE, Math.max(NARROW, Math.ceil(widest) + 2 * INSET));
}

/** How long the longest of some texts is, as far as it matters: to measure one costs more than to count its letters. @param {string[]} texts @param {number} size @param {number} weight */
function longest(texts, size, weight) {
  const most = texts.sort((a, b) => b.length - a.length).slice(0, MEASURED);
  return Math.max(0, ...most.map((text) => (text.length > 100 ? WIDE : long(text, size, weight))));
}

/** How long a text is when it is written. @param {string} text @param {number} size @param {number} weight */
function long(text, size, weight) {
  if (!pen) return text.length * size * 0.55;
  pen.font = `${weight} ${size}px ${FONT}`;
  return pen.measureText(text).width + 1;
}

/** An integer with thousands apart. @param {number} value */
export function count(value) {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Where the line to a row of a thing meets its box, from the top. @param {number} row */
export function rowY(row) {
  return HEIGHT + row * ROW + ROW / 2;
}

/** Text that is no wider than so many pixels; an ellipsis stands for what is cut before `end`. @param {string} text @param {number} width @param {number} size @param {number} weight @param {string} end */
export function cut(text, width, size, weight = 400, end = '') {
  const key = `${size} ${weight} ${width} ${text}`;
  let found = cuts.get(key);
  if (found === undefined) {
    if (cuts.size > 20_000) cuts.clear();
    found = fitted(text, width, size, weight, end);
    cuts.set(key, found);
  }
  return found;
}

/** The end of a name that is kept when it is cut: a short last word, such as a number, which tells it from its like. @param {string} name */
function lastWord(name) {
  return /\s(\S{1,6})$/u.exec(name)?.[1] ?? '';
}

/** @param {string} text @param {number} width @param {number} size @param {number} weight @param {string} end */
function fitted(text, width, size, weight, end) {
  if (!pen) return text.length > width / size * 1.8 ? `${text.slice(0, Math.floor(width / size * 1.8))}…` : text;
  pen.font = `${weight} ${size}px ${FONT}`;
  if (text.length < 400 && pen.measureText(text).width <= width) return text;
  const letters = Array.from(text.slice(0, 400));
  let low = 0, high = letters.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (pen.measureText(`${letters.slice(0, middle).join('')}…${end}`).width <= width) low = middle;
    else high = middle - 1;
  }
  return `${letters.slice(0, low).join('')}…${end}`;
}

/** A thing at its place, with its chips. @param {Thing} thing @param {Placed} at @param {Detail} detail */
export function drawn(thing, at, detail) {
  const link = element('a', {
    class: `node ${thing.role} ${thing.look}${thing.focus ? ' focus' : ''}${thing.doubt ? ' doubt' : ''}`,
    href: thing.href, 'aria-label': thing.label, tabindex: -1, 'data-id': thing.id,
  });
  link.append(element('title', {}, thing.label), outline(thing, at));
  if (detail === 'near') link.append(...near(thing, at));
  else if (detail === 'middle') link.append(text(thing.name, at.width / 2, at.height / 2 + 8, 'name large', at.width - 24, 24, 600, 'middle'));
  const group = element('g', { class: 'box', transform: `translate(${at.x} ${at.y})` }, link);
  if (detail !== 'far') group.append(...chips(thing, at, detail));
  return group;
}

/** @param {Thing} thing @param {Placed} at */
function outline(thing, at) {
  const { width: w, height: h } = at;
  if (thing.role === 'agent') return element('path', { class: 'shape', d: `M0 12 L${w / 2} 0 L${w} 12 V${h} H0 Z` });
  const round = thing.role === 'activity' ? 3 : thing.rows.length ? 14 : h / 2;
  return element('rect', { class: 'shape', width: w, height: h, rx: round });
}

/** @param {Thing} thing @param {Placed} at */
function near(thing, at) {
  const inset = thing.role === 'entity' && !thing.rows.length ? INSET : 14, room = at.width - 2 * inset;
  const parts = [
    text(thing.name, inset, 22, 'name', room, 15, 600),
    text(thing.about, inset, 39, 'about', room, 12, 400),
  ];
  thing.rows.forEach((row, i) => {
    const y = HEIGHT + i * ROW;
    parts.push(element('line', { class: 'rule', x1: 0, x2: at.width, y1: y, y2: y }));
    parts.push(text(row.text, inset + 4, y + 16, row.column === null ? 'row rest' : 'row', room - 4, 13, 400));
  });
  return parts;
}

/** @param {string} said @param {number} x @param {number} y @param {string} name @param {number} room @param {number} size @param {number} weight */
function text(said, x, y, name, room, size, weight, anchor = 'start') {
  return element('text', { class: name, x, y, 'text-anchor': anchor }, cut(said, room, size, weight, name.startsWith('name') ? lastWord(said) : ''));
}

/** What more there is on either side, as buttons. @param {Thing} thing @param {Placed} at @param {Detail} detail */
function chips(thing, at, detail) {
  const found = [];
  for (const [side, many] of /** @type {const} */ ([['sources', thing.sources], ['results', thing.results]])) {
    if (!many) continue;
    const said = `+${count(many)}${many > 9 ? ' more' : ''}`, width = Math.ceil(long(said, 12, 600)) + 16;
    const x = side === 'sources' ? -10 : at.width - width + 10, y = at.height - 7;
    const what = side === 'sources' ? 'it came from' : 'came from it';
    const chip = element('g', {
      class: 'more', role: 'button', tabindex: -1, 'data-id': thing.id, 'data-side': side, transform: `translate(${x} ${y})`,
      'aria-label': `Show what ${what}: ${count(many)} more (${thing.name})`,
    }, element('title', {}, `${count(many)} more ${side === 'sources' ? 'that it came from' : 'that came from it'}`));
    chip.append(element('rect', { class: 'shape', width, height: 20, rx: 10 }));
    if (detail === 'near') chip.append(element('text', { x: width / 2, y: 14, 'text-anchor': 'middle' }, said));
    found.push(chip);
  }
  return found;
}

/** A line along its route; the first of its paths is wide and unseen, for the pointer. @param {Line} line @param {Route} route */
export function stroke(line, route) {
  const d = along(route.points);
  const group = element('g', { class: `edge ${line.style}${route.reversed ? ' back' : ''}`, role: 'button', tabindex: -1, 'aria-label': line.label, 'data-id': line.id });
  group.append(
    element('title', {}, line.label),
    element('path', { class: 'hit', d }),
    element('path', { class: 'stroke', d }),
    element('path', { class: 'head', d: head(route.points, route.reversed) }),
  );
  return group;
}

/** A curve that leaves and arrives level. @param {number[]} points */
export function along(points) {
  let d = `M${round(points[0])} ${round(points[1])}`;
  for (let i = 2; i < points.length; i += 2) {
    const [x0, y0, x1, y1] = points.slice(i - 2, i + 2);
    const bend = Math.max(28, Math.abs(x1 - x0) * 0.5) * (x1 < x0 ? -1 : 1);
    d += Math.abs(y1 - y0) < 0.5 ? ` L${round(x1)} ${round(y1)}`
      : ` C${round(x0 + bend)} ${round(y0)} ${round(x1 - bend)} ${round(y1)} ${round(x1)} ${round(y1)}`;
  }
  return d;
}

/** @param {number[]} points @param {boolean} back */
function head(points, back) {
  const x = points[points.length - 2], y = points[points.length - 1], side = back ? 8 : -8;
  return `M${round(x)} ${round(y)} l${side} -4.5 v9 Z`;
}

/** @param {number} value */
function round(value) {
  return Math.round(value * 10) / 10;
}
