/*
 * Trees. The trie has a node for each different stack of labels, whatever the group: up,
 * label, and of[], which maps rows of stacks to nodes. Parents come before their children.
 * A label is a function, or with lines a row of frames.
 *
 * A tree is what is drawn. layout() numbers its nodes row by row, each row from left to
 * right; row d is start[d] … start[d + 1] - 1. Its columns by node: up, label (below 0: ~label
 * is a group), at (the node of the trie, if there is one), self, total, x, depth, first (its
 * largest child). Numbers count samples, so a box is as wide as its samples; weights of their
 * own, if there are, are in selfWeight and totalWeight. For kinds of events without a period
 * it is the other way round.
 */

let trie, labels;

function makeLabels(lines) {
	const { func, frame } = data, made = data.labels ||= new Map();
	const line = (f) => frame.line[f] ? `:${frame.line[f]}` : "";
	const texts = (of) => Array.from(frame.func, (f, i) => of[f] + line(i));
	if (!made.has(lines))
		made.set(lines, lines ? { lines, n: frame.func.length, text: texts(func.name),
			brief: texts(func.brief), bare: texts(func.bare), names: [],
			kind: Uint8Array.from(frame.func, (f) => func.kind[f]), func: frame.func }
		: { lines, n: func.name.length, text: func.name, brief: func.brief, bare: func.bare,
			names: [], kind: func.kind, func: Int32Array.from(func.name, (_, f) => f) });
	return made.get(lines);
}

/* Columns that grow. */
class Growing {
	constructor(n) {
		this.cap = Math.max(1024, n);
		this.n = 0;
		this.up = new Int32Array(this.cap);
		this.label = new Int32Array(this.cap);
		this.at = new Int32Array(this.cap);
		this.self = new Float64Array(this.cap);
		this.weight = new Float64Array(data.now.plain ? 0 : this.cap);
	}
	add(up, label, at) {
		if (this.n == this.cap) {
			this.cap *= 2;
			for (const name of ["up", "label", "at", "self", "weight"]) {
				const old = this[name];
				this[name] = new old.constructor(old.length && this.cap);
				this[name].set(old);
			}
		}
		this.up[this.n] = up;
		this.label[this.n] = label;
		this.at[this.n] = at;
		return this.n++;
	}
}

/* Finds the child of a node by its label, where no other code adds nodes: a hash table of our
 * own, since Map is too slow. */
class Children {
	constructor(nodes, expected) {
		this.nodes = nodes;
		this.resize(2 ** Math.ceil(Math.log2(2 * expected + 64)));
	}
	resize(size) {
		this.mask = size - 1;
		this.slots = new Int32Array(size);
		for (let i = 1; i < this.nodes.n; i++)
			this.slots[this.find(this.nodes.up[i], this.nodes.label[i])] = i;
	}
	find(up, label) {
		const { up: ups, label: labels } = this.nodes, { slots, mask } = this;
		let slot = Math.imul(up, 0x9e3779b1) ^ Math.imul(label, 0x85ebca6b), i;
		slot = (slot ^ slot >>> 15) & mask;
		while ((i = slots[slot]) && (ups[i] != up || labels[i] != label))
			slot = slot + 1 & mask;
		return slot;
	}
	get(up, label, at = 0) {
		let slot = this.find(up, label);
		if (this.slots[slot])
			return this.slots[slot];
		if (2 * this.nodes.n > this.mask) {
			this.resize(2 * (this.mask + 1));
			slot = this.find(up, label);
		}
		return this.slots[slot] = this.nodes.add(up, label, at);
	}
}

