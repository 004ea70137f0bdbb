/*
 * The page's program. It shows the data that output/html.c packed and describes. Nothing here makes HTML from
 * a string: names come from strangers, and are only ever shown as text.
 *
 * A tree is columns by node: up, func, self, cpu (its own), and from layout(): total, cpuTotal, x, depth, first
 * (its largest child). x and total count samples, so a box is exactly as wide as its samples.
 * Nodes are numbered row by row, each row from left to right; row d is start[d] … start[d + 1] - 1.
 */
"use strict";

const KINDS = [["group", "Group"], ["go", "Go"], ["runtime", "Go runtime"], ["gc", "Garbage collector"],
	["kernel", "Kernel"], ["native", "C"], ["vdso", "vDSO"], ["unnamed", "No name"]];
const GROUP = 0;
const ROW = 21;		/* px */
const LISTED = 500;	/* at most so many groups in the list */
const LONGEST = 500;	/* characters of a name that are measured and drawn */
const byId = (id) => document.getElementById(id);
const graph = byId("graph"), canvas = byId("canvas"), pen = canvas.getContext("2d");

const view = { tree: null, zoom: 0, focus: 0, query: "", x: 0, span: 1 };	/* x, span: the samples that are in sight */
let data;		/* set by readData() */
let grouped, merged;	/* the trees; merged is made on demand */
let matches = null;	/* set by search(); null without a query */
let colours;

/* The data */

