/*
 * What links call groups, goroutines, functions and stacks. Rows are numbered otherwise in each
 * recording, so links have hashes of names: in another recording they mean the same, or nothing.
 */

/* Two hashes of 32 bits, by FNV-1a and by another prime. */
function hashText(text) {
	let a = 0x811c9dc5, b = 0x2545f491;
	for (let k = 0; k < text.length; k++) {
		a = Math.imul(a ^ text.charCodeAt(k), 0x01000193);
		b = Math.imul(b ^ text.charCodeAt(k), 0x5bd1e995) ^ b >>> 15;
	}
	return [a, b];
}
const joinHash = (a, b) => (a & 0xfffff) * 2 ** 32 + (b >>> 0);
const wordOf = (text) => joinHash(...hashText(text)).toString(36);

/* The texts of n rows; those that are equal get numbers. */
function distinct(n, textOf) {
	const seen = new Map();
	return Array.from({ length: n }, (_, i) => {
		const text = textOf(i), nth = (seen.get(text) || 0) + 1;
		seen.set(text, nth);
		return nth > 1 ? `${text}~${nth}` : text;
	});
}

/* By row of groups; "0" is all. */
function groupWords() {
	const { n, levels, level, kind, value } = groups;
	return groups.words ||= distinct(n, (g) => JSON.stringify([levels[level[g] - 1],
		groupPath(g), kind[g].replace(/\d/g, "")])).map((text, g) => g ? wordOf(text) : "0");
}

/* By id: goroutines of several processes may have the same number. */
function goroutineWords() {
	const { goroutine, process } = data.now;
	return data.now.goroutineWords ||= distinct(goroutine.first.length, (id) => {
		const row = goroutine.first[id];
		return `${goroutine.goid[row]}-${process.tgid[goroutine.process[row]]}`;
	});
}

/* By label: a function, or with lines a line of it. */
function labelWords(of = labels) {
	const { func, frame } = data;
	data.funcTexts ||= distinct(func.name.length, (f) => `${func.name[f]}\0${func.module[f].replace(/^.*\//, "")}`);
	return of.words ||= (!of.lines ? data.funcTexts : distinct(of.n, (l) =>
		`${data.funcTexts[frame.func[l]]}\0${frame.line[l]}${frame.inlined[l] ? "i" : ""}`)).map(wordOf);
}

/* By row of stacks: the hash of its functions, or lines. */
function stackHashes(of = labels) {
	const { up, frame } = data.now.stack, n = up.length, a = new Int32Array(n), b = new Int32Array(n);
	if (of.stacks)
		return of.stacks;
	const own = labelWords(of).map(hashText), hashes = of.stacks = new Float64Array(n);
	for (let i = 1; i < n; i++) {
		const [x, y] = own[of.lines ? frame[i] : data.frame.func[frame[i]]];
		a[i] = Math.imul(a[up[i]] ^ x, 0x01000193);
		b[i] = Math.imul(b[up[i]] ^ y, 0x5bd1e995) ^ b[up[i]] >>> 15;
		hashes[i] = joinHash(a[i], b[i]);
	}
	return hashes;
}

const stackWord = (row) => row ? stackHashes()[row].toString(36) : "0";
/* Below 0: this recording has none. */
const findStack = (word, of) => word == "0" ? 0
	: stackHashes(of).indexOf(parseInt(word, 36), 1);
