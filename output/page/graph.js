/* The flame graph: a canvas over the panes, and where things are on it. */

const ROW = px(21);
const graph = byId("graph"), canvas = byId("canvas"), pen = canvas.getContext("2d");
let colours;

function readColours() {
	const style = getComputedStyle(document.documentElement);
	const get = (name) => style.getPropertyValue(`--${name}`).trim();
	const fontOf = (size) => `${size * fontScale}px ${getComputedStyle(document.body).fontFamily}`;
	colours = { kinds: data.kinds.map((_, k) => get(`kind-${k}`)), group: get("group"),
		ink: get("ink"), text: get("text"), muted: get("muted"), line: get("line"),
		accent: get("accent"), panel: get("panel"), bg: get("bg"),
		same: get("same"), grown: [0, 1, 2, 3, 4].map((k) => get(`grown-${k}`)),
		shrunk: [0, 1, 2, 3, 4].map((k) => get(`shrunk-${k}`)),
		font: fontOf(12), small: fontOf(11), widths: new Map() };
}

/* Where the rows of a pane begin, in px from the top of all. */
function paneTop(pane) {
	return pane == panes[0] ? 0 : (panes[0].tree.height - 1) * ROW;
}

let printing = false;	/* on paper: all rows, and no more */
const MOST_PRINTED = 8000, PAPER = 760;	/* px: how high, and how wide at most */

/* The root is at the bottom, as long as there is only one pane. */
const isFlame = () => state.flame && panes.length == 1;
const fullHeight = () => Math.max(graphHeight(), printing ? 0 : graph.clientHeight);

/* The row of depth d, from the top of all. */
function rowTop(pane, d) {
	if (isFlame())
		return fullHeight() - (d + 1) * ROW;
	return pane.flip ? (pane.tree.height - 1 - d) * ROW : paneTop(pane) + d * ROW;
}

function graphHeight() {
	const last = panes[panes.length - 1];
	return paneTop(last) + last.tree.height * ROW;
}

