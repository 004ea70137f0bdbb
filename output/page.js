/*
 * The page's program. It shows what output/html.c packed; the layout of the data is described there. Nothing here makes
 * HTML from a string: names are hostile until shown as text.
 *
 * A tree is columns by node: up, func, self, cpu (own), and from layout(): total, cpuTotal, x, depth, first, next, prev,
 * rows. Parents have smaller ids than their children. x and total are samples from the left edge, so a box is exactly as
 * wide as its samples.
 */
"use strict";

const KINDS = [["group", "Group"], ["go", "Go"], ["runtime", "Go runtime"], ["gc", "Garbage collector"], ["kernel", "Kernel"],
	["native", "C"], ["vdso", "vDSO"], ["unnamed", "No name"]];
const GROUP = 0;
const ROW = 21;			/* px */
const LISTED = 500;		/* groups in the list at most */
const byId = (id) => document.getElementById(id);
const graph = byId("graph"), canvas = byId("canvas"), pen = canvas.getContext("2d");

let data;			/* strings, funcs, groups, meta: by readData() */
let grouped, merged;		/* the trees; merged is made when first asked for */
const view = { tree: null, zoom: 0, focus: 0, query: "", x: 0, span: 1 };
let colours, matches = null;	/* matches: by search(); null without a query */

/* The data */

