/* What is around the graph: the tools, the chips of what is selected, and the facts. */

function showAll() {
	redraw();
	if (!strip.hidden)
		drawStrip();
	showList();
	showTools();
}

function showTools() {
	const [by, then] = [byId("by"), byId("then")], [first = "none", ...rest] = state.by;
	by.value = first;
	if (rest.length > 1 && ![...then.options].some((o) => o.value == `${rest}`))
		then.append(element("option", { value: `${rest}` }, rest.map(keyTitle).join(" › ")));
	then.value = `${rest}`;
	then.parentElement.hidden = !state.by.length;
	byId("boxes").setAttribute("aria-pressed", state.boxes);
	byId("boxes").hidden = !state.by.length;
	byId("reverse").setAttribute("aria-pressed", state.mode == "reverse");
	byId("lines").setAttribute("aria-pressed", state.lines);
	byId("heat").setAttribute("aria-pressed", state.heat);
	byId("heat").hidden = strip.hidden;
	for (const b of byId("legend").querySelectorAll("button"))
		b.setAttribute("aria-pressed", !(state.hidden >> b.value & 1));
	document.body.classList.toggle("diff", !!data.old);
	byId("boxes").disabled = state.mode != "graph";
	if (data.old) {
		const d = difference(selection.total, selection.weights);	/* without its error */
		byId("selected").textContent = `${rate(d.old)} → ${rate(d.now)}${rateUnit()}`;
		return;
	}
	const all = `${worth(selection.total)} ${data.kind}`;
	byId("selected").textContent = selection.total == selection.all ? all
		: `${all}, ${share(selection.total, selection.all)} of all`;
}

/* Each chip says what is left out or zoomed, and takes it back. */
function showChips() {
	const s = state, chips = [], pane = panes[0];
	const chip = (text, undo) => {
		const b = element("button", { type: "button", title: "Take this back" },
			element("bdi", {}, cutLong(text, 80)), " ×");
		b.addEventListener("click", undo);
		chips.push(b);
	};
	if (s.missing.length)
		chip(`not in this recording: ${s.missing.join(", ")}`, () => set({}));
	for (const mine of s.chosen.slice(0, 6)) {
		const { goroutine } = data.now;
		const name = groupPath(mine.g).map(briefName).join(" › ") +
			(mine.id < 0 ? "" : ` › ${goroutine.goid[goroutine.first[mine.id]]}`);
		chip(name, () => set({ chosen: s.chosen.filter((c) => c != mine) }, "pushState"));
	}
	if (s.chosen.length > 6)
		chip(`${s.chosen.length - 6} more`, () => set({ chosen: s.chosen.slice(0, 6) }, "pushState"));
	const ranges = rangeChips(chip), after = chips.length;
	if (s.hidden)
		chip(`without ${data.kinds.filter((_, k) => s.hidden >> k & 1).join(", ").toLowerCase()}`,
			() => set({ hidden: 0 }, "pushState"));
	if (s.removed.length)
		chip(`${count(s.removed.length, "stack")} removed`, () => set({ removed: [] }, "pushState"));
	if (s.mode == "sandwich" && pane)
		chip(`callers and callees of ${labels.brief[s.label]}`, () => sandwich(-1));
	if (pane && pane.zoom && s.mode != "sandwich")
		chip(briefName(nodeText(pane.tree, pane.zoom)), () => zoomTo(pane, 0));
	chips.splice(after, 0, ...ranges);
	byId("chips").replaceChildren(...chips);
	byId("chips").hidden = !chips.length;
}

function writeTools() {
	const keys = groupKeys(), option = (value, text) => element("option", { value }, text);
	byId("by").append(...keys.map((key) => option(key, keyTitle(key))), option("none", "Nothing"));
	byId("then").append(option("", "–"), ...keys.map((key) => option(key, keyTitle(key))));
	const used = new Set(data.frame.func.map((f) => data.func.kind[f]));
	data.kinds.forEach((name, k) => {
		const swatch = element("i", { class: "swatch" });
		swatch.style.background = `var(--kind-${k})`;
		if (!used.has(k))
			return;
		const b = element("button", { type: "button", value: k,
			title: `Hide or show ${name.toLowerCase()}: the time counts for the callers` }, swatch, name);
		b.addEventListener("click", () => set({ hidden: state.hidden ^ 1 << k }, "pushState"));
		byId("legend").append(element("li", {}, b));
	});
}

function writeFacts() {
	const [samples, lost, withClass, goroutine, rooted, named, cpu, rss] = data.now.quality;
	const [name, ...how] = data.title.split(", ");
	const down = (millionths) => `${(Math.floor(millionths / 1000) / 10).toFixed(1)}%`;	/* as the quality line does */
	const facts = [count(samples, "sample"), `${number(lost)} lost`, `${down(goroutine)} with a goroutine`,
		`${down(1e6 * withClass / (samples || 1))} with a goroutine or a stated class`,
		`${down(rooted)} complete stacks`, `${down(named)} of user frames named`,
		`gostrobe itself: ${number(cpu / 1e6, 2)}s CPU, ${number(rss / 1e6, 1)} MB peak`];
	document.title = cutLong(`gostrobe · ${data.oldTitle ? `${data.oldTitle} → ` : ""}${data.title}`, 200);
	byId("title").textContent = [...data.oldTitle ? [data.oldTitle.split(", ")[0]] : [], name]
		.map((text) => cutLong(text, 100)).join(" → ");
	byId("subtitle").textContent = [...how,
		data.start ? new Date(data.start / 1e6).toLocaleString("sv") : "",
		count(samples, "sample")].filter(Boolean).join(" · ");
	if (data.oldTitle)
		byId("subtitle").append(" ", diffKey());
	byId("options").replaceChildren(...data.options.map((option) => element("bdi", {}, option)));
	byId("options").hidden = !data.options.length;
	byId("quality").append(...facts.map((fact) => element("span", {}, fact)));
	byId("quality").children[1].classList.toggle("loss", lost > 0);
}

function writeHelp() {
	const rows = [["↑ ↓ ← →", "walk the boxes, or the rows"], ["Enter", "zoom, or choose the row"],
		["Esc", "one step back: search, zoom, selection"], ["/", "search; between slashes: a regular expression"],
		...ACTIONS.slice(1).map(([key, text]) => [key, text]), ["u", "Bring removed stacks back"],
		["r", "Reverse: callers below"], ["g", "Boxes of groups"], ["l", "Lines"],
		["i", "Upside down: the root at the bottom"],
		["t", "Groups or functions"], ["b", "Regroup by the next key"],
		["m", "Heat map: the groups in the strip"], ["?", "This help"],
		["Click", "zoom; a row: only it; with Ctrl: one more"], ["Ctrl-click", "a box: remove this stack"],
		["Right click", "menu of a box, as the menu key"], ["Drag", "in the strip: a range of time; click: all"],
		["Shift-← →", "in the strip: its end"],
		["Shift-drag", "in the strip: a baseline to compare the range with"],
		["d", "drags and arrows mark the baseline, or the range"]];
	byId("keys").append(...rows.flatMap(([key, text]) =>
		[element("dt", {}, element("kbd", {}, key)), element("dd", {}, text)]));
}
