// @ts-check
// Keys for searching, on every page: "/" goes to the search field; in results, the arrows go up and down.

const field = /** @type {HTMLInputElement | null} */ (document.querySelector("main input[name=q]") ?? document.querySelector("input[name=q]"));

/** @param {KeyboardEvent} event */
function isTyping(event) {
  const at = /** @type {HTMLElement} */ (event.composedPath()[0]); // within an editor's shadow root, too
  return at.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(at.tagName);
}

/** @param {number} step */
function move(step) {
  const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".results h3 a")]);
  const at = links.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  if (at < 0 && step < 0) return false;
  if (at === 0 && step < 0) field?.focus();
  else links[at + step]?.focus();
  return links.length > 0;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && field && !isTyping(event)) {
    event.preventDefault();
    field.focus();
    field.select();
  }
  const active = document.activeElement;
  const onResults = active === field || active?.closest(".results");
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && onResults && move(step)) event.preventDefault();
});
