/* The list of groups, with their goroutines below each, and that of functions. */

const open = new Set();	/* groups whose rows below are shown; emptied by regrouping */
/* In a diff by the size of the change, else by the cost. */
let groupSort = "cost", groupRising = false, functionSort = "self", functionRising = false;
let groupGrid, functionGrid, listsDiff = false;

/* By goroutine: what is listed of a group. */
function goroutineCosts(g) {
	const { event, goroutine } = data.now, { ids, starts } = selection.rows, costs = new Map();
	selection.costs ||= new Map();
	if (selection.costs.has(g))
		return selection.costs.get(g);
	for (let e = starts[g]; e < starts[g + 1]; e++) {
		const i = ids[e];
		const id = goroutine.id[event.goroutine[i]], was = costs.get(id) || [0, 0, event.time[i]];
		costs.set(id, [was[0] + event.amount[i], was[1] + event.other[i], Math.min(was[2], event.time[i])]);
	}
	costs.delete(0);
	selection.costs.set(g, costs);
	return costs;
}

const hasRows = (g) => !groups.inner[g] ||
	(groups.goroutines[g] > 0 && groups.levels[groups.level[g] - 1] != "goroutine");

/* Names and times begin with the first. */
const rises = (key) => key == "name" || key == "seen";
const byName = (a, b) => a.name < b.name ? 1 : a.name > b.name ? -1 : 0;

function compare(a, b) {
	const order = groupSort == "name" ? byName(a, b) : b[groupSort] - a[groupSort];
	return (groupRising ? -order : order) || b.part - a.part;
}

function groupItem(g) {
	const cost = groupCosts(selection.listed[g], selection.others[g], selection.groupVariance?.[g]);
	const seen = groupSort == "seen" ? rowFacts({ g, id: -1 }).first : 0;
	return { g, id: -1, seen, name: groups.value[g], brief: groups.brief[g], level: groups.level[g],
		...cost, many: cost.diff ? cost.diff.old : groups.goroutines[g],
		frame: frameCosts()?.groups[g] || 0 };
}

/* part, in a diff: how much it has changed. */
function groupCosts(amount, other, variance) {
	const diff = data.old && difference(amount, other, variance);
	return { amount, diff, cost: diff ? diff.now : amount, part: diff ? Math.abs(diff.delta) : amount };
}

function goroutineItems(g) {
	const { goroutine } = data.now, inFrame = goroutinesInFrame(g);
	return Array.from(goroutineCosts(g), ([id, [amount, other, seen]]) => {
		const row = goroutine.first[id];
		const name = `goroutine ${goroutine.goid[row]}`;
		const start = groups.levels.includes("start") ? "" : ` ${goroutine.start[row]}`;
		const cost = groupCosts(amount, other);
		return { g, id, name: name + start, brief: briefName(name + start), seen,
			many: cost.diff ? cost.diff.old : 0, frame: inFrame?.[id] || 0,
			...cost, level: groups.level[g] + 1 };
	});
}

function listItems() {
	const below = Array.from({ length: groups.n }, () => []), items = [];
	const filter = byId("filter").value.toLowerCase();
	for (let g = 1; g < groups.n; g++)
		if (selection.listed[g])
			below[groups.parent[g]].push(groupItem(g));
	const put = (list) => {
		for (const item of list.sort(compare)) {
			const opened = item.id < 0 && open.has(item.g);
			if (filter && item.level == 1 && !item.name.toLowerCase().includes(filter) &&
			    !anyBelow(item.g, below, filter))
				continue;
			items.push(item);
			if (opened)
				put(groups.inner[item.g] ? goroutineItems(item.g) : below[item.g]);
		}
	};
	put(below[0]);
	return items;
}

function anyBelow(g, below, filter) {
	return below[g].some((item) => item.name.toLowerCase().includes(filter) ||
		anyBelow(item.g, below, filter));
}

const isChosen = (item) => state.chosen.some(({ g, id }) => g == item.g && id == item.id);

