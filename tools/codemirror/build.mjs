// Makes provstore/ui/static/vendor again: the bundle, the licences of what is in it, and the README that names them.
// `make vendor` installs what package-lock.json fixes and runs this; the same versions give the same bytes.

import { createHash } from "node:crypto";
import { readFileSync, rmSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const vendor = fileURLToPath(new URL("../../provstore/ui/static/vendor/", import.meta.url));
const about = (name) => JSON.parse(readFileSync(`${here}node_modules/${name}/package.json`, "utf8"));

const name = `codemirror-${about("@codemirror/view").version}.js`;
const made = await build({
  absWorkingDir: here,
  entryPoints: ["entry.js"],
  bundle: true,
  minify: true,
  format: "esm",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  banner: { js: "// Made by `make vendor`; README.md names what is in it, LICENSES.txt has its licences." },
  metafile: true,
  write: false,
});
const bundle = made.outputFiles[0].contents;
const hash = createHash("sha256").update(bundle).digest("hex");
const inputs = Object.keys(made.metafile.inputs).filter((path) => path.startsWith("node_modules/"));
const packages = [...new Set(inputs.map((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)/)[1]))].sort();

for (const file of readdirSync(vendor)) if (file.startsWith("codemirror-")) rmSync(vendor + file);
writeFileSync(vendor + name, bundle);

const texts = new Map();
for (const each of packages) {
  const text = readFileSync(`${here}node_modules/${each}/LICENSE`, "utf8").trim();
  texts.set(text, [...(texts.get(text) ?? []), each]);
}
const licences = [...texts].map(([text, names]) => `${names.join("\n")}\n\n${text}\n`);
writeFileSync(`${vendor}LICENSES.txt`, `Licences of what ${name} is made of\n\n${licences.join(`\n${"-".repeat(80)}\n\n`)}`);

const rows = packages.map((each) => {
  const { version, license, repository } = about(each);
  return `| ${each} | ${version} | ${license} | ${repository.url.replace(/^git\+|\.git$/g, "")} |`;
});
writeFileSync(
  `${vendor}README.md`,
  `# What is vendored here

Made by \`make vendor\` (Node and npm; neither is needed to install, run or test provstore) from \`tools/codemirror/\`, where
\`package-lock.json\` fixes every version and its digest. Nothing in here asks any other host for anything.

| file | sha256 |
|---|---|
| ${name} | ${hash} |

${name} is CodeMirror 6, as much of it as \`entry.js\` names, bundled by esbuild ${about("esbuild").version}:

| package | version | licence | source |
|---|---|---|---|
${rows.join("\n")}

The licences are in \`LICENSES.txt\`.
`,
);
console.log(`${name} ${bundle.length} bytes sha256 ${hash}`);