/* hidden: bits of kinds whose frames are left out; their time counts for the callers. */
async function makeTrie(lines, hidden, slice) {
	const { stack } = data.now, { frame } = data, n = stack.up.length;
	const nodes = new Growing(n), of = new Int32Array(n), children = new Children(nodes, n);
	const made = makeLabels(lines);
	nodes.add(0, 0, 0);
	for (let i = 1; i < n; i++) {
		const label = lines ? stack.frame[i] : frame.func[stack.frame[i]];
		const up = of[stack.up[i]];
		of[i] = hidden >> made.kind[label] & 1 ? up : children.get(up, label, i);
		if (!(i & 8191) && slice.over())
			await slice.next();
	}
	labels = made;
	lit = null;
	trie = { n: nodes.n, up: nodes.up, label: nodes.label, row: nodes.at, of, lines, hidden };
}

/* Adds up, from the leaves to the root. */
function addUp(up, n, column) {
	const total = column.slice(0, n);
	for (let i = n - 1; i > 0; i--)
		total[up[i]] += total[i];
	return total;
}

/* Numbers the nodes as described above. */
async function layout(t, slice, extra = {}) {
	const n = t.n, total = addUp(t.up, n, t.self);
	const weights = data.now.plain ? null : addUp(t.up, n, t.weight);
	const end = new Int32Array(n + 1), child = new Int32Array(n);
	for (let i = 1; i < n; i++)
		end[t.up[i] + 1]++;
	for (let i = 0; i < n; i++)
		end[i + 1] += end[i];
	const put = end.slice();	/* children of i: child[end[i]] … child[end[i + 1] - 1] */
	for (let i = 1; i < n; i++)
		child[put[t.up[i]]++] = i;
	if (slice.over())
		await slice.next();
	const old = new Int32Array(n), up = new Int32Array(n), depth = new Int32Array(n);
	const x = new Float64Array(n), first = new Int32Array(n).fill(-1), start = [0];
	for (let r = 0, tail = 1; r < n; r++) {
		const i = old[r], from = end[i], to = end[i + 1];
		if (r && depth[r] != depth[r - 1])
			start.push(r);
		if (to - from > 1)
			sortBySize(child, from, to, total);
		let right = x[r];
		for (let c = from; c < to; c++) {
			if (!total[child[c]])
				continue;
			if (first[r] < 0)
				first[r] = tail;
			old[tail] = child[c];
			up[tail] = r;
			depth[tail] = depth[r] + 1;
			x[tail] = right;
			right += total[child[c]];
			tail++;
		}
		if (r == tail - 1) {	/* what has no samples is left out */
			return finishLayout({ n: tail, old, up, depth, x, first, start, t, total, weights,
				extra });
		}
		if (!(r & 8191) && slice.over())
			await slice.next();
	}
}

function finishLayout({ n, old, up, depth, x, first, start, t, total, weights, extra }) {
	const moved = (column, type = column.constructor) => {
		const ret = new type(n);
		for (let r = 0; r < n; r++)
			ret[r] = column[old[r]];
		return ret;
	};
	const cut = (column) => column.subarray(0, n);
	const tree = { n, up: cut(up), depth: cut(depth), x: cut(x), first: cut(first),
		label: moved(t.label), at: moved(t.at), self: moved(t.self), total: moved(total),
		selfWeight: weights && moved(t.weight), totalWeight: weights && moved(weights),
		start: [...start, n], height: start.length, ...extra };
	if (t.leaf) {
		const rank = new Int32Array(t.n);
		old.subarray(0, n).forEach((i, r) => { rank[i] = r; });
		tree.leaf = t.leaf.map((i) => rank[i]);
	}
	return tree;
}

/* Largest first; equal ones stay in their order. */
function sortBySize(list, from, to, size) {
	if (to - from < 32) {
		for (let i = from + 1; i < to; i++) {
			const v = list[i];
			let k = i - 1;
			for (; k >= from && size[list[k]] < size[v]; k--)
				list[k + 1] = list[k];
			list[k + 1] = v;
		}
		return;
	}
	list.subarray(from, to).sort((a, b) => size[b] - size[a] || a - b);
}

/* The trees of the samples that are selected */

const SEPARATE = 400;		/* at most so many groups have boxes of their own */
const MOST_NODES = 800000;	/* of groups of their own; the rest is one box */

