/* What the rows of the list have in the frame that is zoomed, or that of the sandwich: in its
 * function, or line, whatever calls it. */

let listedFrame = -1;	/* the label that the list shows */

function frameLabel() {
	const pane = panes.find((p) => p.zoom) || panes[panes.length - 1];
	return data.old || !pane ? -1 : Math.max(-1, pane.tree.label[pane.zoom]);
}

/* { label, inside (by node of the trie), groups, goroutines (made when asked for) } */
function frameCosts() {
	const label = frameLabel(), { event } = data.now, { ids, starts } = selection.rows;
	if (label < 0 || selection.frame?.label == label)
		return label < 0 ? null : selection.frame;
	const inside = new Uint8Array(trie.n), sums = new Float64Array(groups.n);
	for (let i = 1; i < trie.n; i++)
		inside[i] = trie.label[i] == label || inside[trie.up[i]];
	for (let g = groups.n - 1; g >= 0; g--) {
		for (let e = starts[g]; e < starts[g + 1]; e++)
			sums[g] += inside[trie.of[event.stack[ids[e]]]] && amountOf(ids[e]);
		if (g)
			sums[groups.parent[g]] += sums[g];
	}
	return selection.frame = { label, inside, groups: sums, goroutines: new Map() };
}

/* By goroutine of a group. */
function goroutinesInFrame(g) {
	const { event, goroutine } = data.now, { ids, starts } = selection.rows, frame = frameCosts();
	if (frame && !frame.goroutines.has(g)) {
		const costs = new Float64Array(goroutine.first.length);
		for (let e = starts[g]; e < starts[g + 1]; e++)
			costs[goroutine.id[event.goroutine[ids[e]]]] +=
				frame.inside[trie.of[event.stack[ids[e]]]] && amountOf(ids[e]);
		frame.goroutines.set(g, costs);
	}
	return frame?.goroutines.get(g);
}

/* Shows the column while there is a frame. */
function showFrameColumn() {
	const label = listedFrame = frameLabel(), box = byId("groups");
	box.classList.toggle("framed", label >= 0);
	if (label >= 0)
		box.querySelector(".head .frame button").title =
			`In ${labels.text[label]}, whatever calls it. Sort by it`;
	else if (groupSort == "frame")
		groupSort = "cost";
}
