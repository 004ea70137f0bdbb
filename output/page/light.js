/* The row of a list that the pointer or the keyboard is on: its boxes stay, the others fade. */

let lit = null;		/* { g, id } of a group or goroutine, or { label } of a function */

function light(item) {
	const next = item && (item.label >= 0 ? { label: item.label } : { g: item.g, id: item.id });
	if (JSON.stringify(next) == JSON.stringify(lit))
		return;
	lit = next;
	redraw();
}

/* By node: is it lit? null: all are, since none or nothing of the row is in the graph. */
function litNodes(pane) {
	if (!lit)
		return null;
	if (pane.litOf != lit) {
		const t = pane.tree;
		pane.litOf = lit;
		pane.lit = lit.label >= 0 ? Uint8Array.from(t.label, (label) => label == lit.label)
			: !selection.sizes.some((size, g) => size && groupIn(g, lit.g)) ? null
			: t.places == "trie" ? litInTrie(t) : litByNames(pane);
	}
	return pane.lit;
}

/* By node of the trie: what the selected samples of the lit row have there. */
function litSelf() {
	const { event } = data.now, wanted = combosIn([lit]), self = new Float64Array(trie.n);
	for (const i of selection.ids)
		if (wanted[event.combo[i]])
			self[trie.of[event.stack[i]]] += event.count[i];
	return self;
}

/* Boxes that stand for nodes of the trie. */
function litInTrie(t) {
	const total = addUp(trie.up, trie.n, litSelf()), out = new Uint8Array(t.n);
	const inside = Uint8Array.from({ length: groups.n + 1 }, (_, g) => g == groups.n
		? t.grouped && t.inRest.some((of) => groupIn(of, lit.g)) : groupIn(g, lit.g));
	for (let i = 0; i < t.n; i++)
		out[i] = total[t.at[i]] > 0 && (!t.grouped || inside[t.group[i]] ||
			(t.label[i] < 0 && groupIn(lit.g, t.group[i])));
	return out;
}

/* Callers and callees: follows the stacks of the row from the root of the tree. */
function litByNames(pane) {
	const { tree: t } = pane, out = new Uint8Array(t.n), children = new Children(t, t.n);
	const child = (node, label) => children.slots[children.find(node, label)];
	const self = litSelf(), top = state.mode == "sandwich" ? outermost(state.label) : null;
	const total = top ? addUp(trie.up, trie.n, self) : self, place = new Int32Array(trie.n);
	out[0] = 1;
	for (let i = 1; i < trie.n; i++) {
		if (!total[i] || (top && !top[i]))
			continue;
		if (top && !pane.flip) {
			place[i] = top[i] == 2 ? 0 : child(place[trie.up[i]], trie.label[i]);
			out[place[i]] = 1;
			continue;
		}
		if (top && top[i] == 1)
			continue;
		for (let at = top ? trie.up[i] : i, node = 0; at; at = trie.up[at]) {
			node = child(node, trie.label[at]);
			if (!node)	/* not followed further */
				break;
			out[node] = 1;
		}
	}
	return out;
}
