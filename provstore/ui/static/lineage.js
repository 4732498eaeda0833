// @ts-check
/**
 * The lineage page with scripts: the picture of the answer that the page holds, with what belongs to it.
 *
 * What is asked stands in the address. The sliders ask for the page anew and take over its sentence, its table and its
 * answer, so that all three always are of one moment.
 *
 * @typedef {import('./lineage-graph.js').Answer} Answer
 */

import { GraphView } from './graph-view.js';
import { count, element } from './graph-draw.js';
import { Graph, known, lookOf, words } from './lineage-graph.js';
import { aboutLine, aboutThing, html } from './lineage-panel.js';
import { svgFile } from './graph-export.js';

/** How a statement is known → what that means. */
const STATUSES = {
  asserted: 'a record says so',
  merged: 'follows within one run',
  inferred: 'follows across runs',
  possible: 'may be so',
  influence: 'decided over rows or order, no part of the value',
};
const STEPS = 400; // of the slider of time
const PAUSE = 120; // milliseconds that a slider rests before it asks
const PAGE = 50; // neighbours that are fetched at once

class Page {
  /** @param {HTMLElement} figure @param {Answer} answer */
  constructor(figure, answer) {
    this.figure = figure;
    this.answer = answer;
    this.graph = new Graph(answer);
    this.hide = new Set((new URLSearchParams(location.search).get('hide') ?? '').split(',').filter(Boolean));
    this.asked = 0;
    const svg = /** @type {SVGSVGElement} */ (element('svg', { class: 'picture-svg', role: 'group', 'aria-label': 'Picture of the lineage' }));
    const map = /** @type {SVGSVGElement} */ (element('svg', { class: 'map', 'aria-hidden': 'true' }));
    this.panel = html('aside', { class: 'panel', 'aria-label': 'What is chosen' });
    this.note = html('p', { class: 'note', role: 'status' });
    this.legend = html('div', { class: 'legend' });
    this.stage = html('div', { class: 'stage' }, svg, map, this.tools());
    figure.replaceChildren(html('div', { class: 'view' }, this.stage, this.panel), this.note, this.moments(), this.legend);
    figure.hidden = false;
    this.view = new GraphView(svg, map, {
      onThing: (id) => this.tell(aboutThing(this.graph, id, (line) => this.view.chooseLine(line))),
      onLine: (id) => this.tell(aboutLine(this.graph, id)),
      onMore: (id, side) => this.more(id, side === 'sources' ? 'sources' : 'results'),
      onNothing: () => this.let(),
    });
    this.show('first');
  }

  /** @param {'first' | 'keep'} how */
  show(how) {
    if (new URLSearchParams(location.search).get('fold') === 'none') this.unfolded();
    const { things, lines, folded } = this.graph.drawn(this.hide);
    this.stage.dataset.things = String(things.length);
    this.stage.dataset.lines = String(lines.length);
    this.view.show(things, lines, how);
    if (how === 'first') this.fitted();
    this.said(things.length, folded);
    this.drawLegend();
  }

  /** No higher than what there is to see. */
  fitted() {
    const { height, width } = this.view.layout, room = this.view.size();
    const scale = Math.min(1, (room.width - 96) / (width || 1));
    const wanted = Math.round(Math.min(Math.max(height * Math.max(scale, 0.62) + 120, 280), Math.max(360, innerHeight - this.figure.offsetTop - 24)));
    this.stage.style.height = `${wanted}px`;
    this.view.start();
    this.view.draw();
  }

  /** @param {(Node | string)[]} parts */
  tell(parts) {
    const close = html('button', { type: 'button', class: 'plain close', 'aria-label': 'Close', title: 'Close (Escape)' }, '×');
    close.addEventListener('click', () => this.let());
    this.panel.replaceChildren(...parts.length ? [close, ...parts] : []);
    this.view.covered = getComputedStyle(this.panel).position === 'absolute' ? this.panel.offsetWidth : 0;
  }

  /** Let go of what was chosen. */
  let() {
    this.view.chosen = null;
    this.tell([]);
    this.view.ask();
  }

  // --- around the picture ----------------------------------------------------------------------------------------------

  tools() {
    const tool = (/** @type {string} */ said, /** @type {string} */ name, /** @type {() => void} */ act) => {
      const button = html('button', { type: 'button', class: 'plain', 'aria-label': name, title: name }, said);
      button.addEventListener('click', act);
      return button;
    };
    return html('div', { class: 'tools' },
      tool('+', 'Zoom in (+)', () => this.view.zoom(1.25)),
      tool('−', 'Zoom out (-)', () => this.view.zoom(0.8)),
      tool('⤢', 'Show all (0)', () => this.view.fit()),
      tool('SVG', 'Export as SVG', () => this.export()));
  }

