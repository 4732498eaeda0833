// @ts-check
/**
 * A layered layout of a directed graph: pure and deterministic, the same input gives the same numbers.
 *
 * Links run from left to right, source to product. A graph with cycles gets the links reversed that close one; they
 * alone run to the left. Long links bend around what stands between (Sugiyama's method: ranks, order by barycentres,
 * then places as near to the neighbours' as their order and the gaps allow, by isotonic regression).
 *
 * @typedef {{id: string, width: number, height: number}} Box
 * @typedef {{source: string, target: string, sourceY?: number, targetY?: number}} Link
 *   the last two are where a link meets its boxes, from their tops; the middle unless said
 * @typedef {{x: number, y: number, width: number, height: number, layer: number}} Placed
 * @typedef {{points: number[], reversed: boolean}} Route  x, y, x, y, …
 * @typedef {{boxes: Map<string, Placed>, routes: (Route | null)[], width: number, height: number}} Layout
 *   a route for each link, null where an end of it is not there or both are one
 */

const GAP = 16; // between boxes in a layer
const LANE = 9; // beside a line that passes through a layer
const MOST_LANES = 40_000; // more lines that pass through layers are drawn straight

/**
 * @param {readonly Box[]} boxes
 * @param {readonly Link[]} links
 * @returns {Layout}
 */
export function layout(boxes, links) {
  const graph = indexed(boxes, links);
  const ranks = ranked(graph);
  const layered = withLanes(graph, ranks);
  order(layered);
  const y = placed(layered);
  return told(graph, layered, y);
}

/**
 * @typedef {{boxes: readonly Box[], links: readonly Link[], from: Int32Array, to: Int32Array, link: Int32Array,
 *   reversed: Uint8Array, count: number}} Graph  edges with both ends, the reversed ones turned round
 */

/** @param {readonly Box[]} boxes @param {readonly Link[]} links @returns {Graph} */
function indexed(boxes, links) {
  const number = new Map(boxes.map((box, i) => [box.id, i]));
  const from = numbers(), to = numbers(), link = numbers();
  links.forEach((each, i) => {
    const a = number.get(each.source), b = number.get(each.target);
    if (a === undefined || b === undefined || a === b) return;
    from.push(a);
    to.push(b);
    link.push(i);
  });
  const graph = {
    boxes, links, count: boxes.length,
    from: Int32Array.from(from), to: Int32Array.from(to), link: Int32Array.from(link),
    reversed: new Uint8Array(from.length),
  };
  unturn(graph);
  return graph;
}

/** @returns {number[]} */
function numbers() {
  return [];
}

/**
 * The edges of each node, as one array and where each node's begin.
 * @param {Int32Array} ends @param {number} count
 */
function grouped(ends, count) {
  const start = new Int32Array(count + 1);
  for (const end of ends) start[end + 1]++;
  for (let i = 0; i < count; i++) start[i + 1] += start[i];
  const fill = start.slice(0, count), edges = new Int32Array(ends.length);
  for (let e = 0; e < ends.length; e++) edges[fill[ends[e]]++] = e;
  return { start, edges };
}

/** Turn round every edge that leads back on a depth-first walk, sources first. @param {Graph} graph */
function unturn(graph) {
  const { from, to, reversed, count } = graph;
  const out = grouped(from, count), into = grouped(to, count);
  const state = new Uint8Array(count), next = out.start.slice(0, count); // 1 on the way, 2 done
  const sources = numbers(), others = numbers();
  for (let i = 0; i < count; i++) (into.start[i] === into.start[i + 1] ? sources : others).push(i);
  for (const root of [...sources, ...others]) {
    if (state[root]) continue;
    const way = [root];
    state[root] = 1;
    while (way.length) {
      const node = way[way.length - 1];
      if (next[node] === out.start[node + 1]) {
        state[node] = 2;
        way.pop();
        continue;
      }
      const edge = out.edges[next[node]++], end = to[edge];
      if (state[end] === 1) reversed[edge] = 1;
      else if (!state[end]) {
        state[end] = 1;
        way.push(end);
      }
    }
  }
  for (let e = 0; e < from.length; e++) if (reversed[e]) [from[e], to[e]] = [to[e], from[e]];
}