async function unpack(text) {
	const packed = atob(text), bytes = new Uint8Array(packed.length);
	for (let i = 0; i < packed.length; i++)
		bytes[i] = packed.charCodeAt(i);
	const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
	return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* LEB128 numbers as an array of the given type. */
function numbers(bytes, type = Float64Array) {
	let n = 0;
	for (let i = 0; i < bytes.length; i++)
		n += bytes[i] < 128;
	const out = new type(n);
	for (let i = 0, at = 0; i < n; i++) {
		let v = bytes[at] & 127, scale = 128;
		for (; bytes[at] > 127; scale *= 128)
			v += (bytes[++at] & 127) * scale;
		at++;
		out[i] = v;
	}
	return out;
}

function readSections(raw) {
	const sections = new Map(), utf8 = new TextDecoder();
	for (let at = 0; at < raw.length;) {
		const end = raw.indexOf(0, at), name = utf8.decode(raw.subarray(at, end));
		for (at = end + 1; raw[at] > 127;)
			at++;
		const [len] = numbers(raw.subarray(end + 1, ++at));
		sections.set(name, raw.subarray(at, at += len));
	}
	return sections;
}

function readData(raw) {
	const sections = readSections(raw);
	const column = (name, type) => numbers(sections.get(name), type);
	const table = (name, columns) => Object.fromEntries(columns.map((c) => [c, column(`${name}.${c}`)]));
	const strings = new TextDecoder().decode(sections.get("strings")).split("\0");
	const [title, start, period, isTime, kind] = column("meta");
	const up = column("node.up", Int32Array), func = column("node.func", Int32Array);
	const self = column("node.self"), cpu = column("node.extra");
	for (let i = 0; i < up.length; i++) {
		up[i] = i - up[i];
		cpu[i] = self[i] * period + (cpu[i] % 2 ? -(cpu[i] + 1) / 2 : cpu[i] / 2);
	}
	data = { strings, title: strings[title], start, isTime, weighted: !period, kind: strings[kind].replace(/^cpu$/, "CPU"),
		quality: column("quality"),
		funcs: table("func", ["name", "file", "module", "line", "kind", "inlined"]),
		groups: table("group", ["node", "goroutines", "creator", "labels"]) };
	data.label = Array.from(data.funcs.name, (name) => strings[name] || "all");
	data.brief = data.label.map(shorten);
	data.bare = data.brief.map((name, f) => isGo(f) ? name.replace(/^[\w-]+\./, "") : name);
	grouped = layout(period ? { up, func, self, cpu } : { up, func, self: cpu, cpu: self });
	data.groups.node = data.groups.node.map((node) => grouped.rank[node]);
	data.groupOf = new Map(Array.from(data.groups.node, (node, row) => [node, row]));
}

const isGo = (f) => ["go", "runtime", "gc"].includes(KINDS[data.funcs.kind[f]][0]);

/* Without import paths: "github.com/a/b.(*T).F" is "b.(*T).F". */
function shorten(name) {
	return name.length > LONGEST ? name : name.replace(/(?:[^\s/()[\]*]+\/)+(?=[^\s/]*\.)/g, "");
}

/* Trees */

/* The same calls without groups; to[] maps old nodes to new ones. The hash table is our own: Map is too slow. */
function mergeGroups(t) {
	const n = t.up.length, size = 2 ** Math.ceil(Math.log2(2 * n + 2)), slots = new Int32Array(size);
	const to = new Int32Array(n), up = new Int32Array(n), func = new Int32Array(n);
	const self = new Float64Array(n), cpu = new Float64Array(n);
	let count = 1;
	func[0] = t.func[0];
	for (let i = 0; i < n; i++) {
		const p = to[t.up[i]], f = t.func[i];
		let m = p;
		if (data.funcs.kind[f] != GROUP) {
			let slot = Math.imul(p, 0x9e3779b1) ^ Math.imul(f, 0x85ebca6b);
			slot = (slot ^ slot >>> 15) & size - 1;
			while ((m = slots[slot]) && (up[m] != p || func[m] != f))
				slot = slot + 1 & size - 1;
			if (!m) {
				m = slots[slot] = count++;
				up[m] = p;
				func[m] = f;
			}
		}
		to[i] = m;
		self[m] += t.self[i];
		cpu[m] += t.cpu[i];
	}
	return { up: up.subarray(0, count), func, self, cpu, to };
}

/* Adds up, and numbers the nodes as described above; rank[] maps old nodes to new ones. Parents come first. */
function layout(t) {
	const n = t.up.length, order = new Float64Array(n), totals = t.self.slice(0, n), cpus = t.cpu.slice(0, n);
	const ints = () => new Int32Array(n), floats = () => new Float64Array(n);
	const childEnd = ints(), children = ints(), old = ints();
	const up = ints(), x = floats(), depth = ints(), first = ints().fill(-1), rank = ints(), start = [0];
	for (let i = n - 1; i > 0; i--) {
		totals[t.up[i]] += totals[i];
		cpus[t.up[i]] += cpus[i];
		childEnd[t.up[i]]++;
	}
	for (let i = 0; i < n; i++) {
		order[i] = totals[i] * n + i;
		childEnd[i] += i && childEnd[i - 1];
	}
	order.sort();	/* smallest first, as rows are filled from their end */
	const put = childEnd.slice();
	for (let k = 0; k < n; k++)
		if (order[k] % n)
			children[--put[t.up[order[k] % n]]] = order[k] % n;
	for (let r = 0, tail = 1; r < n; r++) {
		const i = old[r];
		rank[i] = r;
		if (r && depth[r] != depth[r - 1])
			start.push(r);
		if (put[i] < childEnd[i])
			first[r] = tail;
		for (let c = put[i], right = x[r]; c < childEnd[i]; c++, tail++) {
			old[tail] = children[c];
			up[tail] = r;
			depth[tail] = depth[r] + 1;
			x[tail] = right;
			right += totals[children[c]];
		}
	}
	const moved = (column) => {
		const ret = new column.constructor(n);
		for (let r = 0; r < n; r++)
			ret[r] = column[old[r]];
		return ret;
	};
	return { func: moved(t.func), self: moved(t.self), cpu: moved(t.cpu), total: moved(totals), cpuTotal: moved(cpus),
		up, x, depth, first, rank, start: [...start, n], height: start.length };
}

/* The first node of row d that ends to the right of sample s. */
function findInRow(t, d, s) {
	let low = t.start[d], high = t.start[d + 1];
	while (low < high) {
		const mid = low + high >> 1;
		if (t.x[mid] + t.total[mid] > s)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

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

function search() {
	const t = view.tree, inside = new Uint8Array(t.up.length);
	let samples = 0, largest = -1;
	matches = null;
	byId("matched").textContent = "";
	if (!view.query)
		return;
	const hit = Uint8Array.from(data.label, matcher(view.query));
	for (let i = 0; i < inside.length; i++) {
		inside[i] = inside[t.up[i]] | hit[t.func[i]];
		if (!inside[i] || (i && inside[t.up[i]]))
			continue;
		samples += t.total[i];	/* counted once, even if the name recurs below */
		if (largest < 0 || t.total[i] > t.total[largest])
			largest = i;
	}
	matches = { hit, largest };
	byId("matched").textContent = !samples ? "no match"
		: `${share(samples, t.total[0])} matched · ${count(samples, "sample")}`;
}

/* Words and figures */

const number = (n, digits = 0) => n.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
const count = (n, what) => `${number(n)} ${what}${n == 1 ? "" : "s"}`;
const time = (ns) => ns < 1e10 ? `${number(ns / 1e6)} ms` : `${number(ns / 1e9, 2)} s`;

/* Never rounded to 0 % or to 100 %. */
function share(part, whole) {
	const p = whole ? 100 * part / whole : 0;
	return p > 0 && p < 0.1 ? "<0.1%" : p < 100 && p > 99.9 ? ">99.9%" : `${p == 100 || !p ? p : p.toFixed(1)}%`;
}

function placeOf(i) {
	const { funcs, groups, strings } = data, f = view.tree.func[i], file = strings[funcs.file[f]];
	const row = view.tree == grouped ? data.groupOf.get(i) : undefined;
	if (row != undefined) {
		const creator = strings[groups.creator[row]], labels = strings[groups.labels[row]];
		return count(groups.goroutines[row], "goroutine") + (labels && ` · ${labels.slice(0, 200)}`) +
			(creator && ` · created by ${creator}`);
	}
	const place = file ? file + (funcs.line[f] ? `:${funcs.line[f]}` : "") : strings[funcs.module[f]];
	return [place, funcs.inlined[f] ? "inlined" : ""].filter(Boolean).join(" · ");
}

const weight = (n) => data.isTime ? time(n) : number(n);

/* What a node has: samples and weight. The boxes are as wide as `total`: samples, and weights where these differ
 * by sample; cpuTotal is the other one. */
const weightOf = (t, i) => data.weighted ? t.total[i] : t.cpuTotal[i];
const amount = (t, i, other) => other == data.weighted ? count(data.weighted ? t.cpuTotal[i] : t.total[i], "sample")
	: `${weight(weightOf(t, i))} ${data.kind}`;

/* Fills the tooltip or the line of details. */
function describe(box, i) {
	const t = view.tree, parts = [amount(t, i, false), share(t.total[i], t.total[0])];
	if (view.zoom && t.depth[i] > t.depth[view.zoom])
		parts.push(`${share(t.total[i], t.total[view.zoom])} of the zoomed`);
	parts.push(amount(t, i, true));
	if (t.self[i] && t.self[i] != t.total[i])
		parts.push(`${data.weighted ? weight(t.self[i]) : number(t.self[i])} of its own`);
	box.querySelector(".name").textContent = data.label[t.func[i]];
	box.querySelector(".place").textContent = placeOf(i);
	box.querySelector(".numbers").textContent = parts.join(" · ");
}

/* Drawing */

function readColours() {
	const style = getComputedStyle(document.documentElement), get = (name) => style.getPropertyValue("--" + name);
	colours = { kinds: KINDS.map(([name]) => get(name)), ink: get("ink"), text: get("text"), muted: get("muted"),
		font: `12px ${getComputedStyle(document.body).fontFamily}`,
		widths: new Float32Array(data.label.length * 3) };	/* of label, brief, bare; 0: not measured */
}

function draw() {
	const t = view.tree, dpr = devicePixelRatio || 1, width = canvas.clientWidth, height = graph.clientHeight;
	const top = graph.scrollTop, to = Math.min(t.height, Math.ceil((top + height) / ROW));
	canvas.width = Math.round(width * dpr);		/* also clears it */
	canvas.height = Math.round(height * dpr);
	canvas.style.height = `${height}px`;
	byId("spacer").style.height = `${Math.max(0, t.height * ROW - height)}px`;
	pen.scale(dpr, dpr);
	pen.font = colours.font;
	pen.textBaseline = "middle";
	for (let d = Math.floor(top / ROW); d < to; d++)
		drawRow(d, d * ROW - top, width);
	if (document.activeElement == graph) {
		const box = boxOf(view.focus);
		pen.globalAlpha = 1;
		pen.lineWidth = 2;
		pen.strokeStyle = colours.text;
		pen.strokeRect(box.left + 1, box.top - top + 1, Math.max(2, box.width - 3), ROW - 3);
	}
}

/* Neighbouring boxes narrower than a pixel share a sliver, in the colour of the widest. None is left out. */
function drawRow(d, y, width) {
	const t = view.tree, scale = width / view.span, from = view.x, caller = d < t.depth[view.zoom];
	let start = 0, end = -1, widest = 0, kind = GROUP, lit = false;
	for (let i = findInRow(t, d, from); i < t.start[d + 1] && t.x[i] < from + view.span; i++) {
		const left = Math.max(0, (t.x[i] - from) * scale), right = Math.min(width, (t.x[i] + t.total[i] - from) * scale);
		const f = t.func[i], own = data.funcs.kind[f], hit = !matches || matches.hit[f] != 0;
		if (right - left >= 1) {
			drawBox(f, own, y, left, right - left, hit, caller);
			continue;
		}
		if (left - end > 0.25 || (end - start >= 1 && (own != kind || hit != lit))) {
			drawSliver(kind, y, start, end, lit);
			start = left;
			widest = 0;
			lit = false;
		}
		end = right;
		lit ||= hit;
		if (right - left > widest) {
			widest = right - left;
			kind = own;
		}
	}
	drawSliver(kind, y, start, end, lit);
}

function drawSliver(kind, y, start, end, lit) {
	if (end < 0)
		return;
	pen.globalAlpha = lit ? 0.85 : 0.22;
	pen.fillStyle = colours.kinds[kind];
	pen.fillRect(start, y, Math.max(0.5, end - start), ROW - 1);	/* a single one would be invisible */
}

function drawBox(f, kind, y, left, width, lit, caller) {
	const gap = width > 4 ? 1 : width > 2 ? 0.5 : 0;
	/* Three shades, so that neighbours of the same kind can be told apart. */
	pen.globalAlpha = (lit ? 1 : 0.25) * (caller ? 0.6 : 1 - f % 3 * 0.1);
	pen.fillStyle = colours.kinds[kind];
	pen.fillRect(left, y, width - gap, ROW - 1);
	if (width < 30)
		return;
	pen.globalAlpha = 1;
	pen.fillStyle = !lit ? colours.muted : caller ? colours.text : colours.ink;
	const at = [left + 6, y, width - 12], n = data.label.length;
	if (!drawText(data.label[f], f, ...at, false) && !drawText(data.brief[f], f + n, ...at, false))
		drawText(data.bare[f], f + 2 * n, ...at, true);
}

/* Draws the text if it fits, and with cut as much of it as fits. Returns whether it fits. */
function drawText(text, row, x, y, room, cut) {
	const widths = colours.widths, shown = text.slice(0, LONGEST);
	widths[row] ||= pen.measureText(shown).width || 1;
	const fits = widths[row] <= room && shown == text;
	const length = Math.floor(shown.length * Math.min(1, room / widths[row])) - 1;
	if (fits || (cut && length > 1))
		pen.fillText(fits ? text : shown.slice(0, length) + "…", x, y + ROW / 2, room);
	return fits;
}

/* In px, from the corner of the graph. */
function boxOf(i) {
	const t = view.tree, scale = canvas.clientWidth / view.span, x = (t.x[i] - view.x) * scale, left = Math.max(0, x);
	return { left, top: t.depth[i] * ROW, width: Math.min(canvas.clientWidth, x + t.total[i] * scale) - left };
}

let waiting = false;
function redraw() {
	if (!waiting)
		requestAnimationFrame(() => { waiting = false; draw(); });
	waiting = true;
}

/* What the user does */

/* Zooms and focuses, with an animation unless the system asks for reduced motion. */
let glides = 0;
function zoom(i, still = matchMedia("(prefers-reduced-motion: reduce)").matches) {
	const t = view.tree, { x, span } = view, began = performance.now(), id = ++glides;
	const step = (now) => {
		const far = still ? 0 : Math.min(1, Math.max(0, 1 - (now - began) / 180)) ** 3;
		if (id != glides)
			return;
		view.x = t.x[i] + (x - t.x[i]) * far;
		view.span = Math.max(1, t.total[i]) + (span - Math.max(1, t.total[i])) * far;
		redraw();
		if (far)
			requestAnimationFrame(step);
	};
	view.zoom = view.focus = i;
	step(began);
	reveal(i);
}

function reveal(i) {
	const y = view.tree.depth[i] * ROW;
	graph.scrollTop = Math.min(y, Math.max(graph.scrollTop, y + ROW - graph.clientHeight));
}

/* By the user, so that Back undoes it. */
function zoomTo(i) {
	zoom(i);
	changed("pushState");
}

function focus(i) {
	if (i < 0 || i >= view.tree.up.length || boxOf(i).width <= 0)
		return;
	view.focus = i;
	reveal(i);
	describe(byId("details"), i);
	redraw();
}

/* The neighbour with the same caller. */
function sibling(i, step) {
	return i + step > 0 && view.tree.up[i + step] == view.tree.up[i] ? i + step : -1;
}

function showTree(withGroups) {
	const z = view.tree == grouped ? view.zoom : 0;
	if (!withGroups && !merged) {
		const calls = mergeGroups(grouped);
		merged = layout(calls);
		merged.to = calls.to.map((node) => merged.rank[node]);
	}
	byId("groups").checked = withGroups;
	view.tree = withGroups ? grouped : merged;
	search();
	zoom(withGroups ? z : merged.to[z], true);
}

function setQuery(query) {
	view.query = byId("query").value = query;
	search();
	redraw();
	changed("replaceState");
}

function reset() {
	setQuery("");
	graph.scrollTop = 0;
	zoomTo(0);
}

/* The fragment tells what is shown. It does not follow each letter typed: browsers limit how often it changes. */
let saving;
function changed(how) {
	const p = new URLSearchParams();
	if (view.query)
		p.set("q", view.query);
	if (view.tree != grouped)
		p.set("g", "0");
	if (view.zoom)
		p.set("z", view.zoom);
	const hash = `#${p}`;
	clearTimeout(saving);
	if (hash != (location.hash || "#"))
		saving = setTimeout(() => history[how](null, "", hash), how == "pushState" ? 0 : 200);
	describe(byId("details"), view.focus);
	for (const b of byId("list").querySelectorAll("button"))
		b.setAttribute("aria-current", view.tree == grouped && b.value == view.zoom);
}

function readFragment() {
	const p = new URLSearchParams(location.hash.slice(1)), z = Number(p.get("z"));
	view.query = byId("query").value = p.get("q") || "";
	showTree(p.get("g") != "0" || !data.groups.node.length);
	zoom(Number.isInteger(z) && z > 0 && z < view.tree.up.length ? z : 0, true);
	changed("replaceState");
}

function nodeAt(event) {
	const t = view.tree, corner = graph.getBoundingClientRect();
	const d = Math.floor((event.clientY - corner.top + graph.scrollTop) / ROW);
	const s = view.x + (event.clientX - corner.left) * view.span / canvas.clientWidth;
	const i = d >= 0 && d < t.height ? findInRow(t, d, s) : -1;
	return i >= 0 && i < t.start[d + 1] && t.x[i] <= s ? i : -1;
}

function hover(event) {
	const i = event ? nodeAt(event) : -1, tip = byId("tip"), mark = byId("mark");
	tip.hidden = mark.hidden = i < 0;
	canvas.style.cursor = i < 0 ? "default" : "pointer";
	if (i < 0)
		return;
	const box = boxOf(i), below = event.clientY + 18;
	describe(tip, i);
	Object.assign(mark.style, { left: `${box.left}px`, top: `${box.top}px`, width: `${Math.max(3, box.width)}px`,
		height: `${ROW - 1}px` });
	tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8))}px`;
	tip.style.top = `${below + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : below}px`;
}

function key(event) {
	const t = view.tree, f = view.focus, typing = event.target == byId("query");
	const walk = { ArrowUp: () => focus(t.up[f]), ArrowDown: () => focus(t.first[f]), Enter: () => zoomTo(f),
		ArrowLeft: () => focus(sibling(f, -1)), ArrowRight: () => focus(sibling(f, 1)) };
	if (event.ctrlKey || event.altKey || event.metaKey)
		return;
	if (event.key == "Escape") {
		reset();
	} else if (event.key == "/" && !typing) {
		byId("query").select();
	} else if (event.key == "Enter" && typing) {
		graph.focus();
		focus(matches ? matches.largest : -1);
	} else if (event.target == graph && walk[event.key]) {
		walk[event.key]();
	} else {
		return;
	}
	event.preventDefault();
}

/* Around the graph */

function element(tag, ...content) {
	const e = document.createElement(tag);
	e.append(...content);	/* strings become text nodes */
	return e;
}

function listGroups() {
	const t = grouped, all = t.total[0], nodes = Array.from(data.groups.node).sort((a, b) => t.total[b] - t.total[a]);
	byId("side").hidden = byId("grouping").hidden = !nodes.length;
	byId("count").textContent = number(nodes.length);
	for (const node of nodes.slice(0, LISTED)) {
		const names = [], bar = element("i");
		for (let i = node; i; i = t.up[i])
			names.unshift(data.brief[t.func[i]]);
		const cost = weight(weightOf(t, node)), name = names.join(" › ");
		const button = element("button", element("bdi", name), element("span", cost),
			element("span", share(t.total[node], all)), bar);
		button.value = node;
		button.title = name;
		bar.style.width = `calc((100% - 20px) * ${t.total[node] / all})`;
		button.addEventListener("click", () => { showTree(true); graph.scrollTop = 0; zoomTo(node); });
		byId("list").append(element("li", button));
	}
	const rest = nodes.slice(LISTED).reduce((sum, node) => sum + t.total[node], 0);
	byId("more").textContent = rest
		? `and ${number(nodes.length - LISTED)} smaller ones, ${share(rest, all)} together` : "";
}

function writeFacts() {
	const [samples, lost, withClass, goroutine, rooted, named, cpu, rss] = data.quality;
	const [name, ...how] = data.title.split(", "), t = grouped, used = new Set(t.func.map((f) => data.funcs.kind[f]));
	const down = (millionths) => `${(Math.floor(millionths / 1000) / 10).toFixed(1)}%`;	/* as the quality line does */
	const facts = [count(samples, "sample"), `${number(lost)} lost`, `${down(goroutine)} with a goroutine`,
		`${down(1e6 * withClass / (samples || 1))} with a goroutine or a stated class`, `${down(rooted)} complete stacks`,
		`${down(named)} of user frames named`, `gostrobe itself: ${number(cpu / 1e6, 2)}s CPU, ${number(rss / 1e6, 1)} MB peak`];
	document.title = `gostrobe · ${data.title}`;
	byId("title").textContent = name;
	byId("subtitle").textContent = [...how, data.start ? new Date(data.start / 1e6).toLocaleString("sv") : "",
		amount(t, 0, !data.weighted)].filter(Boolean).join(" · ");
	byId("quality").append(...facts.map((fact) => element("span", fact)));
	byId("quality").children[1].classList.toggle("loss", lost > 0);
	KINDS.forEach(([kind, label], k) => {
		const swatch = element("i");
		swatch.style.background = `var(--${kind})`;
		if (k != GROUP && used.has(k))
			byId("legend").append(element("li", swatch, label));
	});
}

function listen() {
	byId("query").addEventListener("input", (e) => setQuery(e.target.value));
	byId("groups").addEventListener("change", (e) => { showTree(e.target.checked); changed("replaceState"); });
	byId("reset").addEventListener("click", reset);
	byId("tools").addEventListener("submit", (e) => e.preventDefault());
	document.addEventListener("keydown", key);
	addEventListener("hashchange", readFragment);
	graph.addEventListener("scroll", () => { hover(null); redraw(); });
	graph.addEventListener("focus", redraw);
	graph.addEventListener("blur", redraw);
	canvas.addEventListener("pointermove", hover);
	canvas.addEventListener("pointerleave", () => hover(null));
	canvas.addEventListener("click", (e) => {
		const i = nodeAt(e);
		hover(null);
		if (i >= 0)
			zoomTo(i);
	});
	new ResizeObserver(redraw).observe(graph);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); redraw(); });
}

async function main() {
	if (!window.DecompressionStream)
		throw new Error("it needs a browser from 2023 or later");
	readData(await unpack(byId("data").textContent));
	readColours();
	writeFacts();
	listGroups();
	listen();
	readFragment();
	performance.mark("ready");
	document.documentElement.dataset.ready = "yes";
}

main().catch((error) => {
	byId("problem").textContent = `The flame graph cannot be shown: ${error.message}.`;
	byId("problem").hidden = false;
	document.body.classList.add("broken");
});
