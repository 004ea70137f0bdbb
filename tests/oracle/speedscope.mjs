// SPDX-License-Identifier: BSD-2-Clause
// speedscope.mjs BUNDLE FILE...: has speedscope's own code import files, without a browser.
// Prints the profiles as JSON, one line for each file: names, units, total weights. The
// bundle exports nothing, so its last statement, which draws the page, is replaced.
import { readFileSync } from "node:fs";
import { basename } from "node:path";

const [bundle, ...files] = process.argv.slice(2);
const source = readFileSync(bundle, "utf8");
const open = /async function ([\w$]+)\(t,e\)\{return co\([\w$]+\.fromArrayBuffer\(t,e\)\)\}/.exec(source);
const init = /\}async function [\w$]+\(t\)\{return [\w$]+\(t\)\}var ([\w$]+)=re\(\(\)=>\{"use strict";/.exec(source);
const end = source.lastIndexOf("console.log(`speedscope v");
if (!open || !init || end < 0) {
	console.error("another build of speedscope");
	process.exit(77);
}

// what the page's code asks of a browser while it loads
const anything = new Proxy(function () {}, {
	get: (_, key) => (key === Symbol.toPrimitive ? () => "" : anything),
	apply: () => anything,
	construct: () => anything,
	set: () => true,
});
globalThis.window = new Proxy(globalThis, { get: (all, key) => (key in all ? all[key] : anything) });
for (const name of ["document", "localStorage", "location", "HTMLElement", "matchMedia", "requestAnimationFrame"])
	Object.defineProperty(globalThis, name, { value: anything, configurable: true });

const log = console.log;
console.log = () => {};
(0, eval)(`${source.slice(0, end)};${init[1]}();globalThis.importFile=${open[1]};})();`);
for (const file of files) {
	const data = readFileSync(file);
	const group = await globalThis.importFile(
		basename(file), data.buffer.slice(data.byteOffset, data.byteOffset + data.length));
	log(JSON.stringify({
		name: group.name,
		profiles: group.profiles.map((p) => ({
			name: p.getName(), unit: p.getWeightUnit(), weight: p.getTotalWeight() })),
	}));
}
process.exit(0);