/** The layer of each box: as far left as its sources allow, then near to its products where those are more. @param {Graph} graph */
function ranked(graph) {
  const { from, to, count } = graph;
  const out = grouped(from, count), into = grouped(to, count);
  const rank = new Int32Array(count), waiting = new Int32Array(count), sorted = numbers();
  for (const end of to) waiting[end]++;
  for (let i = 0; i < count; i++) if (!waiting[i]) sorted.push(i);
  for (let at = 0; at < sorted.length; at++) {
    const node = sorted[at];
    for (let k = out.start[node]; k < out.start[node + 1]; k++) {
      const end = to[out.edges[k]];
      rank[end] = Math.max(rank[end], rank[node] + 1);
      if (!--waiting[end]) sorted.push(end);
    }
  }
  for (let at = sorted.length - 1; at >= 0; at--) {
    const node = sorted[at], outs = out.start[node + 1] - out.start[node], ins = into.start[node + 1] - into.start[node];
    if (!outs || outs < ins || (outs === ins && ins)) continue;
    let nearest = Infinity;
    for (let k = out.start[node]; k < out.start[node + 1]; k++) nearest = Math.min(nearest, rank[to[out.edges[k]]]);
    rank[node] = nearest - 1;
  }
  return rank;
}

/**
 * Boxes and lanes (places where a link passes through a layer) in layers, and the short edges between them.
 * `before` and `after` are the edges on either side of each vertex; `ports` say where they meet it, from its middle.
 * @typedef {{layers: Int32Array[], layer: Int32Array, size: Float64Array, boxes: number, from: Int32Array, to: Int32Array,
 *   fromPort: Float64Array, toPort: Float64Array, before: ReturnType<typeof grouped>, after: ReturnType<typeof grouped>,
 *   lanes: number[][], position: Int32Array}} Layered
 */

/** @param {Graph} graph @param {Int32Array} rank @returns {Layered} */
function withLanes(graph, rank) {
  const { from, to, link, reversed, boxes, links, count } = graph;
  let spare = MOST_LANES;
  const layer = Array.from(rank), size = boxes.map((box) => box.height);
  const starts = numbers(), ends = numbers(), startPorts = numbers(), endPorts = numbers();
  const lanes = /** @type {number[][]} */ ([]);
  for (let e = 0; e < from.length; e++) {
    const said = links[link[e]], back = reversed[e] === 1;
    const source = port(back ? said.targetY : said.sourceY, boxes[from[e]]);
    const target = port(back ? said.sourceY : said.targetY, boxes[to[e]]);
    const span = rank[to[e]] - rank[from[e]];
    const own = numbers();
    let last = from[e], at = source;
    if (span > 1 && spare >= span) {
      spare -= span - 1;
      for (let r = rank[from[e]] + 1; r < rank[to[e]]; r++) {
        own.push(layer.length);
        starts.push(last);
        ends.push(layer.length);
        startPorts.push(at);
        endPorts.push(0);
        last = layer.length;
        at = 0;
        layer.push(r);
        size.push(0);
      }
    }
    lanes.push(own);
    if (span > 1 && !own.length) continue; // drawn straight, and of no weight in the order
    starts.push(last);
    ends.push(to[e]);
    startPorts.push(at);
    endPorts.push(target);
  }
  const groups = /** @type {number[][]} */ ([]);
  for (let v = 0; v < layer.length; v++) (groups[layer[v]] ??= []).push(v);
  const a = Int32Array.from(starts), b = Int32Array.from(ends);
  return {
    layers: Array.from(groups, (group) => Int32Array.from(group ?? [])),
    layer: Int32Array.from(layer), size: Float64Array.from(size), boxes: count,
    from: a, to: b, fromPort: Float64Array.from(startPorts), toPort: Float64Array.from(endPorts),
    before: grouped(b, layer.length), after: grouped(a, layer.length), lanes, position: new Int32Array(layer.length),
  };
}

/** @param {number | undefined} y @param {Box} box */
function port(y, box) {
  return y === undefined ? 0 : y - box.height / 2;
}

// --- order -----------------------------------------------------------------------------------------------------------

/** Order each layer so that few edges cross: sweeps by barycentre, the best of them kept. @param {Layered} graph */
function order(graph) {
  const { layers, position } = graph;
  const size = position.length;
  const number = () => layers.forEach((layer) => layer.forEach((v, i) => { position[v] = i; }));
  first(graph);
  number();
  let best = layers.map((layer) => layer.slice()), fewest = crossings(graph);
  const sweeps = size < 600 ? 24 : size < 4_000 ? 8 : 4;
  for (let sweep = 0, since = 0; sweep < sweeps && fewest && since < 6; sweep++, since++) {
    const right = sweep % 2 === 0;
    for (let i = 1; i < layers.length; i++) sorted(graph, right ? i : layers.length - 1 - i, right);
    if (size < 1_500) for (let turn = 0; turn < 4 && transposed(graph); turn++);
    const found = crossings(graph);
    if (found < fewest) {
      fewest = found;
      best = layers.map((layer) => layer.slice());
      since = 0;
    }
  }
  graph.layers = best;
  best.forEach((layer) => layer.forEach((v, i) => { position[v] = i; }));
}

