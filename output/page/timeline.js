/* The strip above the graph: when the samples were taken. A drag selects a range of time. */

const strip = byId("timeline"), stripPen = strip.getContext("2d");
const BAR = 3;	/* px of a bar, with its gap */
let bars;	/* { all, chosen, n, cells (of one bar) } */

/* The time that the strip shows, in cells. */
function stripRange() {
	const { event } = data.whole, last = event.n ? event.time[event.n - 1] + 1 : 1;
	const from = Math.floor(data.from / data.cell);
	return [from, Math.max(from + 1, data.to ? Math.ceil(data.to / data.cell) : last)];
}

function makeBars(width) {
	const { event } = data.whole, [from, to] = stripRange();
	/* so many samples to a bar that chance does not make most of its height */
	const n = Math.max(1, Math.min(Math.floor(width / BAR), to - from,
		Math.max(80, Math.floor(event.n / 8))));
	const all = new Float64Array(n), chosen = new Float64Array(n);
	const { wanted } = selection, removed = data.old ? null : selection.removed, scale = n / (to - from);
	for (let i = 0; i < event.n; i++) {
		const k = Math.min(n - 1, Math.floor((event.time[i] - from) * scale));
		if (k < 0)
			continue;
		all[k] += event.amount[i];
		if ((!wanted || wanted[event.combo[i]]) && !(removed && removed[i]))
			chosen[k] += event.amount[i];
	}
	bars = { all, chosen, n, cells: (to - from) / n };
}

function drawStrip() {
	const start = performance.now(), dpr = devicePixelRatio || 1, left = stripLeft();
	strip.style.height = state.heat ? `${heatRows().rows.length * HEAT_ROW + px(16)}px` : "";
	const width = strip.clientWidth - left, height = strip.clientHeight, base = height - px(15);
	strip.width = Math.round(strip.clientWidth * dpr);
	strip.height = Math.round(height * dpr);
	makeBars(width);
	stripPen.scale(dpr, dpr);
	if (state.heat)
		drawHeatNames(left);
	stripPen.translate(left, 0);
	const most = state.heat ? drawHeat(width) : drawBars(width, base);
	drawTicks(width, base);
	if (state.time || state.base)
		drawRanges(width, base);
	if (most && state.heat)
		drawMost(`strongest: ${most}`, width, base + 1);
	else if (most)
		drawMost(most, width, 0);
	strip.setAttribute("aria-valuetext", state.time ? rangeText(state.time) : "all");
	measured("strip", start);
}

/* Returns what the highest bar stands for. */
function drawBars(width, base) {
	const most = bars.all.reduce((a, b) => Math.max(a, b), 0) || 1, wide = width / bars.n;
	const part = (column, colour) => {
		stripPen.fillStyle = colour;
		for (let k = 0; k < bars.n; k++) {
			const h = column[k] / most * (base - 6);
			if (h > 0)
				stripPen.fillRect(k * wide, base - Math.max(1, h), Math.max(1, wide - 0.75),
					Math.max(1, h));
		}
	};
	part(bars.all, colours.line);
	part(bars.chosen, colours.accent);
	return cpusText(most, bars.cells);
}

/* What so much in so many cells is in CPUs; "" where samples are not CPU time. */
const cpusText = (amount, cells) => data.kind == "CPU"
	? `${number(amount * data.worth / (cells * data.cell), 1)} CPUs` : "";

/* What the highest bar stands for, at the right end. */
function drawMost(text, width, top) {
	const wide = stripPen.measureText(text).width;
	stripPen.globalAlpha = 0.8;
	stripPen.fillStyle = colours.bg;
	stripPen.fillRect(width - wide - 6, top, wide + 6, px(14));
	stripPen.globalAlpha = 1;
	stripPen.fillStyle = colours.muted;
	stripPen.fillText(text, width - wide - 2, top + px(11));
}