  async export() {
    const text = await svgFile(this.view.whole());
    const link = html('a', { href: URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' })), download: 'lineage.svg' });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.getAttribute('href') ?? ''), 10_000);
  }

  /** @param {number} things @param {number} folded */
  said(things, folded) {
    const { total } = this.answer, loaded = this.graph.nodes.size;
    const parts = [`${count(things)} of ${count(Math.max(total, loaded))} things drawn.`];
    if (folded) parts.push(`${count(folded)} ${folded === 1 ? 'is' : 'are'} folded into the numbers at their neighbours.`);
    this.note.replaceChildren(parts.join(' '), ' ');
    if (folded) this.note.append(button('Unfold all', () => this.unfoldAll()));
    if (this.answer.next) this.note.append(button(`Load ${count(Math.min(total - this.loaded(), this.limit()))} more`, () => this.next()));
  }

  loaded() {
    return this.answer.nodes.length;
  }

  limit() {
    return Number(new URL(this.twin()).searchParams.get('limit') ?? 50);
  }

  drawLegend() {
    const nodes = Array.from(this.graph.nodes.values()), edges = Array.from(this.graph.edges.values());
    const statuses = Object.entries(STATUSES).filter(([name]) => name !== 'influence' || edges.some((edge) => known(edge) === name));
    const lines = statuses.map(([name, about]) => this.toggle(name, name, edges.filter((edge) => known(edge) === name).length, about, sample(name)));
    /** @type {Map<string, import('./lineage-graph.js').Node[]>} */
    const kinds = new Map();
    for (const node of nodes) kinds.set(node.kind || 'Entity', [...(kinds.get(node.kind || 'Entity') ?? []), node]);
    const boxes = Array.from(kinds).sort((a, b) => b[1].length - a[1].length).map(([kind, all]) =>
      this.toggle(kind, words(kind === 'Entity' ? '' : kind), all.length, 'Show or hide', sign(all[0].role, lookOf(all[0]))));
    this.legend.replaceChildren(
      html('div', { class: 'legend-row', role: 'group', 'aria-label': 'Lines, by how they are known' }, html('span', { class: 'soft' }, 'Known how'), ...lines),
      html('div', { class: 'legend-row', role: 'group', 'aria-label': 'Things, by kind' }, html('span', { class: 'soft' }, 'Kinds'), ...boxes),
      html('p', { class: 'hint' }, 'Arrows lead from a source to what came of it. Choose a thing or a line, by pointer or arrow keys, to see how it is known and the record that proves it; Enter opens, + − 0 zoom.'));
  }

  /** @param {string} name @param {string} said @param {number} many @param {string} about @param {Element} sign */
  toggle(name, said, many, about, sign) {
    const made = html('button', { type: 'button', class: 'toggle', 'aria-pressed': String(!this.hide.has(name)), title: about, 'data-name': name },
      sign, html('span', {}, said), html('span', { class: 'soft' }, count(many)));
    if (name in STATUSES) made.append(html('span', { class: 'means' }, about));
    made.disabled = !many && !this.hide.has(name);
    made.addEventListener('click', () => {
      if (!this.hide.delete(name)) this.hide.add(name);
      this.address({ hide: Array.from(this.hide).sort().join(',') });
      this.show('keep');
      /** @type {HTMLElement | null} */ (this.legend.querySelector(`[data-name="${CSS.escape(name)}"]`))?.focus();
    });
    return made;
  }

  // --- moments -----------------------------------------------------------------------------------------------------------

  moments() {
    const { first, newest, span } = this.answer, given = new URLSearchParams(location.search);
    const rows = html('div', { class: 'moments' });
    if (newest > first) {
      const at = Number(given.get('at-index') ?? newest);
      rows.append(slider('Recorded by ledger index', first, newest, at, (value) => (value === newest ? `${count(newest)}, the newest` : `${count(value)} of ${count(newest)}`),
        (value) => this.moment({ 'at-index': value === newest ? '' : String(value) })));
    }
    if (span && span[0] !== span[1]) {
      const [from, to] = span.map((time) => Date.parse(time) / 1000), step = Math.max(1, Math.ceil((to - from) / STEPS));
      const last = Math.ceil((to - from) / step);
      const instant = (/** @type {number} */ value) => new Date((from + value * step) * 1000).toISOString().replace('.000Z', 'Z');
      const asOf = given.get('as-of'), at = asOf ? Math.round((Date.parse(asOf) / 1000 - from) / step) : last;
      rows.append(slider('Existed by', 0, last, Math.min(last, Math.max(0, at || 0)), (value) => (value >= last ? 'any time' : `${instant(value).replace('T', ' ').slice(0, 16)} UTC`),
        (value) => this.moment({ 'as-of': value >= last ? '' : instant(value) })));
    }
    return rows;
  }

  /** @param {Record<string, string>} changes */
  moment(changes) {
    this.address({ ...changes, cursor: '', rows: '' });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.again(), PAUSE);
  }

  /** Ask for this page at the address as it is now, and take over what it says. */
  async again() {
    const turn = ++this.asked;
    this.figure.setAttribute('aria-busy', 'true');
    const page = new DOMParser().parseFromString(await (await fetch(location.href, { headers: { Accept: 'text/html' } })).text(), 'text/html');
    if (turn !== this.asked) return; // a later wish is on its way
    this.figure.removeAttribute('aria-busy');
    for (const id of ['summary', 'table', 'answer']) {
      const now = document.getElementById(id), next = page.getElementById(id);
      if (now && next) now.replaceWith(document.adoptNode(next));
    }
    const twin = page.getElementById('picture')?.dataset.twin, said = document.getElementById('answer')?.textContent;
    if (!twin || !said) return; // there is no answer, and the sentence above says why
    this.figure.dataset.twin = twin;
    this.answer = JSON.parse(said);
    this.graph = new Graph(this.answer);
    this.show('keep');
    this.let();
  }

  /** Put changes into the address; an empty value leaves a parameter out. @param {Record<string, string>} changes */
  address(changes) {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(changes)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    history.replaceState(history.state, '', url);
  }

  // --- more --------------------------------------------------------------------------------------------------------------

  twin() {
    return new URL(this.figure.dataset.twin ?? '', location.href).href;
  }

  /** @param {Record<string, string>} changes @returns {Promise<Answer>} */
  async ask(changes) {
    const url = new URL(this.twin());
    for (const [name, value] of Object.entries(changes)) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    const answer = await fetch(url, { headers: { Accept: 'application/json' } });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.detail ?? `status ${answer.status}`);
    return said;
  }

