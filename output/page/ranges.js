/*
 * Two ranges of time of one recording, compared as two recordings are: see diff.js. data.now
 * then has the events of both, those of the baseline as the older ones; its other tables stay,
 * so rows of groups, goroutines and stacks mean the same.
 */

let marks = "time";	/* what drags and arrows in the strip set: "time", or "base", the baseline */

/* The rows of events in a range. */
function eventsIn([from, to]) {
	const { time, n } = data.whole.event, ids = new Int32Array(n);
	let found = 0;
	for (let i = 0; i < n; i++)
		if (time[i] >= from && time[i] < to)
			ids[found++] = i;
	return ids.subarray(0, found);
}

const lengthOf = ([from, to]) => (to - from) * data.cell;

/* Makes data.now what the ranges of state say. */
function compareRanges() {
	const { time, base } = state, wanted = time && base ? `${time} ${base}` : "";
	if (data.oldTitle || wanted == (data.ranges || ""))
		return;
	Object.assign(data, { ranges: wanted, now: data.whole, old: null });
	if (!wanted)
		return;
	const { event } = data.whole, parts = [eventsIn(time), eventsIn(base)];
	const ids = joined(...parts), n = ids.length, both = { n, old: new Uint8Array(n).fill(1, parts[0].length) };
	for (const name of ["count", "weight", "class", "stack", "goroutine", "thread", "combo", "time"]) {
		const from = event[name], to = both[name] = new from.constructor(n);
		for (let k = 0; k < n; k++)
			to[k] = from[ids[k]];
	}
	/* as if each range began where the recording does */
	const begin = Math.floor(data.from / data.cell), shift = [begin - time[0], begin - base[0]];
	for (let k = 0; k < n; k++)
		both.time[k] += shift[both.old[k]];
	data.now = { ...data.whole, event: both, plain: false, selected: lengthOf(time) };
	data.old = { selected: lengthOf(base), period: data.whole.period };
	weighDiff(data.now);
}

/* The button and the key: the next drag marks the baseline, or no longer. */
function toggleBase() {
	if (strip.hidden || !state.time)
		return;
	marks = marks == "time" ? "base" : "time";
	say(marks == "base" ? "Drag the range to compare with, or use the arrows in the strip"
		: "Drags select the range again");
	showChips();
}

/* Fades what is in neither range, and marks the ends of both. */
function drawRanges(width, base) {
	const [from, to] = stripRange(), x = (cell) => (cell - from) / (to - from) * width;
	const ranges = [state.time, state.base].filter(Boolean).map((range) => range.map(x));
	let at = 0;
	stripPen.globalAlpha = 0.72;
	stripPen.fillStyle = colours.bg;
	for (const [a, b] of ranges.slice().sort((p, q) => p[0] - q[0])) {
		stripPen.fillRect(at, 0, Math.max(0, a - at), base);
		at = Math.max(at, b);
	}
	stripPen.fillRect(at, 0, Math.max(0, width - at), base);
	stripPen.globalAlpha = 1;
	if (state.time)
		drawEnds(x(state.time[0]), x(state.time[1]), width, base, colours.text);
	if (state.base) {
		const [a, b] = state.base.map(x);
		drawEnds(a, b, width, base, colours.accent);
		stripPen.fillRect(a, base - 2, b - a, 3);
		drawMost("baseline", Math.min(width, Math.max(60, a + 62)), 0);
	}
}

function drawEnds(a, b, width, base, colour) {
	stripPen.fillStyle = colour;
	stripPen.fillRect(Math.max(0, a - 1), 0, 2, base);
	stripPen.fillRect(Math.min(width - 2, b - 1), 0, 2, base);
}

/* What the chips say about the ranges. */
function rangeChips(chip) {
	const { time, base } = state, end = () => set({ base: null }, "pushState");
	if (time && base) {
		chip(`${rangeText(time)} compared with ${rangeText(base)}`, end);
		return [diffKey()];
	}
	if (base)
		chip(`baseline ${rangeText(base)}: drag a range to compare with it`, end);
	if (!time)
		return [];
	chip(rangeText(time), () => setTime(null));
	const b = element("button", { type: "button", "aria-pressed": marks == "base", id: "compare",
		title: "Drag in the strip with Shift, or after this (d)" },
		marks == "base" ? "Drag the other range in the strip" : "Compare with …");
	b.addEventListener("click", toggleBase);
	return [b];
}
