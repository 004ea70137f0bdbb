/* What the list knows of a row besides its cost: made for rows in sight only. */

const SPARK = 32;	/* bars of a spark line */
/* px from which on there are spark lines, columns of figures, and one of where it comes from */
const ROOMY = px(460), WIDE = px(760), WIDEST = px(960);

/* The time that is listed, in cells. */
const listedRange = () => state.time || stripRange();

/* { samples, first, last (cells), spark, top: [label, amount] }; top is where most samples were */
function rowFacts({ g, id }) {
	const key = `${g}.${id}`, facts = selection.facts ||= new Map();
	if (facts.has(key))
		return facts.get(key);
	const { event, goroutine } = data.now, { ids, starts } = selection.rows, [from, to] = listedRange();
	const f = { samples: 0, first: Infinity, last: 0, spark: new Float64Array(SPARK), top: [-1, 0] };
	const { of: nodes, label } = trie, self = new Float64Array(labels.n);
	const bar = SPARK / (to - from);
	for (let of = g; of < (groups.inner[g] ? g + 1 : groups.n); of++)
		for (let e = groupIn(of, g) ? starts[of] : starts[of + 1]; e < starts[of + 1]; e++) {
			const i = ids[e], node = nodes[event.stack[i]], time = event.time[i], amount = event.amount[i];
			if (id >= 0 && goroutine.id[event.goroutine[i]] != id)
				continue;
			f.samples += event.count[i];
			f.first = Math.min(f.first, time);
			f.last = Math.max(f.last, time + 1);
			f.spark[Math.max(0, Math.min(SPARK - 1, Math.floor((time - from) * bar)))] += amount;
			if (node)
				self[label[node]] += amount;
		}
	for (let l = 0; l < labels.n; l++)
		if (self[l] > f.top[1])
			f.top = [l, self[l]];
	facts.set(key, f);
	return f;
}

/* "" where samples are not CPU time. */
function coreShare(amount) {
	const [from, to] = listedRange(), ns = state.time ? (to - from) * data.cell
		: data.now.selected || data.duration;
	return data.kind == "CPU" && ns ? share(amount * data.worth, ns) : "";
}

function factsText(item) {
	const f = rowFacts(item), core = coreShare(item.amount), [label, most] = f.top;
	return [count(f.samples, "sample"), `seen ${rangeText([f.first, f.last])}`, core && `${core} of one core`,
		label >= 0 && `most in ${labels.brief[label]} (${share(most, item.amount)})`].filter(Boolean).join(" · ");
}

const rowTitle = (item) => `${cutLong(item.name)}\n${item.id < 0 ? groupFacts(item.g) : goroutineFacts(item.id)}`;

/* The row under the pointer says all, whatever the width. */
function pointGroup(item, row) {
	if (!isCurrent())
		return;
	light(item);
	const title = item && row && !data.old && `${rowTitle(item)}\n${factsText(item)}`;
	if (title && row.title != title)
		row.title = title;
}

/* The cells that there is room for. */
function fillFacts(cells, item, width) {
	if (data.old || width < ROOMY)
		return;
	const [spark, seen, samples, core, top, origin] = cells, f = rowFacts(item);
	drawSpark(spark, f.spark);
	if (width < WIDE)
		return;
	seen.textContent = rangeText([f.first, f.last]);
	samples.textContent = number(f.samples);
	core.textContent = coreShare(item.amount);
	top.textContent = f.top[0] < 0 ? "" : labels.brief[f.top[0]].slice(0, LONGEST);
	if (width >= WIDEST)
		origin.textContent = originOf(item).slice(0, LONGEST);
}

function originOf({ g, id }) {
	if (id < 0)
		return groupFacts(g, false);
	return goroutineFacts(id, false);
}

function drawSpark(cell, bars) {
	const box = cell.firstChild || cell.appendChild(element("canvas", { "aria-hidden": "true" }));
	const dpr = devicePixelRatio || 1, most = bars.reduce((a, b) => Math.max(a, b), 0);
	box.width = 2 * SPARK * dpr;
	box.height = 16 * dpr;
	const spark = box.getContext("2d");
	spark.scale(dpr, dpr);
	spark.fillStyle = colours.accent;
	bars.forEach((v, k) => {
		const h = v && Math.max(1, v / most * 15);
		spark.fillRect(2 * k, 16 - h, 1.6, h);
	});
}
