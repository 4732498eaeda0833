// @ts-check
/** A picture as a file of its own: styles inside, every colour written out, nothing loaded from anywhere. */

const SHEET = '/static/picture.css', BEGIN = '/* drawn */', END = '/* drawn: end */';

/** @param {Element} whole the picture, as `GraphView.whole` gives it */
export async function svgFile(whole) {
  const styles = resolved(between(await (await fetch(SHEET)).text(), BEGIN, END));
  const style = document.createElementNS('http://www.w3.org/2000/svg', 'style');
  style.textContent = `${styles}\n.picture-svg { background: ${value('--card')}; }`;
  whole.prepend(style);
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(whole)}`;
}

/** Every variable by what it is now: most programs that show SVG know none. @param {string} css */
function resolved(css) {
  return css.replace(/var\((--[\w-]+)\)/g, (_, name) => value(name));
}

/** @param {string} name */
function value(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** @param {string} text @param {string} begin @param {string} end */
function between(text, begin, end) {
  const first = text.indexOf(begin), last = text.indexOf(end);
  return first < 0 || last < first ? text : text.slice(first + begin.length, last);
}
