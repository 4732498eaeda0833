// @ts-check
/**
 * What is said beside the picture of the thing or the line that is chosen.
 *
 * @typedef {import('./lineage-graph.js').Graph} Graph
 * @typedef {import('./lineage-graph.js').Edge} Edge
 */

import { count } from './graph-draw.js';
import { key, known, minute, pageOf, relation, words } from './lineage-graph.js';

const FEW = 10; // lines that are listed on each side of a thing
/** @type {Record<string, string>} */
const MEANS = {
  asserted: 'A record says so.',
  merged: 'No single record says so: it follows from the records of one run.',
  inferred: 'No record says so: it follows from the records of several runs, by a rule.',
  possible: 'It may be so; nothing that is recorded decides it.',
  influence: 'The value decided over rows or their order, and is no part of the result.',
};
/** @type {Record<string, string>} */
const RULES = {
  ContentMatch: 'what was read has the digest that was written', VersionMatch: 'what was read is the version that was written',
  LatestBefore: 'it was the last write before the read', ColumnLineage: 'the columns of one are stated to come from the other',
  SingleInput: 'the run read nothing else', 'same column': 'the column was read or kept as it was',
  'columns not stated': 'the states are related, of which columns nobody says', columnLineage: 'column lineage states it', lineage: 'explicit lineage states it',
};

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Record<string, string>} attributes @param {(Node | string)[]} children
 */
export function html(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  made.append(...children);
  return made;
}

/** @param {Graph} graph @param {string} iri @param {(line: string) => void} choose */
export function aboutThing(graph, iri, choose) {
  const node = graph.nodes.get(iri);
  if (!node) return [];
  const facts = [
    ['kind', words(node.kind)], ['when', minute(node.time)], ['origin', node.origin ?? ''],
    ['reached', node.side === 'focus' ? 'what was asked about' : `${node.certainty}, ${node.depth} step${node.depth === 1 ? '' : 's'} away`],
  ];
  const list = pairs(facts.filter(([, said]) => said).map(([name, said]) => [name, said]));
  if (node.activity) list.append(html('dt', {}, 'made by'), html('dd', {}, link(pageOf(node.activity), 'the activity')));
  if (node.asset) list.append(html('dt', {}, 'of'), html('dd', {}, link(pageOf(node.asset), 'its dataset or model')));
  const columns = node.columns?.length ? [html('h4', {}, 'Columns'), html('p', {}, ...node.columns.flatMap((column, i) => [i ? ', ' : '', html('code', {}, column)]))] : [];
  return [
    html('h3', {}, link(pageOf(iri), node.name)), list, ...columns,
    html('p', { class: 'links' }, link(around(iri), 'Picture around this'), ' · ', link(`/impact?${new URLSearchParams({ entity: iri })}`, 'What depends on it')),
    ...touching(graph, iri, choose),
  ];
}

/** This page about another thing. @param {string} iri */
function around(iri) {
  const kept = new URLSearchParams(location.search);
  for (const name of ['cursor', 'rows', 'to', 'column']) kept.delete(name);
  kept.set('entity', iri);
  return `/lineage?${kept}`;
}

/** The lines of a thing as buttons. @param {Graph} graph @param {string} iri @param {(line: string) => void} choose */
function touching(graph, iri, choose) {
  const edges = Array.from(graph.edges.values());
  const found = [
    ...lines('From', edges.filter((edge) => edge.subject === iri), (edge) => edge.object, graph, choose),
    ...lines('Into', edges.filter((edge) => edge.object === iri), (edge) => edge.subject, graph, choose),
  ];
  return found.length ? found : [html('p', { class: 'soft' }, 'Nothing that is shown is related to it.')];
}

/** @param {string} title @param {Edge[]} edges @param {(edge: Edge) => string} other @param {Graph} graph @param {(line: string) => void} choose */
function lines(title, edges, other, graph, choose) {
  if (!edges.length) return [];
  const items = edges.slice(0, FEW).map((edge) => {
    const iri = other(edge), name = html('bdi', {}, graph.nodes.get(iri)?.name ?? iri);
    const made = html('button', { type: 'button', class: 'plain small', title: relation(edge) }, name, ' ', badge(known(edge)));
    made.addEventListener('click', () => choose(key(edge)));
    return html('li', {}, made);
  });
  const rest = edges.length - items.length;
  return [html('h4', {}, title), html('ul', { class: 'touching' }, ...items), ...(rest > 0 ? [html('p', { class: 'soft' }, `and ${count(rest)} more`)] : [])];
}

/** @param {Graph} graph @param {string} id */
export function aboutLine(graph, id) {
  const edge = graph.edges.get(id);
  if (!edge) return [];
  const made = graph.nodes.get(edge.subject), source = graph.nodes.get(edge.object), how = known(edge);
  const list = pairs([['known how', badge(how)], ['', MEANS[how] ?? '']]);
  if (edge.basis) list.append(html('dt', {}, 'rule'), html('dd', {}, html('code', {}, edge.basis), RULES[edge.basis] ? `: ${RULES[edge.basis]}` : ''));
  if (edge.transformations?.length) list.append(html('dt', {}, 'by'), html('dd', {}, edge.transformations.join(', ').toLowerCase()));
  if (edge.masking) list.append(html('dt', {}, 'masked'), html('dd', {}, 'the value is hidden'));
  for (const [name, node] of /** @type {const} */ ([['result at', made], ['source at', source]])) {
    if (node?.time) list.append(html('dt', {}, name), html('dd', {}, html('time', { datetime: node.time, title: node.time }, `${minute(node.time)} UTC`)));
  }
  if (edge.statements > 1) {
    const way = new URLSearchParams({ entity: edge.subject, to: edge.object, direction: 'upstream', level: 'state' });
    list.append(html('dt', {}, 'stands for'), html('dd', {}, link(`/lineage?${way}`, `${count(edge.statements)} statements`)));
  }
  return [html('h3', {}, ...sentence(edge, made?.name, source?.name)), list, ...proof(edge, how)];
}

/** @param {Edge} edge @param {string | undefined} made @param {string | undefined} source */
function sentence(edge, made, source) {
  const of = (/** @type {string | undefined} */ column) => (column && column !== '*' ? [html('code', {}, column), ' of '] : []);
  return [...of(edge.column), link(pageOf(edge.subject), made ?? edge.subject), ` ${relation(edge)} `, ...(edge.column === '*' && known(edge) === 'possible' ? [] : of(edge.from_column)), link(pageOf(edge.object), source ?? edge.object)];
}

/** The way to what proves a line. @param {Edge} edge @param {string} how */
function proof(edge, how) {
  const record = edge.record ?? edge.known, said = edge.record && how === 'asserted' ? 'The record that says so' : edge.record ? 'The record it follows from' : 'The record with which it came to be known';
  return [html('p', { class: 'links' },
    ...(record ? [link(pageOf(record), said), html('br'), link(`${pageOf(record)}#proof`, `Verify ledger entry ${count(edge.since)}`)]
      : [link(`/ledger/proof/inclusion?index=${edge.since}`, `Proof of ledger entry ${count(edge.since)}`)]))];
}

/** @param {(string | Node)[][]} rows */
function pairs(rows) {
  return html('dl', { class: 'pairs' }, ...rows.flatMap(([name, said]) => [html('dt', {}, name), html('dd', {}, said)]));
}

/** @param {string} how */
function badge(how) {
  return html('span', { class: `status ${how}` }, how);
}

/** @param {string} href @param {string} said */
function link(href, said) {
  return html('a', { href }, html('bdi', {}, said));
}
