// @ts-check
// The proof of a record, computed anew from what the server sent: hashes (RFC 6962, RFC 9162), the signed note of the
// checkpoint (c2sp.org/signed-note, c2sp.org/tlog-checkpoint), and what this browser has seen of the log before.
// Nothing here fetches, stores or draws anything; `verify-page.js` and `ledger-page.js` do.

/**
 * One step of a proof: `ok` is true, false, or null where it could not be checked here. `values` are shown beside it.
 * @typedef {{ok: boolean | null, what: string, why?: string, values?: [string, string][]}} Step
 * @typedef {{origin: string, size: bigint, root: Uint8Array, text: string}} Checkpoint
 * @typedef {{name: string, key: Uint8Array<ArrayBuffer>, id: string, vkey: string}} Key
 * @typedef {{note: string, vkey: string, seen: string}} Pin
 * @typedef {{index: number, entry: string, path: string[]}} Inclusion
 * @typedef {Inclusion & {
 *   record: string, placeholder: string, checkpoint: string, key: string, genesis: Inclusion,
 *   payload: {salt: string}, quads: {salt: string, own: number}, actor: {name: string, salt: string} | null,
 * }} Bundle
 * @typedef {(from: bigint, to: bigint) => Promise<string[]>} Consistency
 */

export class Refused extends Error {}

const SIGNATURE_ED25519 = 1; // signed-note: the signature type of an Ed25519 log key
const utf8 = new TextEncoder();

// -- bytes ------------------------------------------------------------------------------------------------------------

/** @param {Uint8Array} bytes */
export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {unknown} text */
export function fromHex(text) {
  if (typeof text !== "string" || !/^([0-9a-f]{2})*$/.test(text)) throw new Refused("a hash is not hexadecimal");
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** @param {Uint8Array} bytes */
export function base64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Only the canonical form: with padding, without spaces. @param {unknown} text */
export function fromBase64(text) {
  let raw = "";
  try {
    raw = atob(typeof text === "string" ? text : "?");
  } catch {
    throw new Refused("what should be base64 is not");
  }
  if (btoa(raw) !== text) throw new Refused("what should be base64 is not in its canonical form");
  return Uint8Array.from(raw, (character) => character.charCodeAt(0));
}

/** @param {Uint8Array[]} parts */
export function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** @param {Uint8Array} one @param {Uint8Array} other */
export function same(one, other) {
  return one.length === other.length && one.every((byte, at) => byte === other[at]);
}

/** @param {Uint8Array[]} parts */
export async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
}

// -- the tree ---------------------------------------------------------------------------------------------------------

/** RFC 6962 §2.1: 0x00 before a leaf. @param {Uint8Array} entry */
export function leafHash(entry) {
  return sha256(Uint8Array.of(0), entry);
}

/** RFC 6962 §2.1: 0x01 before a node. @param {Uint8Array} left @param {Uint8Array} right */
export function nodeHash(left, right) {
  return sha256(Uint8Array.of(1), left, right);
}

/**
 * Whether a leaf hash stands at an index under a root (RFC 9162 §2.1.3.2).
 * @param {bigint | number | string} index @param {bigint | number | string} size
 * @param {Uint8Array} leaf @param {Uint8Array[]} path @param {Uint8Array} root
 */
export async function verifyInclusion(index, size, leaf, path, root) {
  let fn = BigInt(index);
  let sn = BigInt(size) - 1n;
  if (fn < 0n || fn > sn || ![leaf, root, ...path].every(isHash)) return false;
  let held = leaf;
  for (const step of path) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      held = await nodeHash(step, held);
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      held = await nodeHash(held, step);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && same(held, root);
}

/**
 * Whether the tree of one size begins with that of another; both roots are rebuilt (RFC 9162 §2.1.4.2).
 * @param {bigint | number | string} from @param {bigint | number | string} to
 * @param {Uint8Array} oldRoot @param {Uint8Array} newRoot @param {Uint8Array[]} proof
 */