/* Stacks under the boxes of their groups. */
async function groupedTree(selection, slice) {
	const { event } = data.now, { ids } = selection;
	const t = new Growing(trie.n), boxes = new Map(), stamp = new Int32Array(trie.n);
	const place = new Int32Array(trie.n), path = new Int32Array(5000), leaves = selection.leaves;
	const order = groupsBySize(selection);
	let rest = 0, separated = 0;
	t.leaf = data.old && new Int32Array(event.n);
	t.add(0, ~0, 0);
	for (let k = 0; k < order.length; k++) {
		const g = order[k], separate = k < SEPARATE && t.n < MOST_NODES;
		const mark = separate ? k + 1 : order.length + 1;
		separated += separate;
		if (!separate)
			rest ||= t.add(0, ~groups.n, 0);
		const root = separate ? groupNode(t, boxes, g) : rest;
		for (let e = leaves[g]; e < leaves[g + 1]; e++) {
			const i = ids[e];
			let at = trie.of[event.stack[i]], n = 0;
			for (; at && stamp[at] != mark; at = trie.up[at])
				path[n++] = at;
			let node = at ? place[at] : root;
			while (n--) {
				at = path[n];
				stamp[at] = mark;
				node = place[at] = t.add(node, trie.label[at], at);
			}
			addEvent(t, node, i);
			if (!(e & 4095) && slice.over())
				await slice.next();
		}
	}
	return nameGroups(await layout(t, slice, { grouped: true, places: "trie", inRest: order.slice(separated),
		rest: order.length - separated }));
}

function addEvent(t, node, i) {
	const { event } = data.now;
	t.self[node] += event.amount[i];
	if (t.leaf)
		t.leaf[i] = node;
	if (!data.now.plain)
		t.weight[node] += event.other[i];
}

/* The box of the group, in those of the groups that it is in. */
function groupNode(t, boxes, g) {
	if (g && !boxes.has(g))
		boxes.set(g, t.add(groupNode(t, boxes, groups.parent[g]), ~g, 0));
	return g && boxes.get(g);
}

function groupsBySize(selection) {
	const { sizes, leaves } = selection, order = [];
	for (let g = 0; g < groups.n; g++)
		if (sizes[g] || leaves?.[g + 1] > leaves?.[g])	/* samples may weigh nothing */
			order.push(g);
	return order.sort((a, b) => sizes[b] - sizes[a] || a - b);
}

/* By node: the innermost group around it. */
function nameGroups(tree) {
	const group = new Int32Array(tree.n);
	for (let i = 1; i < tree.n; i++)
		group[i] = tree.label[i] < 0 ? ~tree.label[i] : group[tree.up[i]];
	return Object.assign(tree, { group });
}

/* Stacks without groups: as the trie. */
async function plainTree(selection, slice) {
	const n = trie.n, self = new Float64Array(n), w = new Float64Array(n);
	const t = { n, up: trie.up, label: trie.label.slice(0, n), at: new Int32Array(n),
		self, weight: w, leaf: data.old && new Int32Array(data.now.event.n) };
	t.label[0] = ~0;
	for (let i = 0; i < n; i++)
		t.at[i] = i;
	for (const i of selection.ids)
		addEvent(t, trie.of[data.now.event.stack[i]], i);
	if (slice.over())
		await slice.next();
	return nameGroups(await layout(t, slice, { places: "trie" }));
}

/* By node of the trie: what the selected samples have there. */
function trieSelf(selection) {
	const t = { self: new Float64Array(trie.n), weight: new Float64Array(trie.n) };
	for (const i of selection.ids)
		addEvent(t, trie.of[data.now.event.stack[i]], i);
	return t;
}

/*
 * Callers below the functions in which the samples were taken, or below one function. Row by
 * row: `at` has where each stack has been followed to, and those of a box lie side by side.
 * Boxes below a part of the whole are not followed, or there would be a box for each frame
 * of each stack.
 */
