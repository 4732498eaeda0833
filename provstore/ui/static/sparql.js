// @ts-check
// The SPARQL page's editor in place of its text field: colours, completion, the place of an error, keys. Without this
// the text field does the same job.

import {
  autocompletion,
  bracketMatching,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
  defaultKeymap,
  EditorState,
  EditorView,
  HighlightStyle,
  history,
  historyKeymap,
  indentUnit,
  indentWithTab,
  keymap,
  lineNumbers,
  lintGutter,
  setDiagnostics,
  sparql,
  StreamLanguage,
  syntaxHighlighting,
  tags,
} from "./vendor/codemirror-6.43.15.js";

/** @typedef {{ name: string, iri: string, kind: string, about: string }} Term */
/** @typedef {{ prefixes: Record<string, string>, terms: Term[] }} Terms */

const form = /** @type {HTMLFormElement} */ (document.querySelector("form.sparql"));
const field = /** @type {HTMLTextAreaElement} */ (form.querySelector("textarea"));
const run = /** @type {HTMLButtonElement} */ (form.querySelector("button"));
const adder = /** @type {HTMLButtonElement} */ (form.querySelector("[data-add-prefixes]"));

const KEYWORDS =
  "SELECT WHERE DISTINCT OPTIONAL FILTER UNION MINUS BIND VALUES GRAPH PREFIX CONSTRUCT DESCRIBE ASK FROM NAMED LIMIT OFFSET" +
  " ORDER BY GROUP HAVING ASC DESC AS NOT EXISTS IN COUNT SUM MIN MAX AVG SAMPLE GROUP_CONCAT SEPARATOR STR LANG DATATYPE" +
  " BOUND IF COALESCE REGEX REPLACE CONTAINS STRSTARTS STRENDS STRBEFORE STRAFTER LCASE UCASE SUBSTR STRLEN CONCAT IRI" +
  " isIRI isLiteral isBlank sameTerm NOW YEAR MONTH DAY HOURS MINUTES SECONDS ABS ROUND CEIL FLOOR UNDEF true false";

const theme = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--card)", fontSize: ".875rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", minHeight: "15rem", maxHeight: "32rem" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-gutters": { color: "var(--soft)", backgroundColor: "var(--page)", borderRight: "1px solid var(--line)" },
  "&.cm-focused .cm-matchingBracket, .cm-matchingBracket": { backgroundColor: "var(--mark)", color: "inherit" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "var(--bad-fill)", color: "inherit" },
  ".cm-tooltip": { color: "var(--ink)", backgroundColor: "var(--card)", border: "1px solid var(--soft)", borderRadius: ".3rem" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)", maxWidth: "min(40rem, 80vw)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]": { color: "var(--on-link)", backgroundColor: "var(--link)" },
  ".cm-tooltip.cm-completionInfo": { maxWidth: "22rem", padding: ".4rem .6rem", fontFamily: "system-ui, sans-serif" },
  ".cm-completionDetail": { color: "var(--soft)", fontStyle: "normal" },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-diagnostic-error": { borderLeft: "4px solid var(--bad)" },
});

const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--code-keyword)", fontWeight: "600" },
  { tag: tags.standard(tags.name), color: "var(--code-function)" },
  { tag: tags.atom, color: "var(--code-name)" },
  { tag: tags.local(tags.variableName), color: "var(--code-variable)" },
  { tag: tags.string, color: "var(--code-text)" },
  { tag: tags.comment, color: "var(--soft)", fontStyle: "italic" },
  { tag: tags.meta, color: "var(--soft)" },
]);

/**
 * Prefixes and terms; none where they cannot be had, and the completion of variables and keywords goes on without.
 * @type {Promise<Terms>}
 */
const terms = fetch("/sparql/terms", { headers: { accept: "application/json" } })
  .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(String(answer.status)))))
  .catch(() => ({ prefixes: {}, terms: [] }));

/** @param {string} text */
const declared = (text) => new Set([...text.matchAll(/\bPREFIX\s+([\w.-]*):/gi)].map((found) => found[1]));

/**
 * The change that declares prefixes at the top, below those that are there.
 * @param {any} state
 * @param {string[]} wanted
 * @param {Record<string, string>} prefixes
 */
function declaring(state, wanted, prefixes) {
  const text = state.doc.toString();
  const missing = wanted.filter((prefix) => prefix in prefixes && !declared(text).has(prefix));
  if (!missing.length) return null;
  const last = [...text.matchAll(/^[ \t]*(?:PREFIX|BASE)\b[^\n]*(?:\n|$)/gim)].pop();
  const at = last ? last.index + last[0].length : 0;
  const lines = missing.map((prefix) => `PREFIX ${prefix}: <${prefixes[prefix]}>\n`).join("");
  return { from: at, insert: last && !last[0].endsWith("\n") ? `\n${lines}` : lines };
}

/**
 * Write a completion, and the prefix that it needs.
 * @param {Record<string, string>} prefixes
 * @returns {(view: any, completion: any, from: number, to: number) => void}
 */
const applying = (prefixes) => (view, completion, from, to) => {
  const changes = [{ from, to, insert: completion.label }];
  const line = declaring(view.state, [completion.label.split(":")[0]], prefixes);
  if (line && line.from <= from) changes.unshift(/** @type {any} */ (line));
  const anchor = from + completion.label.length + (line && line.from <= from ? line.insert.length : 0);
  view.dispatch({ changes, selection: { anchor }, scrollIntoView: true, userEvent: "input.complete" });
};

