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
	const side = { quality: now.quality, selected: now.selected, period: now.period, plain: false, labels: new Map(),
		stack: { up: joined(now.stack.up, rest(shifted(old.stack.up, stacks))),
			frame: joined(now.stack.frame, rest(old.stack.frame)) },
		process: { name: more(now.process.name, old.process.name),
			tgid: joined(now.process.tgid, old.process.tgid),
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

/* factor: what a sample (or a weight of 1) of the newer and the older recording is worth in
 * boxes; mean: how much of that one sample is. */
function weighDiff(side) {
	const { event } = side, raw = data.weighted ? event.weight : event.count;
	const sums = [0, 0], squares = [0, 0], samples = [0, 0];
	for (let i = 0; i < event.n; i++) {
		sums[event.old[i]] += raw[i];
		squares[event.old[i]] += raw[i] ** 2 / event.count[i];
		samples[event.old[i]] += event.count[i];
	}
	const typical = Math.sqrt((squares[0] + squares[1]) / (samples[0] + samples[1])) || 1;
	data.factor = [data.now.selected, data.old.selected].map((ns, k) =>
		data.shares ? 1 / (sums[k] || 1) : 1e9 / (ns || 1));
	data.mean = [side, data.old].map(({ period }) => !data.weighted ? 1 : period || typical);
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
const INTERVALS = 64, LEVELS = [1, 4];	/* intervals to a step, the finest first */

/* The selected events by recording and interval: those of k are ids[ends[k]] … */
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

/* A sum for each of n rows, of which few have one: those are in rows. */
class Sums {
	constructor(n) {
		this.sum = new Float64Array(n);
		this.rows = new Int32Array(n);
		this.n = 0;
	}
	add(row, amount) {
		if (!this.sum[row])
			this.rows[this.n++] = row;
		this.sum[row] += amount;
	}
	clear() {
		for (; this.n; this.n--)
			this.sum[this.rows[this.n - 1]] = 0;
	}
}

/* How n rows jump from one step, of width intervals, to the next. */
class Jumps {
	constructor(n, width) {
		this.width = width;
		[this.now, this.before] = [new Sums(n), new Sums(n)];
		[this.squares, this.withAll] = [new Float64Array(n), new Float64Array(n)];
		this.all = this.allBefore = this.allSquares = 0;
	}
	/* The step is over. */
	end(first) {
		const { now, before, squares, withAll } = this, jumpOfAll = this.all - this.allBefore;
		const jumped = (row, jump) => {
			squares[row] += jump * jump;
			withAll[row] += jump * jumpOfAll;
		};
		if (!first) {
			for (let k = 0; k < now.n; k++)
				jumped(now.rows[k], now.sum[now.rows[k]] - before.sum[now.rows[k]]);
			for (let k = 0; k < before.n; k++)
				if (!now.sum[before.rows[k]])
					jumped(before.rows[k], -before.sum[before.rows[k]]);
			this.allSquares += jumpOfAll ** 2;
		}
		before.clear();
		[this.now, this.before] = [before, now];
		this.allBefore = this.all;
		this.all = 0;
	}
	add(sums, all) {
		this.all += all;
		for (let k = 0; k < sums.n; k++)
			this.now.add(sums.rows[k], sums.sum[sums.rows[k]]);
	}
}

/* The variance of n rows, of both recordings: spread(i, amount, sums) adds an event's amount
 * to its rows. */
async function varianceOf(n, spread, slice) {
	const ret = new Float64Array(n);
	for (let side = 0; side < 2; side++) {
		const found = await tally(n, spread, side, slice), { total, squares, jumps, all } = found;
		const least = (data.factor[side] * data.mean[side]) ** 2;
		for (let r = 0; r < n; r++) {
			const part = data.shares && all ? total[r] / all : 0;
			let most = squares[r] * (1 - 2 * part) + part * part * found.allSquares + least;
			for (const { width, squares: of, withAll, allSquares } of jumps) {
				const steps = INTERVALS / width;
				most = Math.max(most, (of[r] - 2 * part * withAll[r] +
					part * part * allSquares) / 2 * steps / (steps - 1));
			}
			ret[r] += most;
		}
	}
	return ret;
}

/* By row: all that it has on a side, the squares of its samples, and its jumps. */
async function tally(n, spread, side, slice) {
	const { ids, ends } = selection.intervals ||= byInterval(), { amount, count } = data.now.event;
	const jumps = LEVELS.map((width) => new Jumps(n, width)), [finest, ...coarser] = jumps;
	const ret = { total: new Float64Array(n), jumps, all: 0, allSquares: 0 };
	const one = data.factor[side] * data.mean[side], weighed = data.weighted && new Sums(n);
	for (let k = 0; k < INTERVALS; k++) {
		const sums = finest.now;
		for (let e = ends[side * INTERVALS + k]; e < ends[side * INTERVALS + k + 1]; e++) {
			const i = ids[e], square = amount[i] ** 2 / count[i];
			if (!amount[i])
				continue;
			finest.all += amount[i];
			spread(i, amount[i], sums);
			if (weighed)
				spread(i, square, weighed);
			ret.allSquares += weighed ? square : amount[i] * one;
			if (!(e & 1023) && slice.over())
				await slice.next();
		}
		ret.all += finest.all;
		for (let r = 0; r < sums.n; r++)
			ret.total[sums.rows[r]] += sums.sum[sums.rows[r]];
		for (const level of coarser)
			level.add(sums, finest.all);
		for (const level of jumps)
			if (k % level.width == level.width - 1)
				level.end(k < level.width);
		if (slice.over())
			await slice.next();
	}
	ret.squares = weighed ? weighed.sum : ret.total.map((v) => v * one);
	return ret;
}

/* To the rows of a tree: leaf says to which each event belongs. */
const spreadUp = (up, leaf) => (i, amount, sums) => {
	let at = leaf(i);
	for (; at; at = up[at])
		sums.add(at, amount);
	sums.add(0, amount);
};

/* To rows of functions: self of each, then total. */
function spreadFunctions() {
	const { up, label, of } = trie, { stack } = data.now.event, outer = outermostNodes();
	return (i, amount, sums) => {
		let at = of[stack[i]];
		if (at)
			sums.add(label[at], amount);
		for (; at; at = up[at])
			if (outer[at])
				sums.add(labels.n + label[at], amount);
	};
}

/*
 * Of both together, and the older part: { old, now, delta, error, deviations }. Whether it may
 * be chance is asked with a variance that is at least what it would be if both had one value.
 */
function difference(both, old, variance = 0) {
	const now = Math.max(0, both - old), [fn, fo] = data.factor, [mn, mo] = data.mean;
	const ones = (fn * mn) ** 2 + (fo * mo) ** 2, value = (now / fn + old / fo) / (1 / fn + 1 / fo);
	const least = now * fn * mn + old * fo * mo + ones, delta = now - old;
	const same = (data.shares ? value * (1 - value) : value) * (fn * mn + fo * mo) + ones;
	return { old, now, delta, error: CERTAIN * Math.sqrt(variance || least),
		deviations: Math.abs(delta) / Math.sqrt(Math.max(variance || least, same)) };
}

const nodeDifference = (t, i) => difference(t.total[i], t.totalWeight[i], t.variance?.[i]);

/* After the trees are made: the errors of boxes and rows, and which of them differ. */
async function judgeAll(trees, slice) {
	const { event } = data.now, { listed, others } = selection, { ofCombo, parent } = groups;
	for (const t of trees) {
		if (t.leaf)
			t.variance = await varianceOf(t.n, spreadUp(t.up, (i) => t.leaf[i]), slice);
		t.certain = judge([[t.total, t.totalWeight, t.variance]]);
	}
	const g = await varianceOf(groups.n, spreadUp(parent, (i) => ofCombo[event.combo[i]]), slice);
	const f = await varianceOf(2 * labels.n, spreadFunctions(), slice);
	selection.groupVariance = state.chosen.length ? null : g;
	const { self, total, selfOther, totalOther } = functionCosts();
	selection.functionDiffs = Array.from({ length: labels.n }, (_, l) => ({
		total: difference(total[l], totalOther[l], f[labels.n + l]),
		self: difference(self[l], selfOther[l], f[l]) }));
	selection.certain = judge([[self, selfOther, f], [total, totalOther, f.subarray(labels.n)],
		[listed, others, g]]);
}

/*
 * Of many rows, some are beyond their error by chance. So which ones are called different is
 * decided over all, by Benjamini and Hochberg's procedure, as the text does: returns how many
 * standard deviations a delta has to be. Rows that have too few samples to differ do not count.
 */
function judge(columns) {
	const [fn, fo] = data.factor, [mn, mo] = data.mean, found = [];
	for (const [both, old, variance] of columns)
		for (let i = 0; i < both.length; i++)
			if ((both[i] - old[i]) / (fn * mn) + old[i] / (fo * mo) >= 6 - 1e-6)
				found.push(difference(both[i], old[i], variance?.[i]).deviations);
	const sorted = Float64Array.from(found).sort().reverse();
	for (let k = sorted.length; k > 0; k--)
		if (tail(sorted[k - 1]) <= 0.05 * k / sorted.length)
			return Math.max(CERTAIN, sorted[k - 1]);
	return Infinity;
}

/* The probability that chance goes so many standard deviations to either side. */
function tail(z) {
	const x = z / Math.SQRT2, k = 1 / (1 + 0.3275911 * x);
	return k * (0.254829592 + k * (-0.284496736 + k * (1.421413741 + k * (-1.453152027 +
		k * 1.061405429)))) * Math.exp(-x * x);
}

/* The sign of a difference; 0: within the error. */
const direction = (d, certain) => d.deviations >= certain ? Math.sign(d.delta) : 0;

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
	return data.isTime ? `${(v * data.worth / 1e9).toFixed(3)}` : `${v.toFixed(2)}/s`;
}
const rateUnit = () => data.shares ? " of all" : !data.isTime ? "" : data.kind == "CPU" ? " CPUs" : " s/s";
const change = (d) => `${d.delta < 0 ? "−" : "+"}${rate(Math.abs(d.delta))}`;

function diffFigures({ pane, node }) {
	const t = pane.tree, d = nodeDifference(t, node);
	const percent = d.old ? ` (${d.delta < 0 ? "−" : "+"}${(100 * Math.abs(d.delta) / d.old).toFixed(1)}%)` : " (new)";
	return `${rate(d.old)} → ${rate(d.now)}${rateUnit()} · ${change(d)} ± ${rate(d.error)}` +
		(direction(d, t.certain) ? percent : " · within the sampling error");
}
