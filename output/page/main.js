/* Keys, pointers, and the start. */

function setQuery(query) {
	state.query = byId("query").value = query;
	if (!isCurrent())
		return;	/* update() searches, too */
	search();
	redraw();
	changed("replaceState");
}

/* One step back. */
function back() {
	const s = state, pane = panes[0];
	if (byId("help").open)
		byId("help").close();
	else if (s.query)
		setQuery("");
	else if (pane && panes.some((p) => p.zoom)) {
		panes.forEach((p) => { p.zoom = p.x = 0; p.span = Math.max(1, p.tree.total[0]); });
		zoomTo(panes[panes.length - 1], 0);
	} else if (s.mode != "graph")
		set({ mode: "graph", label: -1 }, "pushState", false);
	else if (s.base)
		set({ base: null }, "pushState");
	else if (s.chosen.length || s.time || s.hidden || s.removed.length)
		set({ chosen: [], time: null, hidden: 0, removed: [] }, "pushState");
}

function toggleFlame() {
	state.flame = !state.flame;
	hover(null);
	graph.scrollTop = 0;
	redraw();
	changed("pushState");
}

function nextKey() {
	const keys = [...groupKeys(), "none"], at = keys.indexOf(state.by[0] || "none");
	const key = keys[(at + 1) % keys.length];
	set({ by: key == "none" ? [] : [key] }, "pushState");
}

const toggle = {
	r: () => set({ mode: state.mode == "reverse" ? "graph" : "reverse" }, "pushState", false),
	g: () => set({ boxes: !state.boxes }, "pushState"),
	l: () => set({ lines: !state.lines, ...(state.mode == "sandwich" ? { mode: "graph", label: -1 } : {}) },
		"pushState"),
	t: () => setTab(state.tab == "groups" ? "functions" : "groups"),
	u: () => set({ removed: [] }, "pushState"),
	i: toggleFlame,
	b: nextKey,
	d: toggleBase,
	m: () => { if (!strip.hidden) toggleHeat(); },
	"?": () => { if (byId("help").open) byId("help").close(); else byId("help").showModal(); },
};

function setTab(tab) {
	state.tab = tab;
	byId("filter").value = "";
	showList();
	changed("replaceState");
}

function key(event) {
	const typing = event.target.matches("input, select, textarea");
	const action = isCurrent() && ACTIONS.find(([name, , , fits]) => name == event.key && fits(focused));
	if (event.ctrlKey || event.altKey || event.metaKey)
		return;
	if (event.key == "Escape") {
		if (!closeMenu())
			back();
	} else if (event.key == "Enter" && event.target == byId("query")) {
		graph.focus();
		if (matches)
			focus(panes[panes.length - 1], matches.largest);
	} else if (typing) {
		return;
	} else if (event.key == "/") {
		byId("query").select();
	} else if (event.target == graph && event.key.startsWith("Arrow")) {
		walk(event.key);
	} else if (action && (event.target == graph || (event.key != "Enter" && event.target == document.body))) {
		action[2](focused);
	} else if (toggle[event.key]) {
		toggle[event.key]();
	} else {
		return;
	}
	event.preventDefault();
}

function clicked(event) {
	const place = nodeAt(event);
	hover(null);
	if (!place)
		return;
	if (event.ctrlKey || event.metaKey)
		removeBox(place);
	else
		zoomTo(place.pane, place.node);
}

/* The keyboard's menu key: there is no pointer. */
function menuOfFocused(event) {
	const { pane, node } = focused, corner = graph.getBoundingClientRect();
	if (event.target != graph || !isCurrent())
		return;
	const box = boxOf(pane, node);
	event.preventDefault();
	openMenu(focused, corner.left + box.left + 8, corner.top + box.top - graph.scrollTop + ROW);
}