const LEAST = 1 / 20000;

async function callersTree(own, slice, label = -1) {
	const from = label < 0 ? own : { self: addUp(trie.up, trie.n, own.self),
		weight: addUp(trie.up, trie.n, own.weight) };
	const top = label < 0 ? null : outermost(label), t = new Growing(1024), cut = new Set();
	const stacks = [];
	let whole = 0;
	for (let i = 1; i < trie.n; i++)
		if (from.self[i] && (!top || top[i] == 2)) {
			stacks.push(i);
			whole += from.self[i];
		}
	t.add(0, label < 0 ? ~0 : label, 0);
	if (!top) {	/* samples without a stack */
		t.self[0] = from.self[0];
		t.weight[0] = from.weight[0];
	}
	let rows = { stack: Int32Array.from(stacks), boxes: [[0, 0, stacks.length]] };
	let at = top ? rows.stack.map((i) => trie.up[i]) : rows.stack.slice();
	while (rows.boxes.length) {
		({ rows, at } = followCallers(t, rows, at, from, whole * LEAST, cut));
		if (slice.over())
			await slice.next();
	}
	return nameGroups(await layout(t, slice, { cut }));
}

/* The next row: each box is [node, from, to], of stacks and at. */
function followCallers(t, { stack, boxes }, at, from, least, cut) {
	const child = new Map(), next = [], order = new Int32Array(stack.length);
	let n = 0;
	for (const [node, begin, end] of boxes) {
		let total = 0;
		for (let k = begin; k < end; k++)
			total += from.self[stack[k]];
		child.clear();
		if (node && total < least)
			cut.add(t.at[node]);
		for (let k = begin; k < end; k++) {
			const i = stack[k], label = trie.label[at[k]];
			if (!at[k] || (node && total < least)) {	/* it ends here */
				t.self[node] += from.self[i];
				t.weight[node] += from.weight[i];
				continue;
			}
			if (!child.has(label))
				child.set(label, { node: t.add(node, label, at[k]), stacks: [] });
			child.get(label).stacks.push(k);
		}
		for (const { node: of, stacks } of child.values()) {
			next.push([of, n, n + stacks.length]);
			for (const k of stacks)
				order[n++] = k;
		}
	}
	const moved = Int32Array.from({ length: n }, (_, k) => stack[order[k]]);
	const ups = Int32Array.from({ length: n }, (_, k) => trie.up[at[order[k]]]);
	return { rows: { stack: moved, boxes: next }, at: ups };
}

/* By node of the trie: is none of its callers the same function? */
function outermostNodes() {
	const { n, up, label } = trie;
	if (trie.outer)
		return trie.outer;
	const outer = trie.outer = new Uint8Array(n);
	for (let i = 1; i < n; i++) {
		let at = up[i];
		while (at && label[at] != label[i])
			at = up[at];
		outer[i] = !at;
	}
	return outer;
}

/* By node of the trie: 2 where the label comes first on the way from the root, 1 below. */
function outermost(label) {
	const top = new Uint8Array(trie.n);
	for (let i = 1; i < trie.n; i++)
		top[i] = top[trie.up[i]] ? 1 : trie.label[i] == label ? 2 : 0;
	return top;
}

async function calleesTree(own, slice, label) {
	const t = new Growing(1024), children = new Children(t, 1024), top = outermost(label);
	const place = new Int32Array(trie.n), total = addUp(trie.up, trie.n, own.self);
	t.add(0, label, 0);
	for (let i = 1; i < trie.n; i++) {
		if (!top[i] || !total[i])
			continue;
		const node = top[i] == 2 ? 0 : children.get(place[trie.up[i]], trie.label[i]);
		place[i] = node;
		t.self[node] += own.self[i];
		t.weight[node] += own.weight[i];
		if (!(i & 4095) && slice.over())
			await slice.next();
	}
	return nameGroups(await layout(t, slice));
}
