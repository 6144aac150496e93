// A virtual list: only the visible rows exist, positioned by transform in a box as high as the whole list.

const SPARE_ROWS = 8;

export class VirtualList {
  /**
   * @param box     the element that holds the rows
   * @param make    () => a new row
   * @param fill    (row, item, index): show an item; an undefined item is not loaded yet
   * @param wanted  (index): rows up to `index` came into sight
   */
  constructor(box, { make, fill, wanted }) {
    Object.assign(this, { box, make, fill, wanted, items: [], total: 0, shown: new Map(), spare: [], waiting: false });
    addEventListener("scroll", () => this.later(), { passive: true });
    addEventListener("resize", () => this.later());
  }

  /** Show these items; `total` may be larger than the number of items loaded. */
  set(items, total) {
    this.items = items;
    this.total = Math.max(total, items.length);
    this.later();
  }

  later() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.draw();
    });
  }

  height() {
    return parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));
  }

  /** Place the visible rows; a row stays with its lift, so that focus and pointer stay too. */
  draw() {
    const high = this.height(), top = -this.box.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / high) - SPARE_ROWS);
    const last = Math.min(this.total, Math.ceil((top + innerHeight) / high) + SPARE_ROWS);
    this.box.style.height = `${this.total * high}px`;
    const keys = new Map();
    for (let i = first; i < last; i += 1) keys.set(this.items[i]?.lift_id ?? `#${i}`, i);
    for (const [key, row] of this.shown) if (!keys.has(key)) this.recycle(key, row);
    let after = null;
    for (const [key, i] of keys) {
      const row = this.shown.get(key) ?? this.spare.pop() ?? this.make();
      this.shown.set(key, row);
      row.hidden = false;
      row.style.transform = `translateY(${i * high}px)`;
      row.setAttribute("aria-rowindex", i + 2);
      this.fill(row, this.items[i], i);
      const place = after ? after.nextSibling : this.box.firstChild;
      if (row !== place) this.box.insertBefore(row, place);
      after = row;
    }
    if (last > this.items.length) this.wanted(last);
  }

  recycle(key, row) {
    row.hidden = true;
    row.classList.remove("glow");
    this.shown.delete(key);
    this.spare.push(row);
  }

  /** Return the row of a lift, if it is visible. */
  rowOf(lift_id) {
    return this.shown.get(lift_id);
  }
}
