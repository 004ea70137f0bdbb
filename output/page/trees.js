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

/* Numbers of samples are small enough; weights are not, and in a diff amounts are fractions. */
const amounts = (n) => data.weighted || data.old ? new Float64Array(n) : new Int32Array(n);

/* Columns that grow. */
class Growing {
	constructor(n) {
		this.cap = Math.max(1024, n);
		this.n = 0;
		this.up = new Int32Array(this.cap);
		this.label = new Int32Array(this.cap);
		this.at = new Int32Array(this.cap);
		this.self = amounts(this.cap);
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

/*
 * Numbers the nodes as described above. They are visited depth first, as they were made, since
 * what lies close in memory is fast; each gets the next number of its row.
 */
async function layout(t, slice, extra = {}) {
	const n = t.n, total = addUp(t.up, n, t.self), links = linkNodes(t, n, total), { start } = links;
	const rank = new Int32Array(n), size = start[start.length - 1], ints = () => new Int32Array(size);
	const tree = { n: size, up: ints(), depth: ints(), x: new Float64Array(size), first: ints().fill(-1),
		label: ints(), at: ints(), self: new total.constructor(size), total: new total.constructor(size),
		start, height: start.length - 1, ...extra };
	const todo = { ...links, put: start.slice(), at: new Float64Array(n), stack: new Int32Array(n), top: 1 };
	if (slice.over())
		await slice.next();
	while (todo.top) {
		visitNodes(t, total, todo, rank, tree, 8192);
		if (slice.over())
			await slice.next();
	}
	for (let d = 0; d < tree.height; d++)
		tree.depth.fill(d, start[d], start[d + 1]);
	if (!data.now.plain) {
		tree.selfWeight = byRank(t.weight, rank, total, size);
		tree.totalWeight = byRank(addUp(t.up, n, t.weight), rank, total, size);
	}
	if (t.leaf)
		tree.leaf = t.leaf.map((i) => rank[i]);
	return tree;
}

/* The next nodes, at most so many. A function of its own, since browsers make that faster. */
function visitNodes(t, total, todo, rank, tree, most) {
	const { first, next, depth, put, at, stack } = todo, { up, x, label, self } = tree, below = [];
	let { top } = todo;
	for (; top && most; most--) {
		const i = stack[--top], r = rank[i] = put[depth[i]]++, caller = up[r] = rank[t.up[i]];
		if (r && tree.first[caller] < 0)
			tree.first[caller] = r;
		x[r] = at[i];
		label[r] = t.label[i];
		tree.at[r] = t.at[i];
		self[r] = t.self[i];
		tree.total[r] = total[i];
		below.length = 0;
		for (let c = first[i]; c; c = next[c])
			if (total[c])
				below.push(c);
		if (below.length > 1)
			sortBySize(below, total);
		for (let k = 0, right = at[i]; k < below.length; right += total[below[k++]])
			at[below[k]] = right;
		for (let k = below.length; k--;)
			stack[top++] = below[k];
	}
	todo.top = top;
}

function byRank(column, rank, total, size) {
	const ret = new Float64Array(size);
	for (let i = 0; i < rank.length; i++)
		if (!i || total[i])
			ret[rank[i]] = column[i];
	return ret;
}

/* By node: its first child, the next one of its caller, and its depth; start: where rows begin.
 * What has no samples is left out. */
function linkNodes(t, n, total) {
	const first = new Int32Array(n), next = new Int32Array(n), depth = new Int32Array(n);
	const sizes = [1], start = [0];
	for (let i = n - 1; i > 0; i--) {
		next[i] = first[t.up[i]];
		first[t.up[i]] = i;
	}
	for (let i = 1; i < n; i++) {
		const d = depth[i] = depth[t.up[i]] + 1;
		if (total[i])
			sizes[d] = (sizes[d] || 0) + 1;
	}
	for (const size of sizes)
		start.push(start[start.length - 1] + size);
	return { first, next, depth, start };
}

/* Largest first; equal ones stay in their order. */
function sortBySize(list, size) {
	if (list.length > 32)
		return list.sort((a, b) => size[b] - size[a] || a - b);
	for (let i = 1; i < list.length; i++) {
		const v = list[i];
		let k = i - 1;
		for (; k >= 0 && size[list[k]] < size[v]; k--)
			list[k + 1] = list[k];
		list[k + 1] = v;
	}
	return list;
}

/* The trees of the samples that are selected */

const SEPARATE = 400;		/* at most so many groups have boxes of their own */
const MOST_NODES = 600000;	/* of groups of their own; the rest is one box */

/* Stacks under the boxes of their groups. */
async function groupedTree(selection, slice) {
	const t = new Growing(trie.n), boxes = new Map(), { leaves } = selection;
	const seen = { stamp: new Int32Array(trie.n), place: new Int32Array(trie.n) };
	const order = groupsBySize(selection);
	let rest = 0, separated = 0;
	t.leaf = data.old && new Int32Array(data.now.event.n);
	t.add(0, ~0, 0);
	for (let k = 0; k < order.length; k++) {
		const g = order[k], separate = k < SEPARATE && t.n < MOST_NODES;
		const mark = separate ? k + 1 : order.length + 1;
		separated += separate;
		if (!separate)
			rest ||= t.add(0, ~groups.n, 0);
		const root = separate ? groupNode(t, boxes, g) : rest;
		for (let e = leaves[g]; e < leaves[g + 1]; e += 4096) {
			addStacks(t, selection.ids.subarray(e, Math.min(e + 4096, leaves[g + 1])), seen, mark, root);
			if (slice.over())
				await slice.next();
		}
	}
	return nameGroups(await layout(t, slice, { grouped: true, places: "trie", inRest: order.slice(separated),
		rest: order.length - separated }));
}

const path = new Int32Array(5000);

/* The stacks of these events under the root. place has the nodes of the trie that are there
 * already, where stamp is mark. */
function addStacks(t, ids, { stamp, place }, mark, root) {
	const { event } = data.now, { up, label, of } = trie;
	for (let k = 0; k < ids.length; k++) {
		let at = of[event.stack[ids[k]]], n = 0;
		for (; at && stamp[at] != mark; at = up[at])
			path[n++] = at;
		let node = at ? place[at] : root;
		while (n--) {
			at = path[n];
			stamp[at] = mark;
			node = place[at] = t.add(node, label[at], at);
		}
		addEvent(t, node, ids[k], event);
	}
}

function addEvent(t, node, i, event) {
	t.self[node] += event.amount[i];
	if (t.leaf)
		t.leaf[i] = node;
	if (t.weight.length)	/* not all are the period */
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
	const n = trie.n, self = amounts(n), w = new Float64Array(data.now.plain ? 0 : n);
	const t = { n, up: trie.up, label: trie.label.slice(0, n), at: new Int32Array(n),
		self, weight: w, leaf: data.old && new Int32Array(data.now.event.n) };
	t.label[0] = ~0;
	for (let i = 0; i < n; i++)
		t.at[i] = i;
	addEvents(t, selection.ids);
	if (slice.over())
		await slice.next();
	return nameGroups(await layout(t, slice, { places: "trie" }));
}

/* To the nodes of the trie. */
function addEvents(t, ids) {
	const { event } = data.now, { of } = trie;
	for (let k = 0; k < ids.length; k++)
		addEvent(t, of[event.stack[ids[k]]], ids[k], event);
}

/* By node of the trie: what the selected samples have there. */
function ownCosts() {
	if (!selection.own) {
		selection.own = { self: amounts(trie.n), weight: new Float64Array(trie.n) };
		addEvents(selection.own, selection.ids);
	}
	return selection.own;
}

/*
 * Callers below the functions in which the samples were taken, or below one function. Row by
 * row: `at` has where each stack has been followed to, and those of a box lie side by side.
 * Boxes below a part of the whole are not followed, or there would be a box for each frame
 * of each stack.
 */
const LEAST = 1 / 20000;

async function callersTree(slice, label = -1) {
	const own = ownCosts(), from = label < 0 ? own : { self: addUp(trie.up, trie.n, own.self),
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

async function calleesTree(slice, label) {
	const own = ownCosts(), t = new Growing(1024), children = new Children(t, 1024), top = outermost(label);
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