/* The width of the list, by dragging or by arrows. */
function listenSplit() {
	const split = byId("split"), side = byId("side");
	const resize = (width) => {
		const w = Math.max(160, Math.min(innerWidth * 0.7, width));
		side.style.width = `${w}px`;
		split.setAttribute("aria-valuenow", Math.round(w));
		groupGrid.render();
		functionGrid.render();
	};
	let from = null;
	split.setAttribute("aria-valuenow", side.offsetWidth);
	split.addEventListener("pointerdown", (e) => {
		from = { x: e.clientX, width: side.offsetWidth };
		split.setPointerCapture(e.pointerId);
	});
	split.addEventListener("pointermove", (e) => { if (from) resize(from.width + e.clientX - from.x); });
	split.addEventListener("pointerup", () => { from = null; });
	split.addEventListener("keydown", (e) => {
		const step = { ArrowLeft: -20, ArrowRight: 20 }[e.key];
		if (step) {
			resize(side.offsetWidth + step);
			e.preventDefault();
		}
	});
}

function listenTools() {
	const press = (id, act) => byId(id).addEventListener("click", act);
	byId("query").addEventListener("input", (e) => setQuery(e.target.value));
	byId("tools").addEventListener("submit", (e) => e.preventDefault());
	byId("by").addEventListener("change", (e) =>
		set({ by: e.target.value == "none" ? [] : [e.target.value] }, "pushState"));
	byId("then").addEventListener("change", (e) => set({ by: [state.by[0],
		...e.target.value.split(",").filter((k) => k && k != state.by[0])] }, "pushState"));
	press("boxes", toggle.g);
	press("reverse", toggle.r);
	press("lines", toggle.l);
	press("heat", toggle.m);
	press("ask", toggle["?"]);
	press("close", () => byId("help").close());
	press("tab-groups", () => setTab("groups"));
	press("tab-functions", () => setTab("functions"));
	byId("filter").addEventListener("input", showList);
	byId("menu").addEventListener("keydown", menuKey);
	document.addEventListener("pointerdown", (e) => { if (!byId("menu").contains(e.target)) byId("menu").hidden = true; });
}

/* On paper all rows are drawn, as nobody can scroll there. */
function print(on) {
	printing = on;
	if (isCurrent())
		draw();
}

function listenGraph() {
	graph.addEventListener("scroll", () => { hover(null); redraw(); });
	graph.addEventListener("focus", redraw);
	graph.addEventListener("blur", redraw);
	canvas.addEventListener("pointermove", hover);
	canvas.addEventListener("pointerleave", () => hover(null));
	canvas.addEventListener("click", clicked);
	canvas.addEventListener("contextmenu", (e) => {
		const place = nodeAt(e);
		if (!place)
			return;
		e.preventDefault();
		if (!e.ctrlKey)
			openMenu(place, e.clientX, e.clientY);
	});
	graph.addEventListener("contextmenu", menuOfFocused);
	new ResizeObserver(redraw).observe(graph);
	document.addEventListener("keydown", key);
	addEventListener("hashchange", followAddress);
	addEventListener("popstate", followAddress);
	for (const media of ["(prefers-color-scheme: dark)", "print"])
		matchMedia(media).addEventListener("change", () => {
			readColours();
			if (isCurrent()) {
				draw();
				showAll();
			}
		});
	addEventListener("beforeprint", () => print(true));
	addEventListener("afterprint", () => print(false));
}

async function main() {
	if (!window.DecompressionStream)
		throw new Error("it needs a browser from 2023 or later");
	const start = performance.now(), raw = await unpack(byId("data").textContent);
	await pause();
	await readData(raw);
	readColours();
	writeTools();
	writeFacts();
	writeHelp();
	makeGrids();
	listenTools();
	listenGraph();
	if (data.oldTitle)
		strip.hidden = true;	/* the times of two recordings have nothing to do with each other */
	else
		listenStrip();
	listenSplit();
	await readFragment();
	measured("load", start);
	performance.mark("ready");
	document.documentElement.dataset.ready = "yes";
}

main().catch((error) => {
	byId("problem").textContent = `The flame graph cannot be shown: ${error.message}.`;
	byId("problem").hidden = false;
	document.body.classList.add("broken");
});