/** A first order: as a depth-first walk meets the vertices, so that what hangs together stands together. @param {Layered} graph */
function first(graph) {
  const { layers, before, after, from, to, layer } = graph;
  const seen = new Uint8Array(layer.length), filled = layers.map(() => 0);
  for (const root of layers.flatMap((each) => Array.from(each))) {
    const way = seen[root] ? [] : [root];
    while (way.length) {
      const v = /** @type {number} */ (way.pop());
      if (seen[v]) continue;
      seen[v] = 1;
      layers[layer[v]][filled[layer[v]]++] = v;
      for (let k = after.start[v + 1] - 1; k >= after.start[v]; k--) if (!seen[to[after.edges[k]]]) way.push(to[after.edges[k]]);
      for (let k = before.start[v + 1] - 1; k >= before.start[v]; k--) if (!seen[from[before.edges[k]]]) way.push(from[before.edges[k]]);
    }
  }
}

/** Sort one layer by where its neighbours on one side stand. @param {Layered} graph @param {number} at @param {boolean} left */
function sorted(graph, at, left) {
  const { position, from, to, fromPort, toPort, size } = graph;
  const side = left ? graph.before : graph.after, other = left ? from : to, ports = left ? fromPort : toPort;
  const layer = graph.layers[at], key = new Float64Array(layer.length);
  layer.forEach((v, i) => {
    let sum = 0;
    const first = side.start[v], last = side.start[v + 1];
    for (let k = first; k < last; k++) {
      const end = other[side.edges[k]];
      sum += position[end] + (size[end] ? ports[side.edges[k]] / size[end] : 0);
    }
    key[i] = last > first ? sum / (last - first) : i;
  });
  const indices = Array.from(layer, (_, i) => i).sort((a, b) => key[a] - key[b] || a - b);
  graph.layers[at] = Int32Array.from(indices, (i) => layer[i]);
  graph.layers[at].forEach((v, i) => { position[v] = i; });
}

/** Swap neighbours in a layer where fewer edges cross then; whether any were. @param {Layered} graph */
function transposed(graph) {
  let any = false;
  for (const layer of graph.layers) {
    for (let i = 1; i < layer.length; i++) {
      const a = layer[i - 1], b = layer[i];
      if (pair(graph, a, b) <= pair(graph, b, a)) continue;
      layer[i - 1] = b;
      layer[i] = a;
      graph.position[b] = i - 1;
      graph.position[a] = i;
      any = true;
    }
  }
  return any;
}

/** How many edges of two neighbours cross when the first stands above. @param {Layered} graph @param {number} a @param {number} b */
function pair(graph, a, b) {
  let count = 0;
  for (const [side, other] of /** @type {const} */ ([[graph.before, graph.from], [graph.after, graph.to]])) {
    for (let i = side.start[a]; i < side.start[a + 1]; i++) {
      const one = graph.position[other[side.edges[i]]];
      for (let j = side.start[b]; j < side.start[b + 1]; j++) if (one > graph.position[other[side.edges[j]]]) count++;
    }
  }
  return count;
}

/** All crossings, layer by layer, by a Fenwick tree. @param {Layered} graph */
function crossings(graph) {
  const { layers, after, to, position } = graph;
  let total = 0;
  for (let at = 0; at + 1 < layers.length; at++) {
    const tree = new Int32Array(layers[at + 1].length + 1);
    let added = 0;
    for (const v of layers[at]) {
      const ends = Array.from(after.edges.subarray(after.start[v], after.start[v + 1]), (e) => position[to[e]]).sort((a, b) => a - b);
      for (const end of ends) {
        let before = 0;
        for (let i = end + 1; i > 0; i -= i & -i) before += tree[i];
        total += added - before;
      }
      for (const end of ends) {
        added++;
        for (let i = end + 1; i < tree.length; i += i & -i) tree[i]++;
      }
    }
  }
  return total;
}

// --- places ----------------------------------------------------------------------------------------------------------

/** The middle of each vertex, from top to bottom. @param {Layered} graph */
function placed(graph) {
  const { layers, size } = graph;
  const y = new Float64Array(size.length);
  for (const layer of layers) {
    let at = 0;
    layer.forEach((v, i) => {
      at += i ? gap(graph, layer[i - 1], v) : 0;
      y[v] = at;
    });
    for (const v of layer) y[v] -= at / 2;
  }
  const turns = size.length < 4_000 ? 8 : 4;
  for (let turn = 0; turn < turns; turn++) {
    const right = turn % 2 === 0, last = turn >= turns - 2;
    for (let i = 0; i < layers.length; i++) level(graph, right ? i : layers.length - 1 - i, y, last ? 2 : right ? 0 : 1);
  }
  return y;
}

/** How far apart two that follow each other must be. @param {Layered} graph @param {number} a @param {number} b */
function gap(graph, a, b) {
  return (graph.size[a] + graph.size[b]) / 2 + (a < graph.boxes && b < graph.boxes ? GAP : LANE);
}