/* The first node of row d that ends to the right of x. */
function findInRow(t, d, x) {
	let low = t.start[d], high = t.start[d + 1];
	while (low < high) {
		const mid = low + high >> 1;
		if (t.x[mid] + t.total[mid] > x)
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

let flameOf = null;	/* the pane whose root has been scrolled to */
function draw() {
	const start = performance.now(), dpr = Math.max(devicePixelRatio || 1, printing ? 2 : 0);
	const width = printing ? Math.min(PAPER, canvas.clientWidth) : canvas.clientWidth;
	const height = printing ? Math.min(MOST_PRINTED, fullHeight()) : graph.clientHeight;
	canvas.width = Math.round(width * dpr);		/* also clears it */
	canvas.height = Math.round(height * dpr);
	canvas.style.height = `${height}px`;
	byId("spacer").style.height = `${Math.max(0, graphHeight() - height)}px`;
	if (isFlame() && flameOf != panes[0])
		graph.scrollTop = fullHeight();	/* to the root */
	flameOf = isFlame() ? panes[0] : null;
	const top = printing ? 0 : graph.scrollTop;
	pen.scale(dpr, dpr);
	pen.font = colours.font;
	pen.textBaseline = "middle";
	for (const pane of panes)
		for (let d = pane.flip ? 1 : 0; d < pane.tree.height; d++) {
			const y = rowTop(pane, d) - top;
			if (y > -ROW && y < height)
				drawRow(pane, d, y, width);
		}
	if (document.activeElement == graph && !printing)
		drawFocus(top);
	measured("draw", start);
}

function drawFocus(top) {
	const box = boxOf(focused.pane, focused.node);
	pen.globalAlpha = 1;
	pen.lineWidth = 2;
	pen.strokeStyle = colours.text;
	pen.strokeRect(box.left + 1, box.top - top + 1, Math.max(2, box.width - 3), ROW - 3);
}

function colourOf(t, i) {
	const label = t.label[i];
	return data.old ? diffColour(t, i) : label < 0 ? colours.group : colours.kinds[labels.kind[label]];
}

const LOOKED_AT = 16;	/* boxes of one pixel, unless one of them may be a hit */

/* Neighbours narrower than a pixel share a sliver, in the colour of the widest. None is left
 * out, but of many in one pixel the colour is that of the first few. */
function drawRow(pane, d, y, width) {
	const t = pane.tree, scale = width / pane.span, from = pane.x;
	const caller = d < t.depth[pane.zoom], boxes = litNodes(pane), all = matches || boxes || data.old;
	let start = 0, end = -1, widest = 0, colour = "", lit = false, pixel = -1, looked = 0;
	for (let i = findInRow(t, d, from); i < t.start[d + 1] && t.x[i] < from + pane.span; i++) {
		const left = Math.max(0, (t.x[i] - from) * scale);
		const right = Math.min(width, (t.x[i] + t.total[i] - from) * scale);
		const own = colourOf(t, i), hit = isHit(t.label[i]) && (!boxes || boxes[i] > 0);
		if (right - left >= 1) {
			drawBox(t, i, own, y, left, right - left, hit, caller);
			continue;
		}
		if (left - end > 0.25 || (end - start >= 1 && (own != colour || hit != lit))) {
			drawSliver(colour, y, start, end, lit);
			start = left;
			widest = 0;
			lit = false;
		}
		end = right;
		lit ||= hit;
		if (right - left > widest) {
			widest = right - left;
			colour = own;
		}
		if (all)
			continue;
		looked = left < pixel + 1 ? looked + 1 : 0;
		pixel = Math.floor(left);
		if (looked == LOOKED_AT) {
			i = Math.max(i, findInRow(t, d, from + (pixel + 1) / scale) - 1);
			end = Math.max(end, Math.min(width, (t.x[i] + t.total[i] - from) * scale));
		}
	}
	drawSliver(colour, y, start, end, lit);
}

function drawSliver(colour, y, start, end, lit) {
	if (end < 0)
		return;
	pen.globalAlpha = lit ? 0.85 : 0.22;
	pen.fillStyle = colour;
	pen.fillRect(start, y, Math.max(0.5, end - start), ROW - 1);	/* a single one would be invisible */
}

function drawBox(t, i, colour, y, left, width, lit, caller) {
	const gap = width > 4 ? 1 : width > 2 ? 0.5 : 0, label = t.label[i];
	/* Three shades, so that neighbours of the same kind can be told apart. */
	const shade = label < 0 || data.old ? 1 : 1 - labels.func[label] % 3 * 0.1;
	pen.globalAlpha = (lit ? 1 : 0.25) * (caller ? 0.6 : shade);
	pen.fillStyle = colour;
	pen.fillRect(left, y, width - gap, ROW - 1);
	if (width < px(26))
		return;
	pen.globalAlpha = 1;
	pen.fillStyle = !lit ? colours.muted : caller ? colours.text : colours.ink;
	const text = fitting(label < 0 ? [nodeText(t, i), briefName(nodeText(t, i))]
		: [labels.text[label], labels.brief[label], ...namesOf(label)], width - 10);
	if (text)
		pen.fillText(text, left + 5, y + ROW / 2, width - 8);
}

/* By label: see shorterNames(). C and kernel names have no parts. */
function namesOf(label) {
	const go = data.func.file[labels.func[label]].endsWith(".go");
	return labels.names[label] ||= go ? shorterNames(labels.bare[label]) : [labels.bare[label]];
}

/* The first of the texts that fits, or what fits of the last. */
function fitting(texts, room) {
	for (const text of texts)
		if (text.length <= LONGEST && textWidth(text) <= room)
			return text;
	const last = texts[texts.length - 1];
	return room < px(18) ? "" : cutMiddle(pen, last, room);
}

function textWidth(text) {
	let width = colours.widths.get(text);
	if (width == undefined)
		colours.widths.set(text, width = pen.measureText(text).width);
	return width;
}

/* In px, from the corner of the graph. */
function boxOf(pane, i) {
	const t = pane.tree, scale = canvas.clientWidth / pane.span, x = (t.x[i] - pane.x) * scale;
	const left = Math.max(0, x), right = Math.min(canvas.clientWidth, x + t.total[i] * scale);
	return { left, top: rowTop(pane, t.depth[i]), width: right - left };
}

let waiting = false;
function redraw() {
	if (!waiting)
		requestAnimationFrame(() => { waiting = false; if (panes.length && isCurrent()) draw(); });
	waiting = true;
}

/* The box at a place of the window; null: none. */
function nodeAt(event) {
	const corner = graph.getBoundingClientRect(), y = event.clientY - corner.top + graph.scrollTop;
	if (!isCurrent())
		return null;
	for (const pane of panes) {
		const t = pane.tree, row = Math.floor((y - paneTop(pane)) / ROW);
		const d = isFlame() ? Math.ceil((fullHeight() - y) / ROW) - 1
			: pane.flip ? t.height - 1 - row : row;
		if (d < (pane.flip ? 1 : 0) || d >= t.height || y < 0)
			continue;
		const x = pane.x + (event.clientX - corner.left) * pane.span / canvas.clientWidth;
		const i = findInRow(t, d, x);
		return i < t.start[d + 1] && t.x[i] <= x ? { pane, node: i } : null;
	}
	return null;
}

/* Zooms and focuses, with an animation unless the system asks for reduced motion. */
let glides = 0;
function zoom(pane, i, still = matchMedia("(prefers-reduced-motion: reduce)").matches) {
	const t = pane.tree, { x, span } = pane, began = performance.now(), id = ++glides;
	const step = (now) => {
		const far = still ? 0 : Math.min(1, Math.max(0, 1 - (now - began) / 180)) ** 3;
		if (id != glides)
			return;
		pane.x = t.x[i] + (x - t.x[i]) * far;
		pane.span = Math.max(1, t.total[i]) + (span - Math.max(1, t.total[i])) * far;
		redraw();
		if (far)
			requestAnimationFrame(step);
	};
	pane.zoom = i;
	focused = { pane, node: i };
	step(began);
	reveal(pane, i);
}

function reveal(pane, i) {
	const y = rowTop(pane, pane.tree.depth[i]);
	graph.scrollTop = Math.min(y, Math.max(graph.scrollTop, y + ROW - graph.clientHeight));
}

/* By the user, so that Back undoes it. */
function zoomTo(pane, i) {
	zoom(pane, i);
	changed("pushState");
}

function focus(pane, i) {
	if (i < 0 || i >= pane.tree.n || boxOf(pane, i).width <= 0)
		return;
	focused = { pane, node: i };
	reveal(pane, i);
	describe(byId("details"), focused);
	redraw();
}

/* The neighbour with the same caller. */
function sibling(t, i, step) {
	return i + step > 0 && i + step < t.n && t.up[i + step] == t.up[i] ? i + step : -1;
}

/* Up and down as they are on the screen. */
function walk(key) {
	const { pane, node } = focused, t = pane.tree;
	const away = pane.flip || isFlame() ? "ArrowUp" : "ArrowDown";
	if (key == "ArrowLeft" || key == "ArrowRight")
		focus(pane, sibling(t, node, key == "ArrowLeft" ? -1 : 1));
	else if (key == away)
		focus(pane, t.first[node]);
	else if (node > 0)
		focus(panes[1] && t.up[node] == 0 ? panes[1] : pane, t.up[node]);
	else if (panes[1])	/* from the function itself into its callers */
		focus(panes[0], panes[0].tree.first[0]);
}
