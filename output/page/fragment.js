/* The fragment of the address tells what is shown: a link opens the same view. */

/* Changes what is shown, by the user. how: "pushState" if Back shall undo it. */
async function set(changes, how = "replaceState", keep = true) {
	if (changes.by) {
		open.clear();
		changes.chosen = [];
		changes.removed = state.removed.filter(({ g }) => !g);
	}
	Object.assign(state, { missing: [] }, changes);
	if (await update(keep))
		changed(how);
}

const listOf = (text) => text ? text.split(",") : [];
const integer = (text, below) => /^\d{1,15}$/.test(text) && Number(text) < below ? Number(text) : -1;

const placeWord = ({ g, row }) => `${groupWords()[g]}.${stackWord(row)}`;

function writeFragment() {
	const p = new URLSearchParams(), s = state, pane = panes[0];
	const z = pane && s.mode != "sandwich" ? pane.zoom : 0;
	const put = (name, on, value) => { if (on) p.set(name, value); };
	put("by", `${s.by}` != `${data.by}`, s.by.join(",") || "none");
	put("boxes", !s.boxes, "0");
	put("g", s.chosen.length, s.chosen.map(({ g, id }) =>
		groupWords()[g] + (id < 0 ? "" : `.${goroutineWords()[id]}`)).join(","));
	put("t", s.time, s.time && rangeWord(s.time));
	put("d", s.base, s.base && rangeWord(s.base));
	put("k", s.hidden, s.hidden);
	put("r", s.removed.length, s.removed.map(placeWord).join(","));
	put("l", s.lines, "1");
	put("heat", s.heat, "1");
	put("up", s.flame, "1");
	put("m", s.mode == "reverse", "reverse");
	put("f", s.mode == "sandwich", s.label >= 0 && labelWords()[s.label]);
	put("tab", s.tab != "groups", s.tab);
	put("q", s.query, s.query);
	if (z && s.mode == "graph")
		p.set("z", placeWord(placeOfNode(pane, z)));
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

/* { g, id }, or undefined: another recording had that. */
function readChosen(text) {
	const [word, goroutine] = text.split("."), g = groupWords().indexOf(word);
	const id = goroutine == undefined ? -1 : goroutineWords().indexOf(goroutine);
	return g > 0 && (id > 0 || goroutine == undefined) ? { g, id } : undefined;
}

/* { g, row }, or undefined. */
function readPlace(text, of) {
	const [word, stack = ""] = text.split("."), g = groupWords().indexOf(word);
	const row = findStack(stack, of);
	return g >= 0 && row >= 0 && g + row > 0 ? { g, row } : undefined;
}

/* "from-to" in ms, whatever the cells are, as cells of this recording; null: it has none of
 * them. The times of two recordings have nothing to do with each other. */
function rangeOf(text) {
	const [a, b] = (text || "").split("-").map((part) => integer(part, 2 ** 43) * 1e6 / data.cell);
	const [first, last] = stripRange(), from = Math.max(first, Math.floor(a)), to = Math.min(last, Math.ceil(b));
	return a >= 0 && to > from && !data.oldTitle ? [from, to] : null;
}

const rangeWord = (range) => range.map((cell) => cell * data.cell / 1e6).join("-");

/* The address has changed; browsers may say so twice. */
function followAddress() {
	if (location.hash != shown)
		readFragment();
}

/* What the fragment says, but for what this recording does not have. */
async function readFragment() {
	shown = location.hash;
	const p = new URLSearchParams(location.hash.slice(1)), has = groupKeys(), missing = [];
	const kept = (name, what, found) => {
		if (p.get(name) && (Array.isArray(found) ? found.includes(undefined) : !found))
			missing.push(what);
		return Array.isArray(found) ? found.filter(Boolean) : found;
	};
	const by = kept("by", "a grouping", listOf(p.get("by")).slice(0, 4)
		.map((key) => has.includes(key) || key == "none" ? key : undefined));
	const s = { by: p.get("by") == "none" ? [] : by.length ? by : data.by, boxes: p.get("boxes") != "0",
		hidden: Math.max(0, integer(p.get("k") || "", 1 << data.kinds.length)),
		lines: p.get("l") == "1", heat: p.get("heat") == "1",
		flame: p.get("up") == "1", mode: p.get("m") == "reverse" ? "reverse" : "graph", label: -1,
		query: p.get("q") || "", tab: p.get("tab") == "functions" ? "functions" : "groups",
		time: kept("t", "the range of time", rangeOf(p.get("t"))),
		base: kept("d", "the baseline", rangeOf(p.get("d"))), missing };
	if (!groups || `${groups.by}` != `${s.by}`)
		open.clear();
	makeGroups(s.by);
	const of = makeLabels(s.lines);
	s.chosen = kept("g", "a group", listOf(p.get("g")).map(readChosen));
	s.removed = kept("r", "a removed stack", listOf(p.get("r")).map((text) => readPlace(text, of)));
	const label = p.get("f") ? labelWords(of).indexOf(p.get("f")) : -1;
	if (kept("f", "a function", label >= 0))
		Object.assign(s, { mode: "sandwich", label });
	const place = kept("z", "the box", p.get("z") && readPlace(p.get("z"), of));
	Object.assign(state, s);
	byId("query").value = s.query;
	if (!await update(false))
		return;
	if (place && state.mode == "graph") {
		zoomPlace(place);
		redraw();
	}
	changed("replaceState");
}