/**
 * Move a layer's vertices as near as they can be to what their neighbours wish (side 0 left, 1 right, 2 both), in
 * order and apart: weighted isotonic regression by pooling adjacent violators.
 * @param {Layered} graph @param {number} at @param {Float64Array} y @param {number} side
 */
function level(graph, at, y, side) {
  const layer = graph.layers[at], offset = new Float64Array(layer.length);
  const value = numbers(), weight = numbers(), length = numbers();
  for (let i = 0; i < layer.length; i++) {
    offset[i] = i ? offset[i - 1] + gap(graph, layer[i - 1], layer[i]) : 0;
    const [wish, strength] = wished(graph, layer[i], y, side);
    value.push(wish - offset[i]);
    weight.push(strength);
    length.push(1);
    while (value.length > 1 && value[value.length - 2] > value[value.length - 1]) {
      const v = /** @type {number} */ (value.pop()), w = /** @type {number} */ (weight.pop()), n = /** @type {number} */ (length.pop());
      const last = value.length - 1;
      value[last] = (value[last] * weight[last] + v * w) / (weight[last] + w);
      weight[last] += w;
      length[last] += n;
    }
  }
  for (let block = 0, i = 0; block < value.length; block++) {
    for (let n = 0; n < length[block]; n++, i++) y[layer[i]] = value[block] + offset[i];
  }
}

/** Where a vertex would be, and how much it matters; a lane's line should be straight. @returns {[number, number]}
 * @param {Layered} graph @param {number} v @param {Float64Array} y @param {number} side */
function wished(graph, v, y, side) {
  const { before, after, from, to, fromPort, toPort } = graph;
  let sum = 0, count = 0;
  if (side !== 1) {
    for (let k = before.start[v]; k < before.start[v + 1]; k++, count++) {
      const e = before.edges[k];
      sum += y[from[e]] + fromPort[e] - toPort[e];
    }
  }
  if (side !== 0) {
    for (let k = after.start[v]; k < after.start[v + 1]; k++, count++) {
      const e = after.edges[k];
      sum += y[to[e]] + toPort[e] - fromPort[e];
    }
  }
  return count ? [sum / count, v < graph.boxes ? Math.sqrt(count) : 2] : [y[v], 0.5];
}

// --- told ------------------------------------------------------------------------------------------------------------

/** @param {Graph} graph @param {Layered} layered @param {Float64Array} y @returns {Layout} */
function told(graph, layered, y) {
  const { boxes, links, from, to, link, reversed } = graph;
  const columns = widths(graph, layered);
  let top = Infinity, bottom = -Infinity;
  for (let v = 0; v < y.length; v++) {
    top = Math.min(top, y[v] - layered.size[v] / 2);
    bottom = Math.max(bottom, y[v] + layered.size[v] / 2);
  }
  const places = boxes.map((box, i) => {
    const { x, width } = columns[layered.layer[i]];
    return { x: x + (width - box.width) / 2, y: y[i] - box.height / 2 - top, width: box.width, height: box.height, layer: layered.layer[i] };
  });
  const routes = /** @type {(Route | null)[]} */ (links.map(() => null));
  for (let e = 0; e < from.length; e++) {
    const a = places[from[e]], b = places[to[e]], back = reversed[e] === 1, said = links[link[e]];
    const points = [a.x + a.width, a.y + ((back ? said.targetY : said.sourceY) ?? a.height / 2)];
    for (const lane of layered.lanes[e]) {
      const column = columns[layered.layer[lane]];
      points.push(column.x, y[lane] - top, column.x + column.width, y[lane] - top);
    }
    points.push(b.x, b.y + ((back ? said.sourceY : said.targetY) ?? b.height / 2));
    routes[link[e]] = { points: back ? turned(points) : points, reversed: back };
  }
  const end = columns[columns.length - 1];
  return {
    boxes: new Map(boxes.map((box, i) => [box.id, places[i]])),
    routes, width: end ? end.x + end.width : 0, height: boxes.length ? bottom - top : 0,
  };
}

/** @param {number[]} points */
function turned(points) {
  const found = [];
  for (let i = points.length - 2; i >= 0; i -= 2) found.push(points[i], points[i + 1]);
  return found;
}

/** Where each layer begins and how wide it is; busy gaps are wider. @param {Graph} graph @param {Layered} layered */
function widths(graph, layered) {
  const wide = layered.layers.map(() => 0), busy = layered.layers.map(() => 0);
  graph.boxes.forEach((box, i) => { wide[layered.layer[i]] = Math.max(wide[layered.layer[i]], box.width); });
  for (const v of layered.from) busy[layered.layer[v]]++;
  let x = 0;
  return wide.map((width, i) => {
    const at = { x, width };
    x += width + Math.min(200, 52 + 7 * Math.sqrt(busy[i]));
    return at;
  });
}
