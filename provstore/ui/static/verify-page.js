// @ts-check
// The button on the page of a record: fetches all that a proof needs, has it checked, and shows what came of it.

import { ask, bytes, canVerify, conclude, consistency, draw, element, keep, made, seen } from "./steps.js";
import { Refused, verifyRecord } from "./verify.js";

/** @typedef {import("./verify.js").Bundle} Bundle */

const place = element("verify");
const button = /** @type {HTMLButtonElement} */ (element("verify-button"));
const [verdict, steps, after] = [element("verdict"), element("steps"), element("after")];
const MOODS = /** @type {const} */ ({ proven: "good", open: "fair", refused: "bad" });

element("without").hidden = true;
place.hidden = false;
button.addEventListener("click", verify);
if (!canVerify()) {
  button.disabled = true;
  conclude(verdict, "This browser computes no hashes here: it does so only on https or on localhost.", "fair");
}

async function verify() {
  button.disabled = true;
  after.hidden = true;
  steps.replaceChildren();
  verdict.replaceChildren(made("p", "Fetching and computing…"));
  try {
    await run();
  } catch (error) {
    const why = error instanceof Refused ? error.message : `the server could not be asked (${error})`;
    conclude(verdict, `REFUSED: ${why}.`, "bad");
  }
  button.disabled = false;
  button.textContent = "Verify again";
  button.focus();
}

async function run() {
  const bundle = /** @type {Bundle & {payload: {href: string}, quads: {href: string}}} */ (
    await (await ask(place.dataset.proof ?? "")).json()
  );
  const [payload, quads] = await Promise.all([bytes(own(bundle.payload?.href)), bytes(own(bundle.quads?.href))]);
  const pins = seen();
  const digest = place.dataset.digest ?? "";
  const now = new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC";
  const found = await verifyRecord({ bundle, payload, quads, digest, pins, consistency, now });
  draw(steps, found.steps);
  conclude(verdict, found.said, MOODS[found.verdict]);
  after.replaceChildren();
  if (found.verdict === "proven") {
    const kept = found.pin && keep({ ...pins, [found.pin[0]]: found.pin[1] });
    after.append(
      kept ? "This browser keeps the checkpoint and holds the log to it the next time. " : "",
      "Save what was checked: ", saved(payload, "payload", digest), ", ", saved(quads, "statements.nq", digest),
      ". That the owner of the store did not make the whole log anew, no server can show alone: ",
      link("/ledger#check", "compare a checkpoint that you kept"), ".",
    );
  } else if (found.stranger) {
    after.append(trust());
  }
  after.hidden = !after.hasChildNodes();
}

/** Only a path of this record's is asked: the evidence does not send us elsewhere. @param {unknown} href */
function own(href) {
  const start = `/records/${place.dataset.digest}`;
  if (typeof href !== "string" || !href.startsWith(start)) throw new Refused("the server does not say where the bytes are");
  return href;
}

/** @param {string} href @param {string} text */
function link(href, text) {
  const made = document.createElement("a");
  made.href = href;
  made.textContent = text;
  return made;
}

/** @param {Uint8Array<ArrayBuffer>} raw @param {string} name @param {string} digest */
function saved(raw, name, digest) {
  const made = link(URL.createObjectURL(new Blob([raw])), name);
  made.download = `${digest.slice(0, 12)}-${name}`;
  return made;
}

/** Several stores may be served at one address after another; whether this is one of them, only a person knows. */
function trust() {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "plain";
  made.textContent = "It is another store, and I expected it: forget the others";
  made.addEventListener("click", () => {
    keep({});
    void verify();
  });
  return made;
}
