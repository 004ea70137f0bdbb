/*
 * The strip as a heat map: a row for each of the largest groups of the present grouping, and
 * one for the others; the stronger the colour, the more of the row's samples at that time.
 */

const HEAT_ROW = px(14);
const HEAT_ROWS = 12;	/* besides the others */

/* Rows keep their places whatever is selected. { rows: [{ g (-1: the others), name }], of (by group) } */
function heatRows() {
	if (groups.heat)
		return groups.heat;
	const { event } = data.whole, sizes = new Float64Array(groups.n);
	for (let i = 0; i < event.n; i++)
		sizes[groups.ofCombo[event.combo[i]]] += event.amount[i];
	const order = groupsBySize({ sizes }), most = order.length > HEAT_ROWS + 1 ? HEAT_ROWS : order.length;
	const rows = order.slice(0, most).map((g) => ({ g, name: groupPath(g).map(briefName).join(" › ") }));
	const of = new Int32Array(groups.n).fill(most);
	rows.forEach(({ g }, k) => { of[g] = k; });
	if (most < order.length)
		rows.push({ g: -1, name: `${number(order.length - most)} others` });
	return groups.heat = { rows, of };
}

/* Room for the names of the rows, left of the time. */
function stripLeft() {
	if (!state.heat)
		return 0;
	stripPen.font = colours.small;
	heatRows().width ||= Math.max(...heatRows().rows.map(({ name }) =>
		stripPen.measureText(name.slice(0, LONGEST)).width));
	return Math.round(Math.min(heatRows().width + 12, px(240), strip.clientWidth * 0.25));
}

/* As makeBars(), by row: the samples of column k in row r are at r * n + k. */
function makeHeat(n) {
	const { event } = data.whole, { rows, of } = heatRows(), [from, to] = stripRange();
	const all = new Float64Array(rows.length * n), chosen = new Float64Array(rows.length * n);
	const { wanted } = selection, removed = data.old ? null : selection.removed, scale = n / (to - from);
	for (let i = 0; i < event.n; i++) {
		const k = Math.min(n - 1, Math.floor((event.time[i] - from) * scale)), c = event.combo[i];
		if (k < 0 || (removed && removed[i]))
			continue;
		const cell = of[groups.ofCombo[c]] * n + k;
		all[cell] += event.amount[i];
		if (!wanted || wanted[c])
			chosen[cell] += event.amount[i];
	}
	return { all, chosen };
}

/* Begins at the left end of the time. Rows that are not chosen are grey. The others together
 * may have so much that the rest would be pale: the strongest cell is one of a single row. */
function drawHeat(width) {
	const { rows } = heatRows(), { n, cells } = bars, { all, chosen } = makeHeat(n);
	const own = rows.length > 1 && rows[rows.length - 1].g < 0 ? all.subarray(0, -n) : all;
	const most = own.reduce((a, b) => Math.max(a, b), 0) || 1, wide = width / n;
	for (let r = 0; r < rows.length; r++)
		for (let k = 0; k < n; k++) {
			const cell = r * n + k;
			if (!all[cell])
				continue;
			stripPen.globalAlpha = 0.12 + 0.88 * Math.sqrt(Math.min(1, (chosen[cell] || all[cell]) / most));
			stripPen.fillStyle = chosen[cell] ? colours.accent : colours.line;
			stripPen.fillRect(k * wide, r * HEAT_ROW, Math.max(1, wide), HEAT_ROW - 1);
		}
	stripPen.globalAlpha = 1;
	bars.heat = all;
	return cpusText(most, cells);
}

function drawHeatNames(left) {
	const { rows } = heatRows();
	stripPen.font = colours.small;
	stripPen.fillStyle = colours.muted;
	rows.forEach(({ name }, r) => {
		stripPen.fillText(cutMiddle(stripPen, name, left - 10), 0, r * HEAT_ROW + px(10));
	});
}

/* The row that the pointer is on; undefined: none. */
function heatRowAt(event) {
	const y = event.clientY - strip.getBoundingClientRect().top;
	return state.heat ? heatRows().rows[Math.floor(y / HEAT_ROW)] : undefined;
}

const heatItem = (row) => row && row.g > 0 ? { g: row.g, id: -1 } : null;

/* Says what is under the pointer, and lights up its boxes. */
function hoverHeat(event) {
	const row = event && heatRowAt(event), inTime = event && event.offsetX >= stripLeft();
	strip.title = !row ? "Drag to select a range of time, with Shift the one to compare it with"
		: cutLong(row.g < 0 ? row.name : groupPath(row.g).join(" › "));
	if (row && inTime) {
		const [from] = stripRange(), k = Math.min(bars.n - 1, Math.floor((cellAt(event) - from) / bars.cells));
		const amount = bars.heat[heatRows().rows.indexOf(row) * bars.n + k];
		strip.title += `\n${rangeText([from + k * bars.cells, from + (k + 1) * bars.cells])}: ${
			cpusText(amount, bars.cells) || number(amount)}`;
	}
	light(heatItem(row));
}

function toggleHeat() {
	state.heat = !state.heat;
	drawStrip();
	showTools();
	changed("pushState");
}