export async function verifyConsistency(from, to, oldRoot, newRoot, proof) {
  const [old, size] = [BigInt(from), BigInt(to)];
  if (old < 0n || old > size || ![oldRoot, newRoot, ...proof].every(isHash)) return false;
  if (old === size) return proof.length === 0 && same(oldRoot, newRoot);
  if (old === 0n) return proof.length === 0 && same(oldRoot, await sha256());
  const steps = old & (old - 1n) ? proof : [oldRoot, ...proof];
  if (steps.length === 0) return false;
  let [fn, sn] = [old - 1n, size - 1n];
  while (fn & 1n) [fn, sn] = [fn >> 1n, sn >> 1n];
  let [fr, sr] = [steps[0], steps[0]];
  for (const step of steps.slice(1)) {
    if (sn === 0n) return false;
    if (fn & 1n || fn === sn) {
      [fr, sr] = [await nodeHash(step, fr), await nodeHash(step, sr)];
      while (!(fn & 1n) && fn !== 0n) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else {
      sr = await nodeHash(sr, step);
    }
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  return sn === 0n && same(fr, oldRoot) && same(sr, newRoot);
}

/** @param {Uint8Array} bytes */
function isHash(bytes) {
  return bytes.length === 32;
}

// -- the checkpoint ---------------------------------------------------------------------------------------------------

/** A C2SP verifier key: name+id+base64. Its id must be its own. @param {unknown} vkey @returns {Promise<Key>} */
export async function parseKey(vkey) {
  const found = typeof vkey === "string" ? /^([^\s+]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey.trim()) : null;
  if (!found) throw new Refused("the key does not have the form name+id+base64");
  const [, name, id] = found;
  const raw = fromBase64(found[3]);
  if (raw.length !== 33 || raw[0] !== SIGNATURE_ED25519) throw new Refused("the key is no Ed25519 key");
  const own = (await sha256(utf8.encode(`${name}\n`), raw)).slice(0, 4);
  if (hex(own) !== id) throw new Refused(`the key says its id is ${id}, but it is ${hex(own)}`);
  return { name, key: raw.slice(1), id, vkey: found[0] };
}

/**
 * The checkpoint in a note and whether the key signed it: null where this browser cannot check Ed25519.
 * @param {unknown} note @param {Key} key @returns {Promise<{checkpoint: Checkpoint, signed: boolean | null}>}
 */
export async function openNote(note, key) {
  if (typeof note !== "string") throw new Refused("there is no checkpoint");
  const gap = note.indexOf("\n\n");
  if (gap < 0 || !note.endsWith("\n") || gap + 2 >= note.length) {
    throw new Refused("a checkpoint is three lines, an empty one, and signature lines");
  }
  const text = note.slice(0, gap + 1);
  const checkpoint = readCheckpoint(text);
  if (checkpoint.origin !== key.name) {
    throw new Refused(`the checkpoint is of the log ${checkpoint.origin}, not of ${key.name}`);
  }
  const signatures = note.slice(gap + 2, -1).split("\n").map(readSignature);
  const own = signatures.find((each) => each.name === key.name && hex(each.raw.slice(0, 4)) === key.id);
  if (own) return { checkpoint, signed: await isSigned(utf8.encode(text), own.raw.slice(4), key.key) };
  throw new Refused(`the checkpoint bears no signature of the key ${key.id}`);
}

/** @param {string} line */
function readSignature(line) {
  const found = /^— (\S+) (\S+)$/.exec(line);
  const raw = fromBase64(found?.[2]);
  if (!found || raw.length < 5) throw new Refused("a signature line is '— name base64'");
  return { name: found[1], raw };
}

/** @param {string} text @returns {Checkpoint} */
function readCheckpoint(text) {
  const lines = text.split("\n");
  if (lines.length !== 4 || !/^(0|[1-9][0-9]{0,18})$/.test(lines[1])) {
    throw new Refused("a checkpoint is three lines: origin, size, root");
  }
  const root = fromBase64(lines[2]);
  if (!isHash(root)) throw new Refused("the root of the checkpoint is no SHA-256 hash");
  return { origin: lines[0], size: BigInt(lines[1]), root, text };
}

/** @param {BufferSource} message @param {BufferSource} signature @param {BufferSource} key */
async function isSigned(message, signature, key) {
  try {
    const held = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", held, signature, message);
  } catch (error) {
    if (error instanceof Error && error.name === "NotSupportedError") return null;
    return false; // a key that is no point of the curve
  }
}

// -- a record ---------------------------------------------------------------------------------------------------------

/**
 * Every step from the bytes of a record to a signed checkpoint, and on to the checkpoints this browser has seen.
 * A step that fails does not keep the others from being taken.
 * @param {{bundle: Bundle, payload: Uint8Array, quads: Uint8Array, digest: string, pins: Record<string, Pin>,
 *   consistency: Consistency, now: string}} given
 * @returns {Promise<{steps: Step[], verdict: "proven" | "refused" | "open", said: string, pin: [string, Pin] | null,
 *   stranger: boolean}>}
 */
export async function verifyRecord(given) {
  const { bundle } = given;
  /** @type {Step[]} */
  const steps = [];
  /** @param {string} what @param {() => Promise<Step>} take */
  const step = async (what, take) => {
    try {
      steps.push(await take());
    } catch (error) {
      const why = error instanceof Refused ? error.message : `what the server sent cannot be read (${error})`;
      steps.push({ ok: false, what, why });
    }
  };
  /** @type {{entry?: Record<string, string>, leaf?: Uint8Array, head?: Checkpoint, key?: Key}} */
  const held = {};
  await step("The statements are those that the address names", () => nameStep(given));
  await step("The ledger entry can be read", async () => {
    const raw = fromBase64(bundle.entry);
    held.entry = readEntry(raw);
    held.leaf = await leafHash(raw);
    const values = /** @type {[string, string][]} */ ([["entry", new TextDecoder().decode(raw)], ["leaf hash", hex(held.leaf)]]);
    return { ok: true, what: `Ledger entry ${bundle.index} is a record received ${held.entry.time}`, values };
  });
  const entry = held.entry;
  if (entry) {
    await step("The payload is what the entry commits to", async () =>
      committed("The payload", "payload", entry.payload, fromHex(bundle.payload.salt), given.payload));
    await step("The statements are what the entry commits to", async () =>
      committed("The statements", "statements", entry.quads, fromHex(bundle.quads.salt), given.quads));
    if (bundle.actor) await step("The sender is the one the entry names", () => senderStep(bundle, entry));
  }
  await step("The checkpoint is signed by the log's key", async () => {
    held.key = await parseKey(bundle.key);
    const { checkpoint, signed } = await openNote(bundle.checkpoint, held.key);
    held.head = checkpoint;
    return signatureStep(held.key, checkpoint, signed);
  });
  const { head, key, leaf } = held;
  if (head && key) {
    if (leaf) await step("The entry is in the tree of the checkpoint", () => inclusionStep(bundle, leaf, head));
    await step("The log began with this key", () => genesisStep(bundle, head, key));
  }
  const seen = await seenStep(given, head, key);
  steps.push(seen);
  return conclude(given, steps, head, key);
}

/**
 * @param {{bundle: Bundle, now: string, pins: Record<string, Pin>}} given @param {Step[]} steps
 * @param {Checkpoint | undefined} head @param {Key | undefined} key
 */
function conclude(given, steps, head, key) {
  const bad = steps.filter((each) => each.ok === false);
  const open = steps.filter((each) => each.ok === null);
  const stranger = head !== undefined && isStranger(given.pins, head.origin);
  if (bad.length || !head || !key) {
    const said = `REFUSED: ${bad.map((each) => lower(each.what) + (each.why ? ` – ${each.why}` : "")).join("; ")}.`;
    return { steps, verdict: /** @type {const} */ ("refused"), said, pin: null, stranger: stranger && bad.length === 1 };
  }
  if (open.length) {
    const said = `NOT PROVEN HERE: ${open.map((each) => each.why).join("; ")}.`;
    return { steps, verdict: /** @type {const} */ ("open"), said, pin: null, stranger: false };
  }
  const said =
    `Proven: entry ${given.bundle.index} commits to this payload and these statements, and stands in the log of ` +
    `${head.size} entries whose checkpoint the key ${key.id} signed.`;
  const pin = /** @type {[string, Pin]} */ ([head.origin, newest(given, head, key)]);
  return { steps, verdict: /** @type {const} */ ("proven"), said, pin, stranger: false };
}

/** @param {string} text */
function lower(text) {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** @param {{bundle: Bundle, now: string, pins: Record<string, Pin>}} given @param {Checkpoint} head @param {Key} key */
function newest(given, head, key) {
  const known = given.pins[head.origin];
  if (known && readCheckpoint(known.note.slice(0, known.note.indexOf("\n\n") + 1)).size > head.size) return known;
  return { note: given.bundle.checkpoint, vkey: key.vkey, seen: given.now };
}

/**
 * A record's name is the SHA-256 of its own statements, sorted, with a placeholder for the name itself: whoever names
 * a record by its address has said what is in it.
 * @param {{bundle: Bundle, quads: Uint8Array, digest: string}} given @returns {Promise<Step>}
 */
async function nameStep({ bundle, quads, digest }) {
  const what = "The statements are those that the address of this page names";
  if (!Number.isInteger(bundle.quads.own) || bundle.quads.own < 0 || bundle.quads.own > quads.length) {
    throw new Refused("the server does not say which statements are the record's own");
  }
  if (!bundle.record.endsWith(`/record/${digest}`)) throw new Refused(`the server answered with ${bundle.record}`);
  const text = new TextDecoder("utf-8", { fatal: true }).decode(quads.subarray(0, bundle.quads.own));
  const lines = text.split(bundle.record).join(bundle.placeholder).split("\n").slice(0, -1);
  lines.sort(byCodePoint);
  const found = hex(await sha256(utf8.encode(lines.map((line) => `${line}\n`).join(""))));
  const values = /** @type {[string, string][]} */ ([["statements", String(lines.length)], ["SHA-256", found]]);
  if (found === digest) return { ok: true, what, values };
  return { ok: false, what: "The statements are not those that the address of this page names", values };
}

/** Order by code points, as the record was; JavaScript's own order is by UTF-16. @param {string} a @param {string} b */
function byCodePoint(a, b) {
  const end = Math.min(a.length, b.length);
  for (let at = 0; at < end; at++) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one !== other) {
      const [high, low] = [one >= 0xd800 && one <= 0xdfff, other >= 0xd800 && other <= 0xdfff];
      return high === low ? one - other : high ? 1 : -1;
    }
  }
  return a.length - b.length;
}

/** @param {Uint8Array} raw @returns {Record<string, string>} */
function readEntry(raw) {
  const said = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(raw));
  const fields = ["actor", "adapter", "kind", "payload", "quads", "time", "v"];
  if (Object.keys(said).join() !== fields.join() || !fields.every((name) => typeof said[name] === "string")) {
    throw new Refused("it does not have the fields of an entry");
  }
  if (said.v !== "provstore.leaf/1" || said.kind !== "record") throw new Refused(`it is of kind ${said.kind}, ${said.v}`);
  return said;
}

