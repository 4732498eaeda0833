// @ts-check
// What the pages of evidence share: asking the server, what this browser has seen of a log, and steps drawn as a list.

import { Refused } from "./verify.js";

/** @typedef {import("./verify.js").Step} Step @typedef {import("./verify.js").Pin} Pin */

const SEEN = "provstore.seen"; // log origin → the newest checkpoint that this browser verified

/** @param {string} id @returns {HTMLElement} */
export function element(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found;
}

/** The answer to a GET, never one from the cache; Refused, with what the server said, where it gives none. @param {string} href */
export async function ask(href) {
  const answer = await fetch(href, { cache: "no-store", headers: { accept: "application/json, */*;q=0.5" } });
  if (!answer.ok) {
    const said = await answer.json().catch(() => ({}));
    throw new Refused(`the server gave no answer to ${href}: ${said.detail ?? `status ${answer.status}`}`);
  }
  return answer;
}

/** @param {string} href */
export async function bytes(href) {
  return new Uint8Array(await (await ask(href)).arrayBuffer());
}

/** The consistency proof between two sizes of the log, as the server gives it. @param {bigint} from @param {bigint} to */
export async function consistency(from, to) {
  const said = await (await ask(`/ledger/proof/consistency?from=${from}&to=${to}`)).json();
  if (!Array.isArray(said.proof)) throw new Refused("the server gave no consistency proof");
  return /** @type {string[]} */ (said.proof);
}

/** Whether this browser computes hashes here: it does so on https and on localhost. */
export function canVerify() {
  return globalThis.crypto?.subtle !== undefined;
}

// -- what this browser has seen ---------------------------------------------------------------------------------------

/** @returns {Record<string, Pin>} */
export function seen() {
  try {
    const held = JSON.parse(localStorage.getItem(SEEN) ?? "{}");
    return held && typeof held === "object" ? held : {};
  } catch {
    return {};
  }
}

/** @param {Record<string, Pin>} pins @returns {boolean} whether the browser keeps them */
export function keep(pins) {
  try {
    localStorage.setItem(SEEN, JSON.stringify(pins));
    return true;
  } catch {
    return false;
  }
}

// -- drawing ----------------------------------------------------------------------------------------------------------

/** @param {string} tag @param {string} text @param {string} [kind] */
export function made(tag, text, kind) {
  const node = document.createElement(tag);
  node.textContent = text;
  if (kind) node.className = kind;
  return node;
}

/** @param {HTMLElement} list @param {Step[]} steps */
export function draw(list, steps) {
  list.replaceChildren(...steps.map(drawn));
}

/** @param {Step} step */
function drawn(step) {
  const item = document.createElement("li");
  const [mark, name, mood] = step.ok ? ["✓", "holds", "good"] : step.ok === null ? ["?", "not checked", "fair"] : ["✗", "does not hold", "bad"];
  item.className = mood;
  const sign = made("span", mark, "mark");
  sign.setAttribute("role", "img");
  sign.setAttribute("aria-label", name);
  const line = document.createElement(step.values?.length ? "summary" : "div");
  line.append(sign, " ", made("span", step.why ? `${step.what}: ${step.why}` : step.what));
  if (!step.values?.length) {
    item.append(line);
    return item;
  }
  const values = document.createElement("dl");
  for (const [name, value] of step.values) values.append(made("dt", name), made("dd", value));
  const details = document.createElement("details");
  details.open = step.ok === false;
  details.append(line, values);
  item.append(details);
  return item;
}

/** A verdict in the page's live region. @param {HTMLElement} place @param {string} said @param {"good" | "fair" | "bad"} mood */
export function conclude(place, said, mood) {
  place.replaceChildren(made("p", said, `notice ${mood}`));
}