function fillGroup(row, item) {
	if (!isCurrent())
		return;
	const [name, many, cost, part, frame, ...facts] = row.children, all = selection.listed[0];
	const indent = (item.level - 1) * 14, below = item.id < 0 && hasRows(item.g);
	const room = name.clientWidth - 26 - indent;
	const arrow = element("i", { "data-part": "toggle", class: "arrow" },
		!below ? "" : open.has(item.g) ? "▾" : "▸");
	name.replaceChildren(arrow, element("bdi", {}, cellText(item.brief, room)));
	arrow.style.marginLeft = `${indent}px`;
	if (item.diff) {
		many.textContent = rate(item.diff.old);
		cost.textContent = rate(item.diff.now);
		part.textContent = change(item.diff);
	} else {
		many.textContent = item.many ? number(item.many) : "";
		cost.textContent = worth(item.amount);
		part.textContent = share(item.amount, all);
		frame.textContent = item.frame ? worth(item.frame) : "";
	}
	const way = item.diff ? direction(item.diff, selection.certain) : 0;
	part.classList.toggle("grown", way > 0);
	part.classList.toggle("shrunk", way < 0);
	row.title = rowTitle(item);
	fillFacts(facts, item, groupGrid.width);
	row.style.setProperty("--part", item.amount / (all || 1));
	row.setAttribute("aria-level", item.level);
	row.setAttribute("aria-selected", isChosen(item));
	row.classList.toggle("below", item.id >= 0);
	if (below)
		row.setAttribute("aria-expanded", open.has(item.g));
	else
		row.removeAttribute("aria-expanded");
}

function goroutineFacts(id, withStart = true) {
	const { goroutine } = data.now, row = goroutine.first[id];
	return [withStart && goroutine.start[row], goroutine.labels[row],
		goroutine.creator[row] && `created by ${goroutine.creator[row]}`,
		goroutine.parent[row] ? `in goroutine ${goroutine.parent[row]}` : ""]
		.filter(Boolean).join(" · ");
}

function actGroup(item, part, event) {
	if (!isCurrent())
		return;
	const opened = open.has(item.g), below = item.id < 0 && hasRows(item.g);
	if (part == "toggle" || part == "open" || part == "close") {
		if (!below || (part == "open" && opened) || (part == "close" && !opened))
			return;
		if (opened)
			open.delete(item.g);
		else
			open.add(item.g);
		showList();
		return;
	}
	const mine = { g: item.g, id: item.id }, was = isChosen(item);
	const others = state.chosen.filter(({ g, id }) => g != mine.g || id != mine.id);
	const more = event.ctrlKey || event.metaKey || event.shiftKey;
	set({ chosen: more ? (was ? others : [...others, mine])
		: was && !others.length ? [] : [mine] }, "pushState");
}

/* Functions */

function functionCosts() {
	if (selection.functions)
		return selection.functions;
	const own = ownCosts(), columns = [0, 1, 2, 3].map(() => new Float64Array(labels.n));
	const [self, total, selfOther, totalOther] = columns;
	const all = addUp(trie.up, trie.n, own.self), other = data.old ? addUp(trie.up, trie.n, own.weight) : all;
	const outer = outermostNodes();
	for (let i = 1; i < trie.n; i++) {
		if (!all[i])
			continue;
		const label = trie.label[i];
		self[label] += own.self[i];
		selfOther[label] += own.weight[i];
		if (outer[i]) {	/* a recursive function counts once */
			total[label] += all[i];
			totalOther[label] += other[i];
		}
	}
	return selection.functions = { self, total, selfOther, totalOther };
}

function functionItems() {
	const { self, total } = functionCosts(), items = [];
	const test = matcher(byId("filter").value);
	for (let label = 0; label < labels.n; label++)
		if (total[label] && test(labels.text[label]))
			items.push({ label, name: labels.brief[label], self: self[label], total: total[label],
				diffs: data.old && selection.functionDiffs[label] });
	const size = (item, by) => item.diffs ? Math.abs(item.diffs[by].delta) : item[by];
	return items.sort((a, b) => {
		const order = functionSort == "name" ? byName(a, b)
			: size(b, functionSort) - size(a, functionSort);
		return (functionRising ? -order : order) || b.total - a.total || a.label - b.label;
	});
}

