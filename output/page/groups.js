/*
 * Groups: what the samples are grouped by. A group is a row of `groups`, 0 is all. Its
 * parent is a row before it; events belong to innermost ones.
 */

let groups;	/* { by, levels, value, kind, parent, level, ofCombo, n } */

const NEEDS_GOROUTINE = (key) => /^(goroutine|start|creator|label:)/.test(key);

/* What the groups may be by. */
function groupKeys() {
	const side = data.now, keys = data.oldTitle ? ["start", "creator"] : ["start", "goroutine", "creator"];
	keys.push(...Array.from(side.labels.keys(), (key) => `label:${key}`).sort());
	keys.push(...data.oldTitle ? [] : ["thread"], "class");
	if (new Set(side.process.name).size > 1)
		keys.push(...data.oldTitle ? [] : ["process"], "program");
	return keys;
}

const keyTitle = (key) => ({ start: "Start function", goroutine: "Goroutine",
	creator: "Created by", thread: "Thread", class: "Class", process: "Process",
	program: "Program", none: "None" })[key] || `Label ${key.slice(6)}`;

/*
 * The group that the samples of a combo are in: what kind of value it has, and the value as the
 * text report says it. Groups of different kinds are different, even if they are called the same.
 */
function groupValue(side, key, combo) {
	const g = combo.goroutine, { goroutine, thread } = side, t = combo.thread;
	if (!g && NEEDS_GOROUTINE(key))
		return ["class", `[${data.classes[combo.class]}]`];
	if (key == "goroutine")
		return [data.oldTitle ? "" : `${goroutine.id[g]}`,
			`goroutine ${goroutine.goid[g]} ${goroutine.start[g]}`.trim()];
	if (key == "start" || key == "creator")
		return goroutine[key][g] ? ["", goroutine[key][g]] : ["unknown", "[unknown]"];
	if (key == "class")
		return ["", data.classes[combo.class]];
	if (key == "thread")
		return ["", `${thread.tid[t]} ${thread.name[t]}`.trim()];
	if (key == "process")
		return ["", side.process.name[thread.process[t]]];
	if (key == "program")
		return ["", side.process.program[thread.process[t]]];
	return labelValue(side, key.slice(6), g);
}

function labelValue(side, name, row) {
	const value = side.labels.get(name)?.[row];
	if (value == undefined)
		return side.goroutine.lost[row] ? ["lost", "…"] : ["unset", `(no ${name})`];
	return value ? ["", value] : ["empty", '""'];
}

/* The keys with the process before them, where that is not said otherwise. */
function groupLevels(by) {
	/* ids never match between recordings */
	const level = data.oldTitle ? "program" : "process";
	const several = new Set(data.now.process[data.oldTitle ? "program" : "name"]).size > 1;
	const said = by.some((key) => key == "process" || key == "program");
	return several && !said && by.length ? [level, ...by] : by;
}

function makeGroups(by) {
	const side = data.now, levels = groupLevels(by), ids = new Map();
	const ofCombo = new Int32Array(side.combos.length);
	lit = null;
	groups = { by, levels, value: ["all"], kind: [""], parent: [0], level: [0], ofCombo, side };
	side.combos.forEach((combo, c) => {
		let at = 0;
		levels.forEach((key, level) => {
			const [kind, value] = groupValue(side, key, combo), id = `${at} ${kind} ${value}`;
			if (!ids.has(id)) {
				ids.set(id, groups.value.length);
				groups.value.push(value);
				groups.kind.push(kind);
				groups.parent.push(at);
				groups.level.push(level + 1);
			}
			at = ids.get(id);
		});
		ofCombo[c] = at;
	});
	groups.n = groups.value.length;
	groups.brief = groups.value.map(briefName);
	groups.inner = new Uint8Array(groups.n);
	ofCombo.forEach((g) => { groups.inner[g] = 1; });
	countGoroutines();
}

/* By group: how many goroutines are in it, and the combos of the innermost. */
function countGoroutines() {
	const { side, ofCombo, parent } = groups, seen = new Set();
	groups.goroutines = new Int32Array(groups.n);
	groups.combos = Array.from({ length: groups.n }, () => []);
	ofCombo.forEach((g, c) => {
		const id = side.goroutine.id[side.combos[c].goroutine];
		groups.combos[g].push(c);
		for (let at = g; id; at = parent[at]) {
			const key = at * side.goroutine.first.length + id;
			if (seen.has(key))
				break;
			seen.add(key);
			groups.goroutines[at]++;
			if (!at)
				break;
		}
	});
}

/* "process › start", from the outermost. */
function groupPath(g) {
	const path = [];
	for (; g; g = groups.parent[g])
		path.unshift(groups.value[g]);
	return path;
}

/* Is group g inside the group `of`, or the same? */
function groupIn(g, of) {
	while (groups.level[g] > groups.level[of])
		g = groups.parent[g];
	return g == of;
}
