// @ts-check
/** Tables that say `data-sortable`: the head of a column puts the rows in its order, once more in the other one. */

const compare = new Intl.Collator(undefined, { numeric: true }).compare;

/** What a cell holds, in full where it shows a rounded number. @param {HTMLTableRowElement} row @param {number} at */
function held(row, at) {
  const cell = row.cells[at];
  return cell?.querySelector('[title]')?.getAttribute('title') ?? cell?.textContent ?? '';
}

/** @param {string} a @param {string} b */
function inOrder(a, b) {
  const [one, other] = [Number(a), Number(b)];
  return a !== '' && b !== '' && !Number.isNaN(one) && !Number.isNaN(other) ? one - other : compare(a, b);
}

/** @param {HTMLTableElement} table @param {HTMLTableCellElement} head */
function sort(table, head) {
  const down = head.getAttribute('aria-sort') === 'ascending';
  for (const each of head.parentElement?.children ?? []) each.removeAttribute('aria-sort');
  head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => inOrder(held(a, head.cellIndex), held(b, head.cellIndex)) * (down ? -1 : 1));
  table.tBodies[0].append(...rows);
}

for (const table of /** @type {NodeListOf<HTMLTableElement>} */ (document.querySelectorAll('table[data-sortable]'))) {
  for (const head of table.tHead?.rows[0].cells ?? []) {
    if (head.firstElementChild) continue; // a link of its own
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'sort';
    button.textContent = head.textContent;
    button.addEventListener('click', () => sort(table, /** @type {HTMLTableCellElement} */ (head)));
    head.replaceChildren(button);
  }
}