/**
 * @param {string} what @param {string} name @param {string} wanted @param {Uint8Array} salt @param {Uint8Array} bytes
 * @returns {Promise<Step>}
 */
async function committed(what, name, wanted, salt, bytes) {
  const found = hex(await sha256(salt, bytes));
  const plural = name === "statements";
  const values = /** @type {[string, string][]} */ ([
    [`size of the ${name}`, `${bytes.length} bytes`],
    ["salt", hex(salt)],
    ["SHA-256 of salt and bytes", found],
    ["in the entry", wanted],
  ]);
  if (salt.length !== 32) return { ok: false, what: `${what} came without a salt`, values };
  const is = plural ? "are" : "is";
  if (found === wanted) return { ok: true, what: `${what} ${is} what the entry commits to`, values };
  return { ok: false, what: `${what} (or the salt) ${is} not what the entry commits to`, values };
}

/** @param {Bundle} bundle @param {Record<string, string>} entry @returns {Promise<Step>} */
async function senderStep(bundle, entry) {
  const actor = /** @type {{name: string, salt: string}} */ (bundle.actor);
  const found = hex(await sha256(fromHex(actor.salt), utf8.encode(actor.name))).slice(0, 32);
  const values = /** @type {[string, string][]} */ ([["computed", found], ["in the entry", entry.actor]]);
  if (found === entry.actor) return { ok: true, what: `It was sent by “${actor.name}”`, values };
  return { ok: false, what: `The sender is not “${actor.name}”`, values };
}