async function unpack(text)
{
	const packed = atob(text), bytes = new Uint8Array(packed.length);

	for (let i = 0; i < packed.length; i++)
		bytes[i] = packed.charCodeAt(i);
	const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
	return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* LEB128 numbers as an array of the given type. */
function numbers(bytes, type = Float64Array)
{
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

function readSections(raw)
{
	const sections = new Map(), utf8 = new TextDecoder();

	for (let at = 0; at < raw.length;) {
		const end = raw.indexOf(0, at), name = utf8.decode(raw.subarray(at, end));
		let len = 0, scale = 1;
		for (at = end + 1; raw[at] > 127; scale *= 128)
			len += (raw[at++] & 127) * scale;
		len += raw[at++] * scale;
		if (!(at + len <= raw.length))
			throw new Error("a section is cut off");
		sections.set(name, raw.subarray(at, at += len));
	}
	return sections;
}

function readData(raw)
{
	const sections = readSections(raw);
	const column = (name, type) => numbers(sections.get(name), type);
	const table = (name, columns) => Object.fromEntries(columns.map((c) => [c, column(`${name}.${c}`)]));
	const strings = new TextDecoder().decode(sections.get("strings")).split("\0");
	const [title, start, duration, period] = column("meta");
	const up = column("node.up", Int32Array), func = column("node.func", Int32Array);
	const self = column("node.self"), cpu = column("node.extra");

	for (let i = 0; i < up.length; i++) {
		up[i] = i - up[i];
		cpu[i] = self[i] * period + (cpu[i] % 2 ? -(cpu[i] + 1) / 2 : cpu[i] / 2);
	}
	data = {
		strings, title: strings[title], start, duration, period, truth: column("truth"),
		funcs: table("func", ["name", "file", "module", "line", "kind", "inlined"]),
		groups: table("group", ["node", "goroutines", "first", "last", "creator"]),
	};
	data.label = Array.from(data.funcs.name, (name) => strings[name] || "all");
	data.brief = data.label.map(shorten);
	data.groupOf = new Map(Array.from(data.groups.node, (node, i) => [node, i]));
	grouped = layout({ up, func, self, cpu });
}

/* Without the import path: "github.com/a/b.(*T).F" is "b.(*T).F". */
function shorten(name)
{
	const stop = name.search(/[[( ]/), slash = name.lastIndexOf("/", stop < 0 ? undefined : stop);

	return slash > 0 ? name.slice(slash + 1) : name;
}

/* Trees */

/* The same calls without their groups. Also gives where each node went: to[]. */
function mergeGroups(t)
{
	const n = t.up.length, size = 2 ** Math.ceil(Math.log2(2 * n + 2)), slots = new Int32Array(size);
	const to = new Int32Array(n), up = new Int32Array(n), func = new Int32Array(n);
	const self = new Float64Array(n), cpu = new Float64Array(n);
	let count = 0;

	for (let i = 0; i < n; i++) {
		const p = to[t.up[i]], f = t.func[i];
		let m = i ? p : count++;
		if (i && data.funcs.kind[f] != GROUP) {
			let slot = Math.imul(p, 0x9e3779b1) ^ Math.imul(f, 0x85ebca6b);
			slot = (slot ^ slot >>> 15) & size - 1;
			while ((m = slots[slot]) && (up[m] != p || func[m] != f))
				slot = slot + 1 & size - 1;
			if (!m) {
				m = slots[slot] = count++;
				up[m] = p;
				func[m] = f;
			}
		} else if (!i) {
			func[0] = f;
		}
		to[i] = m;
		self[m] += t.self[i];
		cpu[m] += t.cpu[i];
	}
	return { up: up.subarray(0, count), func: func.subarray(0, count), self: self.subarray(0, count),
		cpu: cpu.subarray(0, count), to };
}

function layout(t)
{
	const n = t.up.length, up = t.up, order = new Float64Array(n);
	const ints = (fill) => new Int32Array(n).fill(fill);
	const first = ints(-1), next = ints(-1), prev = ints(-1), last = ints(-1), depth = ints(0);
	const total = Float64Array.from(t.self), cpuTotal = Float64Array.from(t.cpu), x = new Float64Array(n);

	for (let i = n - 1; i > 0; i--) {
		total[up[i]] += total[i];
		cpuTotal[up[i]] += cpuTotal[i];
	}
	/* Largest first, so a parent stands before its children: it is not smaller, and its id is. */
	for (let i = 0; i < n; i++)
		order[i] = total[i] * n + (n - 1 - i);
	order.sort();
	const free = new Float64Array(n);
	for (let k = n - 2; k >= 0; k--) {
		const i = n - 1 - order[k] % n, p = up[i];
		depth[i] = depth[p] + 1;
		free[i] = x[i] = free[p];
		free[p] += total[i];
		prev[i] = last[p];
		if (last[p] < 0)
			first[p] = i;
		else
			next[last[p]] = i;
		last[p] = i;
	}
	return Object.assign(t, { total, cpuTotal, x, depth, first, next, prev, ...rows(first, next, up, depth) });
}

/* The nodes row by row, each row from left to right: row d is order[start[d] … start[d + 1] - 1]. */
function rows(first, next, up, depth)
{
	const height = depth.reduce((a, b) => Math.max(a, b)) + 1;
	const start = new Int32Array(height + 1), order = new Int32Array(depth.length);

	for (const d of depth)
		start[d + 1]++;
	for (let d = 0; d < height; d++)
		start[d + 1] += start[d];
	const put = start.slice();
	for (let i = 0; ;) {
		order[put[depth[i]]++] = i;
		if (first[i] >= 0) {
			i = first[i];
			continue;
		}
		while (i && next[i] < 0)
			i = up[i];
		if (!i)
			break;
		i = next[i];
	}
	return { height, start, order };
}

/* The place in the order of the first node of row d that ends right of sample s. */
function findInRow(t, d, s)
{
	let low = t.start[d], high = t.start[d + 1];

	while (low < high) {
		const mid = low + high >> 1, i = t.order[mid];
		if (t.x[i] + t.total[i] > s)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* Search: a part of the name in any case, or a regular expression between slashes. */
function search()
{
	const t = view.tree, hit = new Uint8Array(data.label.length), inside = new Uint8Array(t.up.length);
	const found = { hit, samples: 0, largest: -1 }, q = view.query.toLowerCase(), regex = /^\/(.+)\/$/.exec(view.query);
	let test = (name) => name.toLowerCase().includes(q);

	matches = q ? found : null;
	if (regex) {
		try {
			const r = new RegExp(regex[1], "i");
			test = (name) => r.test(name);
		} catch {
			test = () => false;
		}
	}
	if (q)
		data.label.forEach((name, f) => { hit[f] = test(name); });
	for (let i = 0; q && i < inside.length; i++) {
		inside[i] = inside[t.up[i]] | hit[t.func[i]];
		if (!inside[i] || (i && inside[t.up[i]]))
			continue;
		found.samples += t.total[i];	/* once, however often it recurs below */
		if (found.largest < 0 || t.total[i] > t.total[found.largest])
			found.largest = i;
	}
	byId("matched").textContent = !q ? "" : !found.samples ? "no match"
		: `${share(found.samples, t.total[0])} matched · ${count(found.samples, "sample")}`;
}

/* Words and figures */

const number = (n) => n.toLocaleString("en");
const count = (n, what) => `${number(n)} ${what}${n == 1 ? "" : "s"}`;

/* Never rounded to all or to nothing. */
function share(part, whole)
{
	const p = whole ? 100 * part / whole : 0;

	return p > 0 && p < 0.1 ? "<0.1 %" : p < 100 && p > 99.9 ? ">99.9 %" : `${p == 100 || !p ? p : p.toFixed(1)} %`;
}

function time(ns)
{
	return ns >= 1e10 ? `${number(Math.round(ns / 1e7) / 100)} s` : `${number(Math.round(ns / 1e6))} ms`;
}

function placeOf(i)
{
	const { funcs, groups, strings } = data, f = view.tree.func[i], row = view.tree == grouped ? data.groupOf.get(i) : undefined;
	const file = strings[funcs.file[f]], parts = [];

	if (row != undefined) {
		const creator = strings[groups.creator[row]];
		parts.push(count(groups.goroutines[row], "goroutine"));
		if (creator)
			parts.push(`created by ${creator}`);
	} else if (file) {
		parts.push(funcs.line[f] ? `${file}:${funcs.line[f]}` : file);
	} else {
		parts.push(strings[funcs.module[f]]);
	}
	if (funcs.inlined[f])
		parts.push("inlined");
	return parts.filter(Boolean).join(" · ");
}

/* Fills the tip or the line of details: name, place, numbers. */
function describe(box, i)
{
	const t = view.tree, parts = [count(t.total[i], "sample"), share(t.total[i], t.total[0])];

	if (view.zoom && i != view.zoom && t.depth[i] > t.depth[view.zoom])
		parts.push(`${share(t.total[i], t.total[view.zoom])} of the zoomed`);
	if (data.period)
		parts.push(`${time(t.cpuTotal[i])} CPU`);
	if (t.self[i] && t.self[i] != t.total[i])
		parts.push(`${number(t.self[i])} of its own`);
	box.querySelector(".name").textContent = data.label[t.func[i]];
	box.querySelector(".place").textContent = placeOf(i);
	box.querySelector(".numbers").textContent = parts.join(" · ");
}

/* Drawing */

function readColours()
{
	const style = getComputedStyle(document.documentElement), get = (name) => style.getPropertyValue("--" + name).trim();

	colours = { kinds: KINDS.map(([name]) => get(name)), ink: get("ink"), text: get("text"), muted: get("muted") };
	colours.font = `12px ${getComputedStyle(document.body).fontFamily}`;
	colours.widths = new Float32Array(data.label.length * 2);	/* of names, then of brief names, as drawn */
}

function draw()
{
	const t = view.tree, dpr = devicePixelRatio || 1, width = canvas.clientWidth, height = graph.clientHeight;
	const top = graph.scrollTop, to = Math.min(t.height, Math.ceil((top + height) / ROW));

	if (canvas.width != Math.round(width * dpr) || canvas.height != Math.round(height * dpr)) {
		canvas.width = Math.round(width * dpr);
		canvas.height = Math.round(height * dpr);
		canvas.style.height = height + "px";
	}
	byId("spacer").style.height = Math.max(0, t.height * ROW - height) + "px";
	pen.setTransform(dpr, 0, 0, dpr, 0, 0);
	pen.clearRect(0, 0, width, height);
	pen.font = colours.font;
	pen.textBaseline = "middle";
	for (let d = Math.floor(top / ROW); d < to; d++)
		drawRow(d, d * ROW - top, width);
	if (document.activeElement == graph)
		drawOutline(top, width);
}

/* Boxes narrower than a pixel become slivers: neighbours of one kind in one, none left out. */
function drawRow(d, y, width)
{
	const t = view.tree, scale = width / view.span, from = view.x, end = view.x + view.span;
	const sliver = { left: 0, right: -1, kind: -1, lit: false };

	for (let k = findInRow(t, d, from); k < t.start[d + 1]; k++) {
		const i = t.order[k], f = t.func[i], kind = data.funcs.kind[f], lit = !matches || matches.hit[f] != 0;
		const left = Math.max(0, (t.x[i] - from) * scale), right = Math.min(width, (t.x[i] + t.total[i] - from) * scale);
		if (t.x[i] >= end)
			break;
		if (right - left >= 1) {
			drawBox(i, y, left, right, lit, d < t.depth[view.zoom]);
		} else if (left - sliver.right < 0.25 && (sliver.right - sliver.left < 1 || (kind == sliver.kind && lit == sliver.lit))) {
			sliver.right = right;
			sliver.lit ||= lit;
		} else {
			drawSliver(sliver, y);
			Object.assign(sliver, { left, right, kind, lit });
		}
	}
	drawSliver(sliver, y);
}

function drawSliver(s, y)
{
	if (s.right < 0)
		return;
	pen.globalAlpha = s.lit ? 0.75 : 0.2;
	pen.fillStyle = colours.kinds[s.kind];
	/* A lone one is drawn half a pixel wide at least, else nobody sees it. */
	pen.fillRect(s.left, y, Math.max(0.5, s.right - s.left), ROW - 1);
}

function drawBox(i, y, left, right, lit, caller)
{
	const f = view.tree.func[i], kind = data.funcs.kind[f], width = right - left, gap = width > 4 ? 1 : width > 2 ? 0.5 : 0;

	/* Three shades, so that neighbours of one kind stay apart. */
	pen.globalAlpha = (lit ? 1 : 0.25) * (caller ? 0.6 : 1 - f % 3 * 0.1);
	pen.fillStyle = colours.kinds[kind];
	pen.fillRect(left, y, width - gap, ROW - 1);
	if (width < 30)
		return;
	pen.globalAlpha = 1;
	pen.fillStyle = lit && !caller ? colours.ink : lit ? colours.text : colours.muted;
	drawLabel(f, left + 6, y + ROW / 2, width - 12);
}

/* The whole name where it fits, else the brief one, else its beginning. */
function drawLabel(f, x, y, room)
{
	const widths = colours.widths;
	let text = data.label[f], at = f;

	widths[at] ||= pen.measureText(text.slice(0, 500)).width || 1;
	if (widths[at] > room || text.length > 500) {
		text = data.brief[f];
		at = f + data.label.length;
		widths[at] ||= pen.measureText(text.slice(0, 500)).width || 1;
	}
	if (widths[at] > room || text.length > 500) {
		const length = Math.floor(Math.min(text.length, 500) * Math.min(1, room / widths[at])) - 1;
		if (length < 2)
			return;
		text = text.slice(0, length) + "…";
	}
	pen.fillText(text, x, y, room);
}

function drawOutline(top, width)
{
	const box = boxOf(view.focus, width);

	pen.globalAlpha = 1;
	pen.strokeStyle = colours.text;
	pen.lineWidth = 2;
	pen.strokeRect(box.left + 1, view.tree.depth[view.focus] * ROW - top + 1, Math.max(2, box.right - box.left - 3), ROW - 3);
}

function boxOf(i, width)
{
	const t = view.tree, scale = width / view.span, left = (t.x[i] - view.x) * scale;

	return { left: Math.max(0, left), right: Math.min(width, left + t.total[i] * scale) };
}

let waiting = false;
function redraw()
{
	if (!waiting)
		requestAnimationFrame(() => { waiting = false; draw(); });
	waiting = true;
}

/* What the user does */

/* Zooms and focuses; glides there unless the system asks for no motion. */
let glide = 0;
function zoom(i, how)
{
	const t = view.tree, from = { x: view.x, span: view.span }, began = performance.now(), id = ++glide;
	const still = how == "still" || matchMedia("(prefers-reduced-motion: reduce)").matches;

	view.zoom = view.focus = i;
	const step = (now) => {
		const part = still ? 1 : Math.min(1, Math.max(0, (now - began) / 180)), eased = 1 - (1 - part) ** 3;
		if (id != glide)
			return;
		view.x = from.x + (t.x[i] - from.x) * eased;
		view.span = from.span + (Math.max(1, t.total[i]) - from.span) * eased;
		redraw();
		if (part < 1)
			requestAnimationFrame(step);
	};
	step(began);
	reveal(i);
	changed(how != "still");
}

function reveal(i)
{
	const y = view.tree.depth[i] * ROW;

	if (y < graph.scrollTop)
		graph.scrollTop = y;
	else if (y + ROW > graph.scrollTop + graph.clientHeight)
		graph.scrollTop = y + ROW - graph.clientHeight;
}

function focus(i)
{
	const box = i >= 0 && boxOf(i, canvas.clientWidth);

	if (!box || box.right <= box.left)
		return;
	view.focus = i;
	reveal(i);
	describe(byId("details"), i);
	redraw();
}

function showTree(groups)
{
	const z = groups || view.tree != grouped ? 0 : view.zoom;

	byId("groups").checked = groups;
	merged ||= groups ? undefined : layout(mergeGroups(grouped));
	if (view.tree == (groups ? grouped : merged))
		return;
	view.tree = groups ? grouped : merged;
	search();
	zoom(groups ? 0 : merged.to[z], "still");
}

function setQuery(query)
{
	view.query = byId("query").value = query;
	search();
	redraw();
	changed(false);
}

function reset()
{
	setQuery("");
	graph.scrollTop = 0;
	zoom(0);
}

/* The fragment says what is shown; a zoom is a step that the browser's Back undoes. */
let saving;
function changed(step)
{
	const p = new URLSearchParams();

	if (view.query)
		p.set("q", view.query);
	if (view.tree != grouped)
		p.set("g", "0");
	if (view.zoom)
		p.set("z", view.zoom);
	const hash = p.size || p.toString() ? "#" + p : "#";
	clearTimeout(saving);
	if (hash != (location.hash || "#"))
		saving = setTimeout(() => history[step ? "pushState" : "replaceState"](null, "", hash), step ? 0 : 200);
	describe(byId("details"), view.focus);
	for (const b of byId("list").querySelectorAll("button"))
		b.setAttribute("aria-current", view.tree == grouped && b.value == view.zoom);
}

function readFragment()
{
	const p = new URLSearchParams(location.hash.slice(1)), z = Number(p.get("z"));

	view.query = byId("query").value = p.get("q") || "";
	showTree(p.get("g") != "0" || !data.groups.node.length);
	search();
	zoom(Number.isInteger(z) && z > 0 && z < view.tree.up.length ? z : 0, "still");
}

function nodeAt(event)
{
	const t = view.tree, box = graph.getBoundingClientRect(), s = view.x + (event.clientX - box.left) * view.span / canvas.clientWidth;
	const d = Math.floor((event.clientY - box.top + graph.scrollTop) / ROW), k = d >= 0 && d < t.height ? findInRow(t, d, s) : -1;

	return k >= 0 && k < t.start[d + 1] && t.x[t.order[k]] <= s ? t.order[k] : -1;
}

function hover(event)
{
	const i = event ? nodeAt(event) : -1, tip = byId("tip"), mark = byId("mark");

	tip.hidden = mark.hidden = i < 0;
	canvas.style.cursor = i < 0 ? "default" : "pointer";
	if (i < 0)
		return;
	const box = boxOf(i, canvas.clientWidth);
	describe(tip, i);
	Object.assign(mark.style, { left: `${box.left}px`, top: `${view.tree.depth[i] * ROW}px`,
		width: `${Math.max(3, box.right - box.left)}px`, height: `${ROW - 1}px` });
	const below = event.clientY + 18, right = event.clientX + 14;
	tip.style.left = `${Math.max(4, Math.min(right, innerWidth - tip.offsetWidth - 8))}px`;
	tip.style.top = `${below + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : below}px`;
}

function key(event)
{
	const t = view.tree, f = view.focus, typing = event.target == byId("query");
	const walk = { ArrowUp: () => focus(t.up[f]), ArrowDown: () => focus(t.first[f]), ArrowLeft: () => focus(t.prev[f]),
		ArrowRight: () => focus(t.next[f]), Enter: () => zoom(f), Home: () => focus(view.zoom) };

	if (event.ctrlKey || event.altKey || event.metaKey)
		return;
	if (event.key == "Escape") {
		reset();
	} else if (event.key == "/" && !typing) {
		byId("query").focus();
		byId("query").select();
	} else if (event.key == "Enter" && typing) {
		if (!matches || matches.largest < 0)
			return;
		graph.focus();
		focus(matches.largest);
	} else if (event.target == graph && walk[event.key]) {
		walk[event.key]();
	} else {
		return;
	}
	event.preventDefault();
}

/* Around the graph */

function element(tag, ...content)
{
	const e = document.createElement(tag);

	e.append(...content);	/* strings become text nodes */
	return e;
}

function listGroups()
{
	const t = grouped, all = t.total[0], nodes = Array.from(data.groups.node).sort((a, b) => t.total[b] - t.total[a]);

	byId("side").hidden = byId("grouping").hidden = !nodes.length;
	byId("count").textContent = number(nodes.length);
	for (const node of nodes.slice(0, LISTED)) {
		const names = [], bar = element("i");
		for (let i = node; i; i = t.up[i])
			names.unshift(data.brief[t.func[i]]);
		const figures = data.period ? time(t.cpuTotal[node]) : number(t.total[node]);
		const button = element("button", element("bdi", names.join(" › ")), element("span", `${figures}  ${share(t.total[node], all)}`), bar);
		button.value = node;
		button.title = names.join(" › ");
		bar.style.width = `calc((100% - 20px) * ${t.total[node] / all})`;
		button.addEventListener("click", () => { showTree(true); graph.scrollTop = 0; zoom(node); });
		byId("list").append(element("li", button));
	}
	const rest = nodes.slice(LISTED).reduce((sum, node) => sum + t.total[node], 0);
	byId("more").textContent = rest ? `and ${number(nodes.length - LISTED)} smaller ones, ${share(rest, all)} together` : "";
}

function writeFacts()
{
	const [name, ...how] = data.title.split(", "), t = grouped, [samples, lost, withClass, goroutine, rooted, named, cpu, rss] = data.truth;
	const facts = [count(samples, "sample"), `${number(lost)} lost`, `${share(goroutine, 1e6)} with a goroutine`,
		`${share(withClass, samples)} with a goroutine or a stated class`, `${share(rooted, 1e6)} of stacks reach a root`,
		`${share(named, 1e6)} of user frames named`, `gostrobe itself: ${(cpu / 1e6).toFixed(2)} s CPU, ${number(Math.round(rss / 1e6))} MB`];
	const shown = [...how, data.start ? new Date(data.start / 1e6).toLocaleString("sv") : "",
		data.period ? `${time(t.cpuTotal[0])} CPU` : count(t.total[0], "call")];

	document.title = `gostrobe · ${data.title}`;
	byId("title").textContent = name;
	byId("subtitle").textContent = shown.filter(Boolean).join(" · ");
	byId("truth").append(...facts.map((fact) => element("span", fact)));
	byId("truth").children[1].classList.toggle("loss", lost > 0);
	const used = new Set(t.func.map((f) => data.funcs.kind[f]));
	KINDS.forEach(([kind, label], k) => {
		const swatch = element("i");
		swatch.style.background = `var(--${kind})`;
		if (k != GROUP && used.has(k))
			byId("legend").append(element("li", swatch, label));
	});
}

function listen()
{
	byId("query").addEventListener("input", (e) => setQuery(e.target.value));
	byId("groups").addEventListener("change", (e) => showTree(e.target.checked));
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
		if (i >= 0)
			zoom(i);
		hover(null);
	});
	new ResizeObserver(redraw).observe(graph);
	matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); redraw(); });
}

async function main()
{
	if (!window.DecompressionStream)
		throw new Error("this browser is too old for the page: it needs one of 2023 or later");
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
	byId("subtitle").textContent = "";
	document.querySelector("main").hidden = byId("tools").hidden = byId("details").hidden = true;
});
