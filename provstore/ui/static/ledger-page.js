// @ts-check
// The page of the ledger: copies the checkpoint, and holds the log to one that somebody kept.

import { ask, canVerify, conclude, consistency, draw, element, made, seen } from "./steps.js";
import { Refused, isStranger, keptStep, openNote, parseKey, signatureStep } from "./verify.js";

/** @typedef {import("./verify.js").Step} Step */

const form = element("check-form");
const kept = /** @type {HTMLTextAreaElement} */ (element("kept"));
const copy = element("copy");
const use = element("use-seen");
const [verdict, steps] = [element("verdict"), element("steps")];

if (navigator.clipboard) {
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(element("note").textContent ?? "");
      element("copied").textContent = "Copied.";
    } catch {
      element("copied").textContent = "The browser did not allow it.";
    }
  });
}

if (canVerify()) {
  element("without").hidden = true;
  form.hidden = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void check();
  });
  void offer();
}

/** The checkpoint that this browser saw when it last verified a record of this log. */
async function offer() {
  const key = await parseKey(element("key").textContent);
  const pins = seen();
  const pin = Object.hasOwn(pins, key.name) ? pins[key.name] : null;
  if (pin) {
    element("seen").textContent = `It saw one itself when it last verified a record, ${pin.seen}.`;
    use.hidden = false;
    use.addEventListener("click", () => {
      kept.value = pin.note;
      void check();
    });
  }
}

async function check() {
  steps.replaceChildren();
  verdict.replaceChildren(made("p", "Computing…"));
  /** @type {Step[]} */
  const taken = [];
  try {
    await run(taken);
  } catch (error) {
    const what = "The kept checkpoint cannot be compared";
    taken.push({ ok: false, what, why: error instanceof Refused ? error.message : String(error) });
  }
  draw(steps, taken);
  const bad = taken.find((each) => each.ok === false);
  const open = taken.find((each) => each.ok === null);
  const said = (bad ?? open)?.why ?? (bad ?? open)?.what ?? "";
  if (bad) conclude(verdict, `REFUSED: ${said}.`, "bad");
  else if (open) conclude(verdict, `NOT PROVEN HERE: ${said}.`, "fair");
  else conclude(verdict, `Proven: ${taken[taken.length - 1].what}. Nothing before it was changed, left out or slipped in.`, "good");
}

/** @param {Step[]} taken */
async function run(taken) {
  const note = await (await ask("/ledger/checkpoint")).text();
  const key = await parseKey((await (await ask("/ledger/key")).text()).trim());
  const pins = seen();
  const pin = Object.hasOwn(pins, key.name) ? pins[key.name] : null;
  if (isStranger(pins, key.name) || (pin && pin.vkey !== key.vkey)) {
    taken.push({ ok: false, what: "The log has another key than this browser has seen at this address" });
  }
  const { checkpoint, signed } = await openNote(note, key);
  taken.push(signatureStep(key, checkpoint, signed));
  taken.push(await keptStep(whole(kept.value), checkpoint, key, consistency, "that was kept"));
}

/** A note as it was before it went through mails and clipboards: its line ends, and one at its end. @param {string} text */
function whole(text) {
  return `${text.replaceAll("\r\n", "\n").trim()}\n`;
}