/** @param {Key} key @param {Checkpoint} head @param {boolean | null} signed @returns {Step} */
export function signatureStep(key, head, signed) {
  const values = /** @type {[string, string][]} */ ([
    ["checkpoint", head.text.trim()],
    ["key", key.vkey],
    ["key fingerprint", key.id],
  ]);
  if (signed) return { ok: true, what: `The checkpoint of ${head.size} entries is signed by the key ${key.id}`, values };
  if (signed === false) return { ok: false, what: `The signature of the checkpoint is not one of the key ${key.id}`, values };
  const why = "this browser cannot check Ed25519 signatures; provstore verify can, and so can any tool for signed notes";
  return { ok: null, what: "The signature of the checkpoint was not checked", why, values };
}

/** @param {Bundle} bundle @param {Uint8Array} leaf @param {Checkpoint} head @returns {Promise<Step>} */
async function inclusionStep(bundle, leaf, head) {
  const ok = await verifyInclusion(bundle.index, head.size, leaf, bundle.path.map(fromHex), head.root);
  const values = /** @type {[string, string][]} */ ([["root", hex(head.root)], ["hashes on the way", String(bundle.path.length)]]);
  const where = `entry ${bundle.index} of the ${head.size} under the checkpoint`;
  return { ok, what: ok ? `It is ${where}` : `It is not ${where}`, values };
}

