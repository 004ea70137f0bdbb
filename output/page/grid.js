/*
 * A table with as many rows as there are: only those in sight are elements. `fill` writes an
 * item into the cells of a row, `act` is called for what the user does with an item, `point` with
 * the item that the pointer or the keyboard is on, or null, and the pointer's row.
 */

const GRID_ROW = px(26);	/* as in the style */

class Grid {
	constructor(box, { columns, fill, act, sort, point }) {
		Object.assign(this, { box, columns, fill, act, sort, point, items: [], at: 0, made: [] });
		this.head = element("div", { role: "row", class: "head" });
		this.scroller = element("div", { role: "rowgroup", class: "rows", tabindex: "-1" });
		this.spacer = element("div", { role: "presentation" });
		this.scroller.append(this.spacer);
		for (const [key, title, hint] of columns)
			this.head.append(this.header(key, title, hint));
		box.append(this.head, this.scroller);
		this.scroller.addEventListener("scroll", () => this.render());
		this.scroller.addEventListener("click", (e) => this.click(e));
		box.addEventListener("keydown", (e) => this.key(e));
		this.scroller.addEventListener("pointermove", (e) => this.hover(e));
		this.scroller.addEventListener("pointerleave", () => this.hover(null));
		box.addEventListener("focus", () => { this.render(); this.point(this.items[this.at]); });
		box.addEventListener("blur", () => { this.render(); this.point(null); });
		new ResizeObserver(() => this.render()).observe(this.scroller);
	}

	header(key, title, hint) {
		const button = element("button", { type: "button", title: hint, tabindex: "-1" }, title);
		button.addEventListener("click", () => { this.sort(key); });
		return element("span", { role: "columnheader", class: `cell ${key}` }, button);
	}

	rename(key, title, hint) {
		const button = this.head.querySelector(`.${key} button`);
		button.textContent = title;
		button.title = hint;
	}

	/* sorted: the column by which they are. */
	show(items, sorted, rising) {
		this.items = items;
		this.at = Math.min(this.at, Math.max(0, items.length - 1));
		this.box.setAttribute("aria-rowcount", items.length + 1);
		this.spacer.style.height = `${items.length * GRID_ROW}px`;
		for (const cell of this.head.children) {
			if (cell.classList.contains(sorted))
				cell.setAttribute("aria-sort", rising ? "ascending" : "descending");
			else
				cell.removeAttribute("aria-sort");
		}
		this.render();
	}

	row(k) {
		if (!this.made[k]) {
			const row = element("div", { role: "row", class: "row" });
			for (const [key] of this.columns)
				row.append(element("span", { role: "gridcell", class: `cell ${key}` }));
			this.scroller.append(row);
			this.made[k] = row;
		}
		return this.made[k];
	}

	render() {
		const { scroller, items, box } = this, top = Math.floor(scroller.scrollTop / GRID_ROW);
		const n = Math.ceil(scroller.clientHeight / GRID_ROW) + 1;
		const bottom = Math.min(items.length, top + n), focused = document.activeElement == box;
		box.removeAttribute("aria-activedescendant");
		this.width = box.clientWidth;
		box.classList.toggle("roomy", this.width >= ROOMY);
		box.classList.toggle("wide", this.width >= WIDE);
		box.classList.toggle("widest", this.width >= WIDEST);
		for (let k = 0; k < Math.max(n, this.made.length); k++) {
			const i = top + k, row = this.row(k);
			row.hidden = i >= bottom;
			if (row.hidden)
				continue;
			row.id = `${box.id}-${i}`;
			row.style.transform = `translateY(${i * GRID_ROW}px)`;
			row.setAttribute("aria-rowindex", i + 2);
			row.classList.toggle("at", focused && i == this.at);
			this.fill(row, items[i]);
			if (i == this.at)
				box.setAttribute("aria-activedescendant", row.id);
		}
	}

	/* The index of the item of which the pointer is on the row; -1: on none. */
	itemAt(event) {
		const row = event.target.closest(".row");
		return row ? Number(row.id.slice(this.box.id.length + 1)) : -1;
	}

	/* Back on the row of the keyboard, if the pointer is on none. */
	hover(event) {
		const i = event ? this.itemAt(event) : -1, focused = document.activeElement == this.box;
		this.point(i >= 0 ? this.items[i] : focused ? this.items[this.at] : null,
			event?.target.closest(".row"));
	}

	click(event) {
		const i = this.itemAt(event);
		if (i < 0)
			return;
		this.at = i;
		const part = event.target.closest("[data-part]")?.dataset.part || "";
		this.act(this.items[this.at], part, event);
		this.render();
	}

	key(event) {
		const page = Math.max(1, Math.floor(this.scroller.clientHeight / GRID_ROW) - 1);
		const step = { ArrowUp: -1, ArrowDown: 1, PageUp: -page, PageDown: page,
			Home: -Infinity, End: Infinity }[event.key];
		const part = { ArrowRight: "open", ArrowLeft: "close", Enter: "", " ": "" }[event.key];
		if (event.altKey || event.metaKey || !this.items.length || event.target != this.box)
			return;
		if (step) {
			this.at = Math.max(0, Math.min(this.items.length - 1, this.at + step));
			this.reveal();
			this.point(this.items[this.at]);
		} else if (part != undefined) {
			this.act(this.items[this.at], part, event);
		} else {
			return;
		}
		event.preventDefault();
		event.stopPropagation();
		this.render();
	}

	reveal() {
		const y = this.at * GRID_ROW, { scroller } = this;
		scroller.scrollTop = Math.min(y, Math.max(scroller.scrollTop,
			y + GRID_ROW - scroller.clientHeight));
	}
}

/* A name in a cell that is as wide as this, in px. */
let cellPen;
function cellText(text, room) {
	cellPen ||= document.createElement("canvas").getContext("2d");
	cellPen.font = `${13 * fontScale}px ${getComputedStyle(document.body).fontFamily}`;
	return cutMiddle(cellPen, text, room);
}
