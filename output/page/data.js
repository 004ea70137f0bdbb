/* The data: columns of the sections, see output/page_data.h. */

let data;

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

/* The samples of a view: who, when, and which stack. plain: each weighs the period. */
function readSide(column, prefix, strings) {
	const ints = (name) => column(prefix + name, Int32Array);
	const texts = (name) => Array.from(column(prefix + name), (s) => strings[s]);
	const stack = { up: ints("stack.up"), frame: ints("stack.frame") };
	const time = ints("event.time"), count = column(prefix + "event.count");
	const extra = column(prefix + "event.extra"), meta = column(prefix + "meta"), period = meta[2];
	for (let i = 0; i < stack.up.length; i++)
		stack.up[i] = i - stack.up[i];
	let plain = period > 0;
	for (let i = 0; i < time.length; i++) {
		time[i] += i && time[i - 1];
		count[i]++;
		plain &&= !extra[i];
		extra[i] = count[i] * period + (extra[i] % 2 ? -(extra[i] + 1) / 2 : extra[i] / 2);
	}
	return { stack, plain, period, meta, quality: column(prefix + "quality"), selected: meta[7] - meta[6],
		event: { n: time.length, time, count, weight: extra, stack: ints("event.stack"),
			goroutine: ints("event.goroutine"), thread: ints("event.thread"),
			class: ints("event.class") },
		process: { name: texts("process.name"), program: texts("process.program"),
			tgid: column(prefix + "process.tgid") },
		thread: { process: ints("thread.process"), tid: column(prefix + "thread.tid"),
			name: texts("thread.name") },
		goroutine: { goid: column(prefix + "goroutine.goid"),
			parent: column(prefix + "goroutine.parent"),
			process: ints("goroutine.process"), start: texts("goroutine.start"),
			creator: texts("goroutine.creator"), labels: texts("goroutine.labels"),
			lost: ints("goroutine.lost") },
		label: { goroutine: ints("label.goroutine"), key: texts("label.key"),
			value: texts("label.value") } };
}

/* Per key of labels, the values by goroutine; undefined: it has none. */
function readLabels(side) {
	const { label, goroutine } = side, values = new Map();
	for (let i = 0, row = 0; i < label.key.length; i++) {
		row += label.goroutine[i];
		if (!values.has(label.key[i]))
			values.set(label.key[i], new Array(goroutine.goid.length));
		values.get(label.key[i])[row] = label.value[i];
	}
	return values;
}

/* Numbers goroutines: rows that differ in labels only are one. */
function identify(side) {
	const { goid, process } = side.goroutine, ids = new Map();
	const id = new Int32Array(goid.length), first = [];
	for (let row = 0; row < goid.length; row++) {
		const key = row ? `${process[row]} ${goid[row]}` : "";
		if (!ids.has(key)) {
			ids.set(key, first.length);
			first.push(row);
		}
		id[row] = ids.get(key);
	}
	side.goroutine.id = id;	/* 0: none */
	side.goroutine.first = first;	/* by id: a row */
}

/* Who an event belongs to, as one number: goroutine, thread and class. */
function combine(side) {
	const { event, thread } = side, threads = thread.tid.length, classes = data.classes.length;
	const ids = new Map(), combo = new Int32Array(event.n), rows = [];
	for (let i = 0, last = -1, id = 0; i < event.n; i++) {
		const key = (event.goroutine[i] * threads + event.thread[i]) * classes + event.class[i];
		if (key != last) {
			id = ids.get(key);
			if (id == undefined) {
				ids.set(key, id = rows.length);
				rows.push({ goroutine: event.goroutine[i], thread: event.thread[i],
					class: event.class[i] });
			}
		}
		combo[i] = id;
		last = key;
	}
	event.combo = combo;
	side.combos = rows;
}

/* Boxes are as wide as their samples if all weigh the same, else as their weights. data.worth
 * is what an amount of 1 weighs. */
function chooseAmounts({ event, plain, period }, old) {
	data.weighted = !plain || (!!old && (!old.plain || old.period != period));
	data.worth = data.weighted ? 1 : period;
	event.amount = data.weighted ? event.weight : event.count;
	event.other = data.weighted ? event.count : event.weight;
}

/* In parts, between which the browser may react. */
async function readData(raw) {
	const sections = readSections(raw);
	const column = (name, type) => numbers(sections.get(name), type);
	const strings = new TextDecoder().decode(sections.get("strings")).split("\0");
	const texts = (name) => Array.from(column(name), (s) => strings[s]);
	const [title, start, , isTime, kind, duration, from, to, cpus, cell, version, shares] =
		column("meta");
	const func = { name: texts("func.name"), file: texts("func.file"),
		module: texts("func.module"), line: column("func.line", Int32Array),
		kind: column("func.kind", Uint8Array) };
	func.brief = func.name.map(briefName);
	func.bare = func.brief.map((name, f) => func.file[f].endsWith(".go") ? bareName(name) : name);
	data = { title: strings[title], start, isTime, duration, from, to,
		cpus, cell, shares, version: strings[version], kind: strings[kind].replace(/^cpu$/, "CPU"),
		by: texts("by"), options: texts("options"), kinds: texts("kind.name"), classes: texts("class.name"), func,
		frame: { func: column("frame.func", Int32Array), line: column("frame.line", Int32Array),
			inlined: column("frame.inlined", Uint8Array) } };
	await pause();
	data.now = readSide(column, "", strings);
	await pause();
	data.old = sections.has("old.meta") ? readSide(column, "old.", strings) : null;
	for (const side of [data.now, data.old])
		if (side)
			side.labels = readLabels(side);
	chooseAmounts(data.now, data.old);
	if (data.old) {
		const side = joinSides(data.now, data.old);
		data.oldTitle = strings[data.old.meta[0]];
		weighDiff(side);
		data.now = side;
	}
	await pause();
	identify(data.now);
	combine(data.now);
	data.whole = data.now;	/* see ranges.js */
}