  /** Show more on one side of a thing: what is folded first, then what was never loaded. @param {string} iri @param {'sources' | 'results'} side */
  async more(iri, side) {
    const at = `${iri} ${side}`, node = this.graph.nodes.get(iri);
    if (!node) return;
    if (!this.graph.unfold(iri, side, this.hide)) {
      try {
        const direction = side === 'sources' ? 'upstream' : 'downstream';
        const answer = await this.ask({ entity: iri, direction, depth: '1', kind: '', to: '', column: '', limit: String(PAGE), cursor: this.graph.cursors.get(at) ?? '', 'at-index': String(this.answer.index) });
        for (const each of answer.nodes) if (each.side === 'focus' && each.iri !== iri) each.side = direction;
        this.graph.add(answer);
        this.graph.cursors.set(at, answer.next);
        this.graph.open.set(at, Infinity);
        if (!answer.next) this.settle(node, side);
      } catch (error) {
        this.note.replaceChildren(String(error instanceof Error ? error.message : error));
        return;
      }
    }
    this.show('keep');
    this.view.chooseThing(iri, true);
  }

  /** All neighbours are loaded: what is not among them will not come. @param {import('./lineage-graph.js').Node} node @param {'sources' | 'results'} side */
  settle(node, side) {
    node[side] = this.graph.neighbours(new Set())[side].get(node.iri)?.size ?? 0;
  }

  async next() {
    try {
      const answer = await this.ask({ cursor: this.answer.next ?? '' });
      this.graph.add(answer);
      this.answer = { ...answer, nodes: [...this.answer.nodes, ...answer.nodes] };
      this.show('keep');
    } catch (error) {
      this.note.replaceChildren(String(error instanceof Error ? error.message : error));
    }
  }

  /** Show every neighbour of whatever is shown. */
  unfolded() {
    for (const iri of this.graph.nodes.keys()) for (const side of ['sources', 'results']) this.graph.open.set(`${iri} ${side}`, Infinity);
  }

  unfoldAll() {
    this.address({ fold: 'none' });
    this.unfolded();
    this.show('keep');
  }
}

/** @param {string} said @param {() => void} act */
function button(said, act) {
  const made = html('button', { type: 'button', class: 'plain small' }, said);
  made.addEventListener('click', act);
  return made;
}

/** @param {string} name @param {number} min @param {number} max @param {number} value @param {(value: number) => string} said @param {(value: number) => void} act */
function slider(name, min, max, value, said, act) {
  const input = html('input', { type: 'range', min: String(min), max: String(max), value: String(value), 'aria-label': name, 'aria-valuetext': said(value) });
  const output = html('output', {}, said(value));
  input.addEventListener('input', () => {
    const now = Number(input.value);
    output.textContent = said(now);
    input.setAttribute('aria-valuetext', said(now));
    act(now);
  });
  return html('label', { class: 'moment' }, html('span', {}, name), input, output);
}

/** @param {string} style */
function sample(style) {
  return element('svg', { class: 'sample', viewBox: '0 0 34 10', width: 34, height: 10, 'aria-hidden': 'true' },
    element('g', { class: `edge ${style}` }, element('path', { class: 'stroke', d: 'M1 5 H27' }), element('path', { class: 'head', d: 'M33 5 l-8 -4.5 v9 Z' })));
}

/** @param {string} role @param {string} look */
function sign(role, look) {
  const shape = role === 'agent' ? element('path', { class: 'shape', d: 'M1 6 L9 1 L17 6 V13 H1 Z' })
    : element('rect', { class: 'shape', x: 1, y: 1, width: 20, height: 12, rx: role === 'activity' ? 1 : 6 });
  return element('svg', { class: 'sample', viewBox: '0 0 22 14', width: 22, height: 14, 'aria-hidden': 'true' }, element('g', { class: `node ${role} ${look}` }, shape));
}

const figure = document.getElementById('picture'), said = document.getElementById('answer')?.textContent;
if (figure && said) new Page(figure, JSON.parse(said));
