/* The fragment of the address tells what is shown: a link opens the same view. */

/* Changes what is shown, by the user. how: "pushState" if Back shall undo it. */
async function set(changes, how = "replaceState", keep = true) {
	if (changes.by) {
		open.clear();
		changes.chosen = [];
		changes.removed = state.removed.filter(({ g }) => !g);
	}
	Object.assign(state, changes);
	await update(keep);
	changed(how);
}

const listOf = (text) => text ? text.split(",") : [];
const integer = (text, below) => /^\d{1,15}$/.test(text) && Number(text) < below ? Number(text) : -1;

function writeFragment() {
	const p = new URLSearchParams(), s = state, pane = panes[0];
	const z = pane && s.mode != "sandwich" ? pane.zoom : 0;
	const put = (name, on, value) => { if (on) p.set(name, value); };
	put("by", `${s.by}` != `${data.by}`, s.by.join(",") || "none");
	put("boxes", !s.boxes, "0");
	put("g", s.chosen.length, s.chosen.map(({ g, id }) => id < 0 ? g : `${g}.${id}`).join(","));
	put("t", s.time, s.time?.join("-"));
	put("d", s.base, s.base?.join("-"));
	put("k", s.hidden, s.hidden);
	put("r", s.removed.length, s.removed.map(({ row, g }) => `${row}.${g}`).join(","));
	put("l", s.lines, "1");
	put("heat", s.heat, "1");
	put("up", s.flame, "1");
	put("m", s.mode == "reverse", "reverse");
	put("f", s.mode == "sandwich", s.label);
	put("tab", s.tab != "groups", s.tab);
	put("q", s.query, s.query);
	if (z && s.mode == "graph") {
		const { g, row } = placeOfNode(pane, z);
		p.set("z", `${g}.${row}`);
	}
	return `#${p}`.replace(/%2C/g, ",").replace(/%3A/g, ":");
}

/* It does not follow each letter typed: browsers limit how often it changes. */
let saving, shown;
function changed(how) {
	const hash = writeFragment();
	clearTimeout(saving);
	if (hash != (location.hash || "#"))
		saving = setTimeout(() => {
			history[how](null, "", hash);
			shown = location.hash;
		}, how == "pushState" ? 0 : 200);
	if (focused.pane)
		describe(byId("details"), focused);
	if (frameLabel() != listedFrame && state.tab == "groups")
		showList();
	showChips();
}

/* "row.group" */
function pairOf(text, first, second) {
	const [a, b = ""] = text.split("."), pair = [integer(a, first), integer(b, second)];
	return pair;
}

/* "from-to"; null: it is none. The times of two recordings have nothing to do with each other. */
function rangeOf(text) {
	const [a, b] = (text || "").split("-").map((part) => integer(part, 2 ** 31));
	return a >= 0 && b > a && !data.oldTitle ? [a, b] : null;
}

/* The address has changed; browsers may say so twice. */
function followAddress() {
	if (location.hash != shown)
		readFragment();
}

/* What the fragment says, but for what this file does not have. */
async function readFragment() {
	shown = location.hash;
	const p = new URLSearchParams(location.hash.slice(1)), has = groupKeys();
	const by = listOf(p.get("by")).filter((key) => has.includes(key)).slice(0, 4);
	const s = { by: p.get("by") == "none" ? [] : by.length ? by : data.by, boxes: p.get("boxes") != "0",
		hidden: Math.max(0, integer(p.get("k") || "", 1 << data.kinds.length)),
		lines: p.get("l") == "1", heat: p.get("heat") == "1",
		flame: p.get("up") == "1", mode: "graph", label: -1, query: p.get("q") || "",
		tab: p.get("tab") == "functions" ? "functions" : "groups", time: rangeOf(p.get("t")), base: rangeOf(p.get("d")) };
	if (!groups || `${groups.by}` != `${s.by}`)
		open.clear();
	makeGroups(s.by);
	s.chosen = listOf(p.get("g")).map((text) => pairOf(text, groups.n, data.now.goroutine.first.length))
		.filter(([g]) => g > 0).map(([g, id]) => ({ g, id }));
	s.removed = listOf(p.get("r")).map((text) => pairOf(text, data.now.stack.up.length, groups.n))
		.filter(([row, g]) => row >= 0 && g >= 0 && row + g > 0).map(([row, g]) => ({ row, g }));
	if (p.get("m") == "reverse")
		s.mode = "reverse";
	if (integer(p.get("f") || "", 2 ** 31) >= 0)
		Object.assign(s, { mode: "sandwich", label: integer(p.get("f"), 2 ** 31) });
	Object.assign(state, s);
	byId("query").value = s.query;
	await update(false);
	const [g, row] = pairOf(p.get("z") || "", groups.n, data.now.stack.up.length);
	if (g >= 0 && row >= 0 && state.mode == "graph") {
		zoomPlace({ g, row });
		redraw();
	}
	changed("replaceState");
}
