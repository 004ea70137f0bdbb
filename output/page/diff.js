/*
 * Two recordings in one file: their samples become one table, each worth what it adds per
 * second of its recording, or to the share of all. Boxes are as wide as both together. Where a
 * tree has weights beside totals otherwise, it then has the older recording's part.
 */

const CERTAIN = 1.96;	/* standard deviations of the error: 95 % of chance is within it */

const joined = (a, b) => {
	const ret = new a.constructor(a.length + b.length);
	ret.set(a);
	ret.set(b, a.length);
	return ret;
};

/* Rows 1 … of a table follow those of another one; 0 stays "none". */
const shifted = (rows, by) => rows.map((row) => row && row + by);

function joinEvents(now, old, stacks, goroutines, threads) {
	const a = now.event, b = old.event, event = { n: a.n + b.n };
	for (const name of ["count", "weight", "class"])
		event[name] = joined(a[name], b[name]);
	event.time = joined(a.time, b.time.map((cell) => Math.floor(cell * old.meta[9] / data.cell)));
	event.stack = joined(a.stack, shifted(b.stack, stacks));
	event.goroutine = joined(a.goroutine, shifted(b.goroutine, goroutines));
	event.thread = joined(a.thread, b.thread.map((row) => row + threads));
	event.old = new Uint8Array(event.n).fill(1, a.n);
	return event;
}

function joinSides(now, old) {
	const stacks = now.stack.up.length - 1, goroutines = now.goroutine.goid.length - 1;
	const threads = now.thread.tid.length, processes = now.process.name.length;
	const rest = (column) => column.slice(1), more = (a, b) => [...a, ...b];
	const side = { quality: now.quality, selected: now.selected, plain: false, labels: new Map(),
		stack: { up: joined(now.stack.up, rest(shifted(old.stack.up, stacks))),
			frame: joined(now.stack.frame, rest(old.stack.frame)) },
		process: { name: more(now.process.name, old.process.name),
			program: more(now.process.program, old.process.program) },
		thread: { tid: more(now.thread.tid, old.thread.tid),
			name: more(now.thread.name, old.thread.name),
			process: joined(now.thread.process, old.thread.process.map((p) => p + processes)) },
		event: joinEvents(now, old, stacks, goroutines, threads), goroutine: {} };
	for (const [name, column] of Object.entries(now.goroutine))
		if (column.length == goroutines + 1)
			side.goroutine[name] = name == "process"
				? joined(column, rest(old.goroutine.process.map((p) => p + processes)))
				: more(column, rest(old.goroutine[name]));
	for (const key of new Set([...now.labels.keys(), ...old.labels.keys()]))
		side.labels.set(key, [...(now.labels.get(key) || new Array(goroutines + 1)),
			...rest(old.labels.get(key) || new Array(old.goroutine.goid.length))]);
	return side;
}

/* factor: what a sample of the newer and the older recording is worth in boxes. */
function weighDiff(side) {
	const { event } = side, raw = data.weighted ? event.weight : event.count, sums = [0, 0];
	for (let i = 0; i < event.n; i++)
		sums[event.old[i]] += raw[i];
	data.factor = [data.now.selected, data.old.selected].map((ns, k) =>
		data.shares ? 1 / (sums[k] || 1) : 1e9 / (ns || 1));
	data.mean = [0, 1].map((k) => (data.weighted ? sums[k] / (event.n || 1) : 1) || 1);
	event.amount = new Float64Array(event.n);
	event.other = new Float64Array(event.n);
	for (let i = 0; i < event.n; i++) {
		event.amount[i] = raw[i] * data.factor[event.old[i]];
		event.other[i] = event.old[i] ? event.amount[i] : 0;
	}
}

/*
 * The error, by the model of output/comparison.h: Poisson's and a sample more, or what the
 * jumps between neighbours of 64 and of 16 intervals show, whichever is larger.
 */
const INTERVALS = 64, LEVELS = [1, 4];	/* intervals to a step */

/* The selected events by recording and interval: those of k are ids[ends[k - 1]] … */
function byInterval() {
	const { event } = data.now, n = 2 * INTERVALS, ends = new Int32Array(n + 1);
	const length = [data.now.selected, data.old.selected].map((ns) => ns / INTERVALS / data.cell);
	const of = (i) => event.old[i] * INTERVALS + Math.max(0, Math.min(INTERVALS - 1,
		Math.floor((event.time[i] - data.from / data.cell) / length[event.old[i]])));
	for (const i of selection.ids)
		ends[of(i) + 1]++;
	for (let k = 0; k < n; k++)
		ends[k + 1] += ends[k];
	const put = ends.slice(), ids = new Int32Array(selection.ids.length);
	for (const i of selection.ids)
		ids[put[of(i)]++] = i;
	return { ids, ends };
}

