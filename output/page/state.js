/*
 * What is shown: `state` is what the user chose, and what the fragment says; `selection`
 * are the samples that are left, and `panes` the trees that are drawn. update() makes the
 * later ones from the earlier ones.
 */

const state = {
	by: [],		/* keys of groups */
	boxes: true,	/* groups have boxes in the graph */
	chosen: [],	/* { g, id }: groups, or goroutines (id, else -1) in them; none: all */
	time: null,	/* [from, to] in cells; null: all */
	base: null,	/* of the baseline that it is compared with */
	hidden: 0,	/* bits of kinds */
	removed: [],	/* { row, g }: stacks that begin with that of the row, in a group; 0: all */
	lines: false,
	flame: false,	/* the root is at the bottom */
	heat: false,	/* the strip is a heat map */
	mode: "graph",	/* or "reverse", "sandwich" */
	label: -1,	/* of the sandwich */
	query: "",
	tab: "groups",	/* or "functions" */
	missing: [],	/* what the link names and this recording does not have */
};

let selection;
/* { tree, flip (callers, above their function), x, span (what is in sight), zoom (a node) } */
let panes = [];
let focused = { pane: null, node: 0 };

/* What the panes, the selection and the list were made from. While newer ones are made, the
 * picture stays as it is, and nothing that is on it can be named or chosen. */
let shownOf = {};
const isCurrent = () => shownOf.groups == groups && shownOf.labels == labels && shownOf.now == data.now;

/* Per combo: is it in one of the groups? null: no matter. */
function combosIn(chosen) {
	if (!chosen.length)
		return null;
	const { combos, goroutine } = data.now;
	return Uint8Array.from(combos, (combo, c) => chosen.some(({ g, id }) =>
		groupIn(groups.ofCombo[c], g) && (id < 0 || goroutine.id[combo.goroutine] == id)));
}

/* Per event: is it removed? null: none is. */
function removedEvents() {
	const { event } = data.now;
	if (!state.removed.length)
		return null;
	const out = new Uint8Array(event.n), below = new Uint8Array(trie.n);
	for (const { row, g } of state.removed) {
		const node = trie.of[row], inGroup = combosIn([{ g, id: -1 }]);
		below.fill(0);
		for (let i = 0; i < trie.n; i++)
			below[i] = i == node || (i && below[trie.up[i]]);
		for (let i = 0; i < event.n; i++)
			out[i] |= below[trie.of[event.stack[i]]] & inGroup[event.combo[i]];
	}
	return out;
}

/* The worth of an event, in what boxes are as wide as. */
const amountOf = (i) => data.now.event.amount[i];

function select() {
	const { event } = data.now, { ofCombo } = groups, removed = removedEvents();
	const wanted = combosIn(state.chosen), [from, to] = !data.old && state.time || [0, Infinity];
	const listed = new Float64Array(groups.n), others = new Float64Array(groups.n);
	const sizes = new Float64Array(groups.n);
	const take = new Uint8Array(event.n);	/* 1: it is listed, 2: also chosen */
	let all = 0, total = 0, weights = 0;
	for (let i = 0; i < event.n; i++) {
		const g = ofCombo[event.combo[i]], amount = amountOf(i);
		all += amount;
		if (event.time[i] < from || event.time[i] >= to || (removed && removed[i]))
			continue;
		listed[g] += amount;
		others[g] += event.other[i];
		take[i] = 1;
		if (wanted && !wanted[event.combo[i]])
			continue;
		sizes[g] += amount;
		total += amount;
		weights += event.other[i];
		take[i] = 2;
	}
	const rows = eventsByGroup(take, 1), { ids, starts } = wanted ? eventsByGroup(take, 2) : rows;
	for (let g = groups.n - 1; g > 0; g--)
		listed[groups.parent[g]] += listed[g], others[groups.parent[g]] += others[g];
	selection = { ids, leaves: starts, rows, sizes, listed, others, removed, wanted, total, weights, all };
}

/* The events for which take is at least so much, by group; those of g are ids[starts[g]] …,
 * equal stacks side by side. */
function eventsByGroup(take, least) {
	const { event } = data.now, { ofCombo } = groups, order = eventsByStack();
	return sortByRow(order, groups.n, (i) => take[i] >= least ? ofCombo[event.combo[i]] : -1);
}

function eventsByStack() {
	const { event } = data.now, { of } = trie;
	if (event.sorted?.trie != trie)
		event.sorted = { trie, ids: sortByRow(Int32Array.from({ length: event.n }, (_, i) => i), trie.n,
			(i) => of[event.stack[i]]).ids };
	return event.sorted.ids;
}

/* Sorts ids by a row below n; those without one are left out. */
function sortByRow(list, n, rowOf) {
	const starts = new Int32Array(n + 1);
	for (let k = 0; k < list.length; k++)
		starts[rowOf(list[k]) + 1]++;
	starts[0] = 0;
	for (let row = 0; row < n; row++)
		starts[row + 1] += starts[row];
	const put = starts.slice(), ids = new Int32Array(starts[n]);
	for (let k = 0; k < list.length; k++) {
		const row = rowOf(list[k]);
		if (row >= 0)
			ids[put[row]++] = list[k];
	}
	return { ids, starts };
}

