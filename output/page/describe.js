/* What is said about a box: in the card beside the pointer, and in the line below the graph. */

function groupFacts(g, withCount = true) {
	const { side } = groups, { goroutine } = side, rows = [];
	for (const c of groups.combos[g])
		rows.push(side.combos[c].goroutine);
	const one = (texts) => {
		const all = new Set(rows.map((row) => texts[row]));
		return all.size == 1 ? [...all][0] : "";
	};
	const creator = one(goroutine.creator), words = one(goroutine.labels);
	return [withCount && groups.goroutines[g] ? count(groups.goroutines[g], "goroutine") : "",
		cutLong(words, 200), creator && `created by ${cutLong(creator)}`].filter(Boolean).join(" · ");
}

/* "main.go:66 (80%), :70": where the samples of a node are. */
function linesOf(pane, node) {
	const t = pane.tree, label = t.label[node], f = labels.func[label], lines = new Map();
	const { stack } = data.now, total = stackTotals();
	const same = state.mode == "graph" ? (row) => trie.of[row] == t.at[node]
		: (row) => data.frame.func[stack.frame[row]] == f;
	let sum = 0;
	for (let row = 1; row < total.length; row++) {
		if (!total[row] || !same(row) || data.frame.func[stack.frame[row]] != f)
			continue;
		const line = data.frame.line[stack.frame[row]];
		lines.set(line, (lines.get(line) || 0) + total[row]);
		sum += total[row];
	}
	lines.delete(0);
	return [...lines].sort((a, b) => b[1] - a[1]).slice(0, 3)
		.map(([line, n]) => lines.size == 1 ? `${line}` : `${line} (${share(n, sum)})`);
}

/* By row of stacks, of the selected samples. */
function stackTotals() {
	if (!selection.stacks) {
		const { event, stack } = data.now, self = new Float64Array(stack.up.length);
		for (const i of selection.ids)
			self[event.stack[i]] += amountOf(i);
		selection.stacks = addUp(stack.up, self.length, self);
	}
	return selection.stacks;
}

function placeText({ pane, node }) {
	const label = pane.tree.label[node], { func } = data;
	if (label < 0)
		return ~label && ~label < groups.n ? groupFacts(~label) : "";
	const f = labels.func[label], file = func.file[f];
	if (!file)
		return func.module[f];
	const lines = labels.lines ? [`${data.frame.line[label]}`] : linesOf(pane, node);
	return `${file}:${lines.length ? lines.join(", ") : func.line[f]}`;
}

function figures({ pane, node }) {
	if (data.old)
		return diffFigures({ pane, node });
	const t = pane.tree, root = t.total[0];
	const parts = [`${worth(t.total[node])} ${data.kind}`, share(t.total[node], root)];
	if (pane.zoom && t.depth[node] > t.depth[pane.zoom])
		parts.push(`${share(t.total[node], t.total[pane.zoom])} of the zoomed`);
	if (root != selection.all)
		parts.push(`${share(t.total[node], selection.all)} of all`);
	parts.push(count(samplesOf(t, node), "sample"));
	if (t.self[node] && t.self[node] != t.total[node] && !pane.flip)
		parts.push(`${worth(t.self[node])} of its own`);
	if (t.cut?.has(t.at[node]) && t.first[node] < 0)
		parts.push("too small here for its callers: f shows them");
	return parts.join(" · ");
}

function kindText({ pane, node }) {
	const label = pane.tree.label[node];
	if (label < 0)
		return ~label ? "Group" : "";
	const inlined = labels.lines && data.frame.inlined[label];
	return data.kinds[labels.kind[label]] + (inlined ? ", inlined" : "");
}

/* Fills the card or the line. */
function describe(box, place) {
	if (!place?.pane || !isCurrent())
		return;
	const texts = { name: cutLong(nodeText(place.pane.tree, place.node)), place: cutLong(placeText(place)),
		kind: kindText(place), numbers: figures(place) };
	for (const [part, text] of Object.entries(texts))
		box.querySelector(`.${part}`).textContent = text;
	box.querySelector("i").style.background = colourOf(place.pane.tree, place.node);
}

function hover(event) {
	const place = event ? nodeAt(event) : null, tip = byId("tip"), mark = byId("mark");
	tip.hidden = mark.hidden = !place;
	canvas.style.cursor = place ? "pointer" : "default";
	if (!place)
		return;
	const box = boxOf(place.pane, place.node), below = event.clientY + 18;
	describe(tip, place);
	Object.assign(mark.style, { left: `${box.left}px`, top: `${box.top}px`,
		width: `${Math.max(3, box.width)}px`, height: `${ROW - 1}px` });
	const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
	tip.style.left = `${Math.max(4, left)}px`;
	tip.style.top = `${below + tip.offsetHeight > innerHeight
		? event.clientY - tip.offsetHeight - 10 : below}px`;
}