/* The variance of n rows that spread(ids) fills, of both recordings. */
async function varianceOf(n, spread, slice) {
	const { ids, ends } = selection.intervals ||= byInterval(), ret = new Float64Array(n);
	const floats = () => new Float64Array(n);
	for (let side = 0; side < 2; side++) {
		const sum = floats(), one = data.factor[side] * data.mean[side];
		const levels = LEVELS.map((width) => ({ width, now: floats(), before: floats(),
			squares: floats(), withAll: floats(), all: 0, allBefore: 0, allSquares: 0 }));
		let all = 0;
		for (let k = 0; k < INTERVALS; k++) {
			const at = side * INTERVALS + k, part = ids.subarray(ends[at], ends[at + 1]);
			const row = spread(part);
			let of = 0;
			for (const i of part)
				of += data.now.event.amount[i];
			all += of;
			for (let r = 0; r < n; r++)
				sum[r] += row[r];
			for (const level of levels)
				addInterval(level, row, of, k);
			if (slice.over())
				await slice.next();
		}
		for (let r = 0; r < n; r++) {
			const part = data.shares && all ? sum[r] / all : 0;
			let most = sum[r] * one * (1 - 2 * part) + part * part * all * one + one * one;
			for (const { width, squares, withAll, allSquares } of levels) {
				const steps = INTERVALS / width;
				most = Math.max(most, (squares[r] - 2 * part * withAll[r] +
					part * part * allSquares) / 2 * steps / (steps - 1));
			}
			ret[r] += most;
		}
	}
	return ret;
}

function addInterval(level, row, of, k) {
	const { width, now, before, squares, withAll } = level, n = row.length;
	level.all += of;
	for (let r = 0; r < n; r++)
		now[r] += row[r];
	if (k % width != width - 1)
		return;
	const jumpOfAll = level.all - level.allBefore;
	for (let r = 0; r < n; r++) {
		const jump = now[r] - before[r];
		before[r] = now[r];
		now[r] = 0;
		if (k >= width) {
			squares[r] += jump * jump;
			withAll[r] += jump * jumpOfAll;
		}
	}
	level.allSquares += k >= width ? jumpOfAll ** 2 : 0;
	level.allBefore = level.all;
	level.all = 0;
}

/* Fills the rows of a tree: leaf says to which each event belongs. */
function spreadUp(up, n, leaf) {
	const row = new Float64Array(n), { amount } = data.now.event;
	return (ids) => {
		row.fill(0);
		for (const i of ids)
			row[leaf(i)] += amount[i];
		for (let r = n - 1; r > 0; r--)
			row[up[r]] += row[r];
		return row;
	};
}

/* Rows of functions: self of each, then total. */
function spreadFunctions() {
	const { n, up, label, of } = trie, { amount, stack } = data.now.event, outer = new Uint8Array(n);
	const self = new Float64Array(n), row = new Float64Array(2 * labels.n);
	for (let i = 1; i < n; i++) {
		let at = up[i];
		while (at && label[at] != label[i])
			at = up[at];
		outer[i] = !at;
	}
	return (ids) => {
		self.fill(0);
		row.fill(0);
		for (const i of ids) {
			self[of[stack[i]]] += amount[i];
			row[label[of[stack[i]]]] += of[stack[i]] ? amount[i] : 0;
		}
		for (let i = n - 1; i > 0; i--) {
			self[up[i]] += self[i];
			row[labels.n + label[i]] += outer[i] ? self[i] : 0;
		}
		return row;
	};
}

/* Of both together, and the older part: { old, now, delta, error }. */
function difference(both, old, variance = 0) {
	const now = Math.max(0, both - old), [fn, fo] = data.factor, [mn, mo] = data.mean;
	const least = now * fn * mn + (fn * mn) ** 2 + old * fo * mo + (fo * mo) ** 2;
	return { old, now, delta: now - old, error: CERTAIN * Math.sqrt(variance || least) };
}