function fillFunction(row, item) {
	if (!isCurrent())
		return;
	const [name, self, total] = row.children, all = selection.total, f = labels.func[item.label];
	const swatch = element("i", { class: "swatch" });
	swatch.style.background = colours.kinds[labels.kind[item.label]];
	name.replaceChildren(swatch, element("bdi", {}, cellText(item.name, name.clientWidth - 30)));
	const says = item.diffs ? (by) => `${rate(item.diffs[by].old)} → ${rate(item.diffs[by].now)}${rateUnit()}`
		: (by) => worth(item[by]);
	for (const [cell, by] of [[self, "self"], [total, "total"]]) {
		const d = item.diffs?.[by];
		cell.textContent = d ? change(d) : share(item[by], all);
		cell.classList.toggle("grown", !!d && direction(d, selection.certain) > 0);
		cell.classList.toggle("shrunk", !!d && direction(d, selection.certain) < 0);
	}
	row.title = `${cutLong(labels.text[item.label])}\n${data.func.file[f] || data.func.module[f]}\n` +
		`self ${says("self")}, total ${says("total")}`;
	row.style.setProperty("--part", item[functionSort == "total" ? "total" : "self"] / (all || 1));
	row.setAttribute("aria-selected", state.mode == "sandwich" && state.label == item.label);
}

function actFunction(item, part) {
	if (part == "open" || part == "close" || !isCurrent())
		return;
	sandwich(state.mode == "sandwich" && state.label == item.label ? -1 : item.label);
}

/* label below 0: ends it. */
function sandwich(label) {
	set({ mode: label < 0 ? "graph" : "sandwich", label }, "pushState", false);
}

/* Both */

function makeGrids() {
	groupGrid = new Grid(byId("groups"), { fill: fillGroup, act: actGroup, point: pointGroup,
		columns: [["name", "", "Sort by name"], ["many", "", ""], ["cost", "", ""],
			["part", "", ""], ["frame", "In frame", ""], ["spark", "When", "When it ran"],
			["seen", "Seen", "Its first and last samples; sort by the first"], ["samples", "Samples", "How many samples"],
			["core", "One core", "Share of one core"], ["top", "Top frame", "Where most of its samples were"],
			["origin", "Labels and origin", "Labels, who created it, and in which goroutine"]],
		sort: (key) => {
			const by = !data.old && /^(part|spark|samples|core|top|origin)$/.test(key) ? "cost" : key;
			groupRising = groupSort == by ? !groupRising : rises(by);
			groupSort = by;
			showList();
		} });
	functionGrid = new Grid(byId("functions"), { fill: fillFunction, act: actFunction, point: light,
		columns: [["name", "Function", "Sort by name"],
			["self", "", ""], ["total", "", ""]],
		sort: (key) => {
			functionRising = functionSort == key ? !functionRising : rises(key);
			functionSort = key;
			showList();
		} });
}

/* What the columns of the groups are called, which differs in a diff. */
function nameColumns() {
	const old = data.ranges ? ["Baseline", "In the baseline"] : ["Old", "In the older recording"];
	groupGrid.rename("name", groups.levels.map(keyTitle).join(" › ") || "All", "Sort by name");
	groupGrid.rename("many", ...data.old ? old : ["Goroutines", "How many goroutines; sort by them"]);
	const now = data.ranges ? ["Range", "In the range"] : ["New", "In the newer recording"];
	groupGrid.rename("cost", ...data.old ? now : [data.kind, "Sort by what they took"]);
	groupGrid.rename("part", ...data.old ? ["Change", "Sort by the size of the change"]
		: ["Share", "Share of what is listed"]);
}

function showList() {
	const start = performance.now(), functions = state.tab == "functions";
	byId("groups").hidden = functions;
	byId("functions").hidden = !functions;
	byId("tab-groups").setAttribute("aria-selected", !functions);
	byId("tab-functions").setAttribute("aria-selected", functions);
	if (!isCurrent())
		return;	/* it is shown when all is made */
	byId("filter").placeholder = functions ? "Filter functions" : "Filter rows";
	if (functions) {
		const what = data.old ? "The size of the change in" : "In";
		functionGrid.rename("self", "Self", `${what} the function itself`);
		functionGrid.rename("total", "Total", `${what} the function and what it calls`);
		functionGrid.show(functionItems(), functionSort, functionRising);
	} else {
		showFrameColumn();
		if (listsDiff != !!data.old) {
			listsDiff = !!data.old;
			[groupSort, groupRising] = [listsDiff ? "part" : "cost", false];
		}
		nameColumns();
		byId("groups").classList.toggle("ids", groups.levels[groups.levels.length - 1] == "goroutine");
		groupGrid.show(listItems(), groupSort, groupRising);
	}
	byId("tab-groups").title = count(groups.n - 1, "group");
	measured("list", start);
}
