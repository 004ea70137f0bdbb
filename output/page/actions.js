/* What can be done with a box: the menu, and copies. */

async function copy(text, what) {
	try {
		await navigator.clipboard.writeText(text);
	} catch {	/* not allowed here: the old way */
		const area = element("textarea", { readonly: "" });
		area.value = text;
		document.body.append(area);
		area.select();
		document.execCommand("copy");
		area.remove();
	}
	say(`${what} copied`);
}

let saying;
function say(text) {
	byId("said").textContent = text;
	clearTimeout(saying);
	saying = setTimeout(() => { byId("said").textContent = ""; }, 2500);
}

/* From the leaf to the root, as stack traces are written. */
function stackOf({ pane, node }) {
	const t = pane.tree, lines = [];
	for (let i = node; i || (panes[1] && !lines.length); i = t.up[i])
		lines.push(nodeText(t, i));
	if (panes[1] && node)
		lines.push(nodeText(t, 0));
	return pane.flip || state.mode == "reverse" ? lines.reverse() : lines;
}

const quoted = (text) => `'${text.replace(/'/g, "'\\''")}'`;
const literal = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replace(/,/g, "\\x2c");

/* The name of the pprof file that export writes, if it lies beside the page. */
function pprofFile() {
	const name = decodeURIComponent(location.pathname.split("/").pop() || "").replace(/\.html?$/, "");
	return `${name || "profile"}.pb.gz`;
}

/* What selects a group in go tool pprof. */
function tagFocus(g) {
	const ret = [];
	for (; g && g < groups.n; g = groups.parent[g]) {
		const key = groups.levels[groups.level[g] - 1], value = groups.value[g];
		if (/^[a-z]/.test(groups.kind[g]))	/* it is no value of a tag */
			continue;
		if (key == "start")
			ret.push(`-tagfocus=${quoted(`go_start=^${literal(value)}$`)}`);
		else if (key == "goroutine")
			ret.push(`-tagfocus=${quoted(`goid=${value.split(" ")[1]}`)}`);
		else if (key == "creator")
			ret.push(`-tagfocus=${quoted(`go_created_by=^${literal(value)}$`)}`);
		else if (key.startsWith("label:"))
			ret.push(`-tagfocus=${quoted(`${key.slice(6)}=^${literal(value)}$`)}`);
	}
	return ret;
}

function pprofCommand({ pane, node }) {
	const t = pane.tree, label = t.label[node];
	const name = label >= 0 ? data.func.name[labels.func[label]] : "";
	return ["go tool pprof -http=:", ...(name ? [`-focus=${quoted(`^${literal(name)}$`)}`] : []),
		...tagFocus(t.group[node]), quoted(pprofFile())].join(" ");
}

function removeBox({ pane, node }) {
	const t = pane.tree, label = t.label[node];
	if (!node || state.mode != "graph" || ~label == groups.n)
		return;
	const g = t.grouped ? t.group[node] : 0;
	set({ removed: [...state.removed, { row: label < 0 ? 0 : trie.row[t.at[node]], g }] },
		"pushState");
}

/* Each: key, text, what it does; when it makes sense. */
const ACTIONS = [
	["Enter", "Zoom", ({ pane, node }) => zoomTo(pane, node), () => true],
	["f", "Callers and callees", ({ pane, node }) => sandwich(pane.tree.label[node]),
		({ pane, node }) => pane.tree.label[node] >= 0],
	["h", "Search for this name", ({ pane, node }) => setQuery(nodeText(pane.tree, node)),
		({ node }) => node > 0 || state.mode == "sandwich"],
	["x", "Remove this stack", removeBox, ({ node }) => node > 0 && state.mode == "graph"],
	["c", "Copy name", ({ pane, node }) => copy(nodeText(pane.tree, node), "Name"), () => true],
	["s", "Copy stack", (place) => copy(stackOf(place).join("\n"), "Stack"), () => true],
	["p", "Copy as pprof command", (place) => copy(pprofCommand(place), "Command"), () => true],
];

function openMenu(place, x, y) {
	const menu = byId("menu");
	focused = place;
	describe(byId("details"), place);
	hover(null);
	menu.replaceChildren(...ACTIONS.filter(([, , , fits]) => fits(place)).map(([key, text, act]) => {
		const item = element("button", { type: "button", role: "menuitem" },
			element("span", {}, text), element("kbd", {}, key));
		item.addEventListener("click", () => { closeMenu(); act(place); });
		return item;
	}));
	menu.hidden = false;
	menu.style.left = `${Math.max(4, Math.min(x, innerWidth - menu.offsetWidth - 8))}px`;
	menu.style.top = `${Math.max(4, Math.min(y, innerHeight - menu.offsetHeight - 8))}px`;
	menu.querySelector("button").focus();
	redraw();
}

function closeMenu() {
	const menu = byId("menu");
	if (menu.hidden)
		return false;
	menu.hidden = true;
	graph.focus();
	return true;
}

function menuKey(event) {
	const items = [...byId("menu").querySelectorAll("button")];
	const at = items.indexOf(document.activeElement);
	const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
	if (step)
		items[(at + step + items.length) % items.length].focus();
	else if (event.key == "Escape" || event.key == "Tab")
		closeMenu();
	else
		return;
	event.preventDefault();
	event.stopPropagation();
}