/* A round step that leaves room for its texts. */
function drawTicks(width, base) {
	const [from, to] = stripRange();
	const ns = (to - from) * data.cell, least = ns / (width / px(90) || 1);
	const power = 10 ** Math.floor(Math.log10(least || 1));
	const step = [1, 2, 5, 10].map((k) => k * power).find((s) => s >= least);
	stripPen.fillStyle = colours.line;
	stripPen.fillRect(0, base, width, 1);
	stripPen.fillStyle = colours.muted;
	stripPen.font = colours.small;
	stripPen.textBaseline = "alphabetic";
	const first = Math.ceil(from * data.cell / step) * step;
	const room = px(state.heat ? 150 : 40);	/* for the last text, and what drawMost() says beside it */
	for (let t = first; t < to * data.cell; t += step) {
		const x = (t - from * data.cell) / ns * width;
		stripPen.fillRect(x, base, 1, 4);
		if (x < width - room)
			stripPen.fillText(tickText(t, step), x + 3, base + px(12));
	}
}

const tickText = (t, step) => step < 1e6 ? `${number(t / 1e3)} µs` : step < 1e9
	? `${number(t / 1e9, step < 1e8 ? step < 1e7 ? 3 : 2 : 1)} s` : `${number(t / 1e9)} s`;

/* Short ranges to the ms, or both ends would look the same. */
function rangeText([a, b]) {
	const [from, to] = [a, b].map((cell) => cell * data.cell), short = to - from < 1e8;
	const text = (ns) => short ? number(ns / 1e9, 3) : seconds(ns).replace(" s", "");
	return `${text(from)}–${text(to)} s`;
}

/* Dragging */

let drag = null;	/* { from, moved } */

function cellAt(event) {
	const corner = strip.getBoundingClientRect(), [from, to] = stripRange();
	const left = corner.left + stripLeft();
	const part = (event.clientX - left) / (corner.right - left);
	return from + Math.max(0, Math.min(1, part)) * (to - from);
}

function dragged(event) {
	const to = cellAt(event), range = [Math.floor(Math.min(drag.from, to)),
		Math.ceil(Math.max(drag.from, to))];
	drag.moved ||= Math.abs(event.clientX - drag.x) > 3;
	if (drag.moved && range[1] > range[0]) {
		state[drag.marks] = range;
		drawStrip();
	}
}

function setTime(range) {
	set({ time: range }, "pushState");
}

function endDrag(done) {
	drag = null;
	marks = "time";
	if (!done.moved)
		set({ time: null, base: null }, "pushState");
	else
		set({ [done.marks]: state[done.marks] }, "pushState");
}

/* Arrows move the range, or the baseline, with Shift its end. */
function stripKey(event) {
	const [from, to] = stripRange(), step = Math.max(1, Math.round((to - from) / 50));
	const sign = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
	if (!sign || event.ctrlKey || event.altKey || event.metaKey)
		return;
	let [a, b] = state[marks] || [from, from + Math.max(1, Math.round((to - from) / 10))];
	if (event.shiftKey)
		b = Math.max(a + 1, Math.min(to, b + sign * step));
	else if (a + sign * step >= from && b + sign * step <= to)
		[a, b] = state[marks] ? [a + sign * step, b + sign * step] : [a, b];
	event.preventDefault();
	event.stopPropagation();
	set({ [marks]: [a, b] }, "pushState");
}

function listenStrip() {
	strip.addEventListener("pointerdown", (e) => {
		if (e.button)
			return;
		const item = e.offsetX < stripLeft() && heatItem(heatRowAt(e));
		if (item)
			return void actGroup(item, "", e);
		drag = { from: cellAt(e), x: e.clientX, moved: false, marks: e.shiftKey ? "base" : marks };
		strip.setPointerCapture(e.pointerId);
	});
	strip.addEventListener("pointermove", (e) => { if (drag) dragged(e); else hoverHeat(e); });
	strip.addEventListener("pointerleave", () => hoverHeat(null));
	strip.addEventListener("pointerup", () => {
		if (drag)
			endDrag(drag);
	});
	strip.addEventListener("pointercancel", () => { drag = null; });
	strip.addEventListener("keydown", stripKey);
	new ResizeObserver(() => { if (selection) drawStrip(); }).observe(strip);
}