/* Everything anew, in slices. Resolves to true when it is drawn, to false when newer work has
 * replaced it. */
function update(keep = true) {
	return updateNow(keep).then(() => true, (error) => {
		if (!(error instanceof Replaced))
			throw error;
		return false;
	});
}

async function updateNow(keep) {
	const start = performance.now(), slice = new Slice();
	document.documentElement.dataset.busy = "yes";
	compareRanges();
	if (!trie || trie.lines != state.lines || trie.hidden != state.hidden)
		await makeTrie(state.lines, state.hidden, slice);
	measured('trie', start);
	if (!groups || `${groups.by}` != `${state.by}`)
		makeGroups(state.by);
	select();
	measured('select', start);
	if (slice.over())
		await slice.next();
	const made = [];
	const names = state.lines ? data.frame.func.length : data.func.name.length;
	if (state.mode == "sandwich" && !(state.label >= 0 && state.label < names))
		state.mode = "graph";
	if (state.mode == "sandwich") {
		made.push({ tree: await callersTree(slice, state.label), flip: true });
		made.push({ tree: await calleesTree(slice, state.label) });
	} else if (state.mode == "reverse") {
		made.push({ tree: await callersTree(slice) });
	} else {
		made.push({ tree: await (state.boxes && state.by.length ? groupedTree : plainTree)(
			selection, slice) });
	}
	measured('tree', start);
	if (data.old)
		await judgeAll(made.map((pane) => pane.tree), slice);
	showPanes(made, keep);
	delete document.documentElement.dataset.busy;
	measured("update", start);
}

/* Zooms to what was zoomed before, where that is still there. */
function showPanes(made, keep) {
	const z = keep && panes[0] && !panes[0].flip ? placeOfNode(panes[0], panes[0].zoom) : null;
	panes = made.map((pane) => ({ flip: false, ...pane, zoom: 0, x: 0,
		span: Math.max(1, pane.tree.total[0]) }));
	focused = { pane: panes[panes.length - 1], node: 0 };
	shownOf = { groups, labels, now: data.now };
	search();
	if (z)
		zoomPlace(z);
	showAll();
}

/* A node by what does not change with the selection: its group, and a stack that it has. */
function placeOfNode(pane, node) {
	const t = pane.tree;
	return node ? { g: t.group[node], row: t.label[node] < 0 ? 0 : trie.row[t.at[node]] } : null;
}

function zoomPlace({ g, row }) {
	const pane = panes[0], t = pane.tree, at = row ? trie.of[row] : 0;
	for (let i = 1; i < t.n; i++) {
		if (t.at[i] != at || (t.grouped && t.group[i] != g) || (row != 0) != (t.label[i] >= 0))
			continue;
		Object.assign(pane, { zoom: i, x: t.x[i], span: Math.max(1, t.total[i]) });
		focused = { pane, node: i };
		return;
	}
}

/* Search */

/* A part of the name, in upper or lower case, or a regular expression between slashes. */
function matcher(query) {
	const regex = /^\/(.+)\/$/.exec(query), part = query.toLowerCase();
	try {
		const r = regex && new RegExp(regex[1], "i");
		return r ? (name) => r.test(name) : (name) => name.toLowerCase().includes(part);
	} catch {
		return () => false;	/* not complete yet */
	}
}

let matches = null;	/* { hit (by label), group (by group), largest }; null without a query */

function search() {
	const start = performance.now();
	matches = null;
	byId("matched").textContent = "";
	if (!state.query)
		return;
	const test = matcher(state.query), hit = Uint8Array.from(labels.text, test);
	const group = Uint8Array.from(groups.value, test), { tree: t } = panes[panes.length - 1];
	const inside = new Uint8Array(t.n);
	let samples = 0, largest = -1;
	for (let i = 0; i < t.n; i++) {
		const label = t.label[i];
		inside[i] = (i ? inside[t.up[i]] : 0) | (label < 0 ? i && group[~label] : hit[label]);
		if (!inside[i] || (i && inside[t.up[i]]))
			continue;
		samples += t.total[i];	/* counted once, even if the name recurs below */
		if (largest < 0 || t.total[i] > t.total[largest])
			largest = i;
	}
	matches = { hit, group, largest };
	byId("matched").textContent = !samples ? "no match"
		: `${share(samples, t.total[0])} matched`;
	byId("matched").title = data.old ? "" : data.weighted ? `${weight(samples)} ${data.kind}` : count(samples, "sample");
	measured("search", start);
}

function isHit(label) {
	return !matches || (label < 0 ? matches.group[~label] : matches.hit[label]) != 0;
}

/* Names and figures of nodes */

function nodeText(t, i) {
	const label = t.label[i];
	return label >= 0 ? labels.text[label] : ~label == groups.n
		? `${number(t.rest)} smaller groups` : groups.value[~label];
}

const worth = (amount) => weight(amount * data.worth);
const samplesOf = (t, i) => data.weighted ? t.totalWeight[i] : t.total[i];