/** @param {any} context */
async function complete(context) {
  const variable = context.matchBefore(/[?$]\w*/);
  if (variable) {
    const names = new Set(context.state.doc.toString().match(/[?$]\w+/g));
    names.delete(variable.text);
    return { from: variable.from, options: [...names].map((label) => ({ label, type: "variable" })), validFor: /^[?$]\w*$/ };
  }
  const word = context.matchBefore(/[\w:<][\w:./#<-]*/);
  if (!word && !context.explicit) return null;
  const held = await terms;
  const apply = applying(held.prefixes);
  const options = held.terms.map((term) => ({
    label: term.name,
    type: term.kind,
    detail: term.kind,
    info: term.about || undefined,
    apply: term.name.startsWith("<") ? undefined : apply,
  }));
  const keywords = KEYWORDS.split(" ").map((label) => ({ label, type: "keyword", boost: -1 }));
  return { from: word ? word.from : context.pos, options: [...options, ...keywords], validFor: /^[\w:./#<-]*$/ };
}

/** Send the query: as an address while that is short enough to be kept and given to others. */
function submit() {
  const most = Number(form.dataset.mostInAddress);
  form.method = encodeURIComponent(field.value).length > most ? "post" : "get";
  run.disabled = true; // once: a long query is not asked twice by an impatient hand
  run.textContent = "Running…";
  form.submit();
  return true;
}

/** @param {any} view */
function leave(view) {
  void view;
  run.focus();
  return true;
}

/**
 * Typing over a selection, done by the editor: a browser does it with an inline style, which the content security
 * policy forbids and the console reports.
 * @param {InputEvent} event
 * @param {any} view
 */
function typeOver(event, view) {
  const { from, to, empty } = view.state.selection.main;
  const text = event.data;
  if (event.inputType !== "insertText" || !text || empty || view.composing) return false;
  event.preventDefault();
  const insert = () =>
    view.state.update({
      changes: { from, to, insert: text },
      selection: { anchor: from + text.length },
      scrollIntoView: true,
      userEvent: "input.type",
    });
  const handlers = view.state.facet(EditorView.inputHandler);
  if (!handlers.some((/** @type {any} */ each) => each(view, from, to, text, insert))) view.dispatch(insert());
  return true;
}

function open() {
  const host = document.createElement("div");
  host.className = "editor";
  field.before(host);
  // In a shadow root the editor's styles are constructed, which the content security policy allows; a <style> is not.
  const root = host.attachShadow({ mode: "open" });
  const view = new EditorView({
    doc: field.value,
    root,
    parent: root,
    extensions: [
      lineNumbers(),
      lintGutter(),
      history(),
      bracketMatching(),
      closeBrackets(),
      indentUnit.of("  "),
      EditorState.tabSize.of(2),
      EditorView.lineWrapping,
      StreamLanguage.define(sparql),
      syntaxHighlighting(colours),
      autocompletion({ override: [complete], icons: false, interactionDelay: 0 }),
      keymap.of([
        { key: "Mod-Enter", run: submit, preventDefault: true },
        { key: "Ctrl-Enter", run: submit, preventDefault: true },
        ...completionKeymap,
        ...closeBracketsKeymap,
        { key: "Escape", run: leave },
        ...historyKeymap,
        indentWithTab,
        ...defaultKeymap,
      ]),
      EditorView.contentAttributes.of({ "aria-label": "SPARQL query. Escape leaves the editor.", spellcheck: "false" }),
      EditorView.domEventHandlers({ beforeinput: typeOver }),
      EditorView.updateListener.of((/** @type {any} */ update) => {
        if (update.docChanged) field.value = view.state.doc.toString();
      }),
      theme,
    ],
  });
  field.hidden = true;
  for (const label of field.labels) label.addEventListener("click", () => view.focus());
  adder.hidden = false;
  adder.addEventListener("click", async () => {
    const { prefixes } = await terms;
    const used = [...view.state.doc.toString().matchAll(/(?<![\w<?$:/])([A-Za-z][\w.-]*):(?!\/\/)/g)].map((found) => found[1]);
    const change = declaring(view.state, [...new Set(used)], prefixes);
    if (change) view.dispatch({ changes: change });
    view.focus();
  });
  return view;
}

/**
 * Mark the place where the server found the query wrong.
 * @param {any} view
 */
function mark(view) {
  const { line, column, message } = form.dataset;
  if (!line || !message || Number(line) < 1) return;
  const found = view.state.doc.line(Math.min(Number(line), view.state.doc.lines));
  const at = column ? Math.min(found.from + Math.max(Number(column) - 1, 0), found.to) : found.from;
  const from = at === found.to && at > found.from ? at - 1 : at;
  const to = column ? Math.min(from + 1, found.to) : found.to;
  view.dispatch(setDiagnostics(view.state, [{ from, to, severity: "error", message }]));
  view.dispatch({ selection: { anchor: at }, scrollIntoView: true });
}

const view = open();
mark(view);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
// A page that comes back from the browser's memory has its button again.
window.addEventListener("pageshow", () => {
  run.disabled = false;
  run.textContent = "Run";
});
