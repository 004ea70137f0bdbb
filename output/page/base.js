/*
 * The page's program: the Makefile puts these files together, in one function. The data is
 * described in output/page_data.h. Nothing here makes HTML from a string: names come from
 * strangers, and are only ever shown as text.
 */

const byId = (id) => document.getElementById(id);

/* How much larger than 16 px the browser's font is: what is drawn grows with it, as the style
 * does. */
const fontScale = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16 || 1;
const px = (n) => Math.round(n * fontScale);

/* Strings become text nodes. */
function element(tag, attributes, ...content) {
	const e = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes))
		e.setAttribute(name, value);
	e.append(...content);
	return e;
}

/* Words and figures */

const formats = [0, 1, 2, 3].map((digits) => new Intl.NumberFormat("en",
	{ minimumFractionDigits: digits, maximumFractionDigits: digits }));
const number = (n, digits = 0) => formats[digits].format(n);
const count = (n, what) => `${number(n)} ${what}${n == 1 ? "" : "s"}`;
const time = (ns) => ns < 999.5e3 ? `${number(ns / 1e3)} µs` : ns < 999.5e6 ? `${number(ns / 1e6)} ms`
	: `${number(ns / 1e9, 2)} s`;
const seconds = (ns) => `${number(ns / 1e9, ns < 1e11 ? 2 : 1)} s`;

/* Never rounded to 0 % or to 100 %. */
function share(part, whole) {
	const p = whole ? 100 * part / whole : 0;
	return p > 0 && p < 0.1 ? "<0.1%" : p < 100 && p > 99.9 ? ">99.9%"
		: `${p == 100 || !p ? p : p.toFixed(1)}%`;
}

const weight = (n) => data.isTime ? time(n) : number(n);

/* Names */

const LONGEST = 500;	/* characters of a name that are measured and drawn */

/* What is too long for a title has its beginning and end. */
const cutLong = (text, most = 300) => text.length <= most ? text
	: `${text.slice(0, most >> 1)}…${text.slice(1 - (most >> 1))}`;

/* Without import paths: "github.com/a/b.(*T).F" is "b.(*T).F". */
function briefName(name) {
	return name.length > LONGEST ? name
		: name.replace(/(?:[^\s/()[\]*]+\/)+(?=[^\s/]*\.)/g, "");
}

/* The method without its receiver, the function without its package: "F". */
function bareName(brief) {
	const end = brief.search(/[[{]/), head = end < 0 ? brief : brief.slice(0, end);
	return head.replace(/^.*\)\./, "").replace(/^[\w-]+\./, "") || brief;
}

/* Of a closure's name also what is behind its outer functions: "serve.labelled.func4.1" is
 * "labelled.func4.1", or "func4.1". */
function shorterNames(bare) {
	const ret = [bare];
	if (bare.length <= LONGEST && !/[[{(<]/.test(bare))
		for (let at = bare.indexOf(".") + 1; at; at = bare.indexOf(".", at) + 1)
			if (/[^\d\W]/.test(bare[at] || ""))
				ret.push(bare.slice(at));
	return ret;
}

/* The text, or as much of its beginning and end as fits. */
function cutMiddle(pen, text, room) {
	const shown = text.slice(0, LONGEST), width = pen.measureText(shown).width;
	if (width <= room && shown == text)
		return text;
	let keep = Math.min(shown.length - 1, Math.floor(shown.length * room / (width || 1)));
	for (; keep > 2; keep--) {
		const tail = keep < 6 ? 0 : keep >> 1;	/* two or three letters of each would say nothing */
		const cut = `${shown.slice(0, keep - tail)}…${text.slice(text.length - tail)}`;
		if (pen.measureText(cut).width <= room)
			return cut;
	}
	return "";
}

/* Long work */

const SLICE = 40;	/* ms between two pauses */
const channel = new MessageChannel(), paused = [];
channel.port1.onmessage = () => paused.shift()();

/* Lets the browser draw and react. */
const pause = () => new Promise((resume) => {
	paused.push(resume);
	channel.port2.postMessage(0);
});

/*
 * Says in a loop when it is time to pause: `if (slice.over()) await slice.next()`. Work
 * that newer work has replaced ends there, by an exception.
 */
class Slice {
	static newest = 0;
	constructor() {
		this.id = ++Slice.newest;
		this.end = performance.now() + SLICE;
	}
	over() {
		return performance.now() > this.end;
	}
	async next() {
		await pause();
		if (this.id != Slice.newest)
			throw new Replaced();
		this.end = performance.now() + SLICE;
	}
}
class Replaced extends Error {}

/* What takes long is measured, for the tests and for who asks. */
function measured(name, start) {
	performance.measure(name, { start, end: performance.now() });
}