const nodeDifference = (t, i) => difference(t.total[i], t.totalWeight[i], t.variance?.[i]);

/* After the trees are made: the errors of boxes and rows, and which of them differ. */
async function judgeAll(trees, slice) {
	const { event } = data.now, { own } = selection;
	for (const t of trees) {
		if (t.leaf)
			t.variance = await varianceOf(t.n, spreadUp(t.up, t.n, (i) => t.leaf[i]), slice);
		t.certain = judge(Array.from({ length: t.n }, (_, i) => nodeDifference(t, i)));
	}
	const g = await varianceOf(groups.n, spreadUp(groups.parent, groups.n,
		(i) => groups.ofCombo[event.combo[i]]), slice);
	const f = await varianceOf(2 * labels.n, spreadFunctions(), slice);
	selection.groupVariance = state.chosen.length ? null : g;
	const { self, total, selfOther, totalOther } = functionCosts();
	const diffs = Array.from({ length: labels.n }, (_, l) => ({ total: difference(total[l], totalOther[l],
		f[labels.n + l]), self: difference(self[l], selfOther[l], f[l]) }));
	selection.functionDiffs = diffs;
	selection.certain = judge([...diffs.map((d) => d.self), ...diffs.map((d) => d.total),
		...Array.from(selection.listed, (both, k) => difference(both, selection.others[k], g[k]))]);
}

/*
 * Of many rows, some are beyond their error by chance. So which ones are called different is
 * decided over all, by Benjamini and Hochberg's procedure, as the text does: returns how many
 * standard deviations a delta has to be.
 */
function judge(diffs) {
	const least = 6 * Math.max(...data.mean), [fn, fo] = data.factor;
	const sorted = Float64Array.from(diffs.filter((d) => d.now / fn + d.old / fo >= least), deviations)
		.sort().reverse();
	for (let k = sorted.length; k > 0; k--)
		if (tail(sorted[k - 1]) <= 0.05 * k / sorted.length)
			return Math.max(CERTAIN, sorted[k - 1]);
	return Infinity;
}

const deviations = (d) => CERTAIN * Math.abs(d.delta) / d.error;

/* The probability that chance goes so many standard deviations to either side. */
function tail(z) {
	const x = z / Math.SQRT2, k = 1 / (1 + 0.3275911 * x);
	return k * (0.254829592 + k * (-0.284496736 + k * (1.421413741 + k * (-1.453152027 +
		k * 1.061405429)))) * Math.exp(-x * x);
}

/* The sign of a difference; 0: within the error. */
const direction = (d, certain) => deviations(d) >= certain ? Math.sign(d.delta) : 0;

/* Red: grown, blue: shrunk, the more the stronger; grey: within the error. */
function diffColour(t, i) {
	const d = nodeDifference(t, i);
	if (!direction(d, t.certain))
		return colours.same;
	const step = Math.min(4, Math.floor(5 * Math.abs(d.delta) / (d.now + d.old)));
	return (d.delta > 0 ? colours.grown : colours.shrunk)[step];
}

/* What the colours say. */
function diffKey() {
	const part = (name, text) => {
		const swatch = element("i", { class: "swatch" });
		swatch.style.background = `var(--${name})`;
		return element("span", {}, swatch, text);
	};
	return element("span", { class: "note", title: "The stronger the colour, the larger the change" },
		part("grown-3", "more"), part("shrunk-3", "less"), part("same", "may be chance"));
}

function rate(v) {
	if (data.shares)
		return `${(100 * v).toFixed(2)}%`;
	return data.isTime ? `${(v * (data.weighted ? 1 : data.period) / 1e9).toFixed(3)}` : `${v.toFixed(2)}/s`;
}
const rateUnit = () => data.shares ? " of all" : !data.isTime ? "" : data.kind == "CPU" ? " CPUs" : " s/s";
const change = (d) => `${d.delta < 0 ? "−" : "+"}${rate(Math.abs(d.delta))}`;

function diffFigures({ pane, node }) {
	const t = pane.tree, d = nodeDifference(t, node);
	const percent = d.old ? ` (${d.delta < 0 ? "−" : "+"}${(100 * Math.abs(d.delta) / d.old).toFixed(1)}%)` : " (new)";
	return `${rate(d.old)} → ${rate(d.now)}${rateUnit()} · ${change(d)} ± ${rate(d.error)}` +
		(direction(d, t.certain) ? percent : " · within the sampling error");
}
