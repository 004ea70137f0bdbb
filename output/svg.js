/*
 * Zoom and search, when a browser opens the file itself: elsewhere the picture is still. Names are only ever
 * shown as text. svg.c has the same sizes.
 */
"use strict";
(() => {
	const WIDTH = 1200, SIDE = 10, PAD = 3, MIN_CHARS = 5, CHAR = 7.25;
	const at = (id) => document.getElementById(id);
	const boxes = Array.from(at("boxes").children, (g) => {
		const [title, rect, text] = g.children, [name, ...rest] = title.textContent.split("\n");
		const x = Number(rect.getAttribute("x")), width = Number(rect.getAttribute("width"));
		return { g, rect, text, name, rest, x, end: x + width, y: Number(rect.getAttribute("y")), isGroup: g.classList.contains("group") };
	});
	const all = boxes[0], whole = at("details").textContent;

	const round = (v) => Math.round(v * 100) / 100;
	const cut = (s, max) => s.length <= max ? s : s.slice(0, Math.floor((max - 1) / 2)) + "…" + s.slice(s.length - Math.ceil((max - 1) / 2));
	/* As label_add() in svg.c. */
	function label(b, width) {
		const max = Math.floor((width - 2 * PAD) / CHAR);
		let name = b.name;
		if (max < MIN_CHARS)
			return "";
		if (!b.isGroup && name.length > max)
			name = name.replace(/^[^[]*\/(?=[^[]*$)/, "");
		if (!b.isGroup && name.length > max)
			name = name.replace(/^[^[]*?\.(?=[^.[]+(\.func\d+|\.\d+)*(\[|$))/, "");
		return cut(name, max);
	}

	function place(b, x, width) {
		b.rect.setAttribute("x", x);
		b.rect.setAttribute("width", width);
		b.text.setAttribute("x", x + PAD);
		b.text.textContent = label(b, width);
	}

	function zoom(to) {
		const scale = (WIDTH - 2 * SIDE) / (to.end - to.x), slack = 0.02;
		for (const b of boxes) {
			const caller = b.y < to.y && b.x <= to.x + slack && b.end >= to.end - slack;
			const inside = b.y >= to.y && b.x >= to.x - slack && b.end <= to.end + slack;
			b.g.style.display = caller || inside ? "" : "none";
			b.g.classList.toggle("callers", caller);
			if (caller)
				place(b, SIDE, WIDTH - 2 * SIDE);
			else if (inside)
				place(b, round(SIDE + (b.x - to.x) * scale), round((b.end - b.x) * scale));
		}
	}

	/* The share is that of the samples with a match anywhere in their stack. */
	function search(words) {
		let find = null, share = 0, end = 0;
		try {
			find = words && new RegExp(words, "i");
		} catch {
			find = { test: (s) => s.includes(words) };
		}
		const found = boxes.filter((b) => {
			const match = Boolean(find) && find.test(b.name);
			b.g.classList.toggle("found", match);
			return match;
		});
		for (const b of found.sort((a, c) => a.x - c.x)) {
			share += Math.max(0, b.end - Math.max(end, b.x));
			end = Math.max(end, b.end);
		}
		at("matched").textContent = words ? `${words}: ${(100 * share / (all.end - all.x)).toFixed(1)}%` : "";
	}

	function ask() {
		const words = prompt("Search functions: a regular expression", "");
		if (words !== null)
			search(words);
	}

	function reset() {
		zoom(all);
		search("");
	}

	for (const b of boxes) {
		b.g.addEventListener("click", () => zoom(b));
		b.g.addEventListener("mouseenter", () => at("details").textContent = [b.name, ...b.rest].join(" · "));
		b.g.addEventListener("mouseleave", () => at("details").textContent = whole);
	}
	at("search").addEventListener("click", ask);
	at("reset").addEventListener("click", reset);
	addEventListener("keydown", (e) => {
		if (e.key == "/" || (e.key == "f" && (e.ctrlKey || e.metaKey))) {
			e.preventDefault();
			ask();
		} else if (e.key == "Escape") {
			reset();
		}
	});
	document.documentElement.dataset.ready = "true";
})();