/** @param {Bundle} bundle @param {Checkpoint} head @param {Key} key @returns {Promise<Step>} */
async function genesisStep(bundle, head, key) {
  const raw = fromBase64(bundle.genesis.entry);
  const said = JSON.parse(new TextDecoder().decode(raw));
  const ok = await verifyInclusion(0, head.size, await leafHash(raw), bundle.genesis.path.map(fromHex), head.root);
  if (!ok) return { ok, what: "The first entry is not the one under the checkpoint" };
  if (said.key !== key.vkey || said.origin !== head.origin) {
    return { ok: false, what: "The log began with another key", values: [["first entry", new TextDecoder().decode(raw)]] };
  }
  if (!bundle.record.startsWith(`${said.base}/record/`)) {
    return { ok: false, what: "The record is not one of this log's", values: [["identifiers", said.base]] };
  }
  return { ok, what: `The log ${said.origin} began with this key, ${said.time}` };
}

// -- what this browser has seen ---------------------------------------------------------------------------------------

/** Whether another log was seen at this address, and this one never. @param {Record<string, Pin>} pins @param {string} origin */
export function isStranger(pins, origin) {
  return !Object.hasOwn(pins, origin) && Object.keys(pins).length > 0;
}

/**
 * @param {{pins: Record<string, Pin>, consistency: Consistency, bundle: Bundle}} given
 * @param {Checkpoint | undefined} head @param {Key | undefined} key @returns {Promise<Step>}
 */
async function seenStep({ pins, consistency }, head, key) {
  const what = "The log is the one that this browser has seen before";
  if (!head || !key) return { ok: false, what: "Without a checkpoint, nothing can be compared with what was seen before" };
  if (isStranger(pins, head.origin)) {
    const known = Object.entries(pins).map(([origin, pin]) => /** @type {[string, string]} */ ([`seen ${pin.seen}`, origin]));
    return { ok: false, what: "This is not the log that this browser has seen at this address", values: known };
  }
  const pin = Object.hasOwn(pins, head.origin) ? pins[head.origin] : null;
  if (!pin) return { ok: true, what: "This browser has seen no checkpoint of this log before, so there is none to compare with" };
  if (pin.vkey !== key.vkey) {
    return { ok: false, what: "The log has another key than when this browser saw it before", values: [["key seen", pin.vkey]] };
  }
  try {
    return await keptStep(pin.note, head, key, consistency, `that this browser saw ${pin.seen}`);
  } catch (error) {
    return { ok: false, what, why: error instanceof Refused ? error.message : String(error) };
  }
}

/**
 * Whether the log of a checkpoint begins with that of a kept one, or, where the kept one is the larger, the reverse.
 * @param {string} note @param {Checkpoint} head @param {Key} key @param {Consistency} consistency @param {string} which
 * @returns {Promise<Step>}
 */
export async function keptStep(note, head, key, consistency, which) {
  const { checkpoint: kept, signed } = await openNote(note, key);
  if (signed === false) throw new Refused(`the signature of the checkpoint ${which} is not one of the key ${key.id}`);
  if (signed === null) return signatureStep(key, kept, signed);
  const [low, high] = kept.size <= head.size ? [kept, head] : [head, kept];
  const proof = (await consistency(low.size, high.size)).map(fromHex);
  const ok = await verifyConsistency(low.size, high.size, low.root, high.root, proof);
  const values = /** @type {[string, string][]} */ ([
    ["kept root", hex(kept.root)],
    ["root now", hex(head.root)],
    ["hashes of the proof", String(proof.length)],
  ]);
  if (ok) return { ok, what: `The log extends the checkpoint of ${kept.size} entries ${which}`, values };
  return { ok, what: `The log was rewritten: it does not extend the checkpoint of ${kept.size} entries ${which}`, values };
}
