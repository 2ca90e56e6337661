/** @file A grid of dots, eight to a character: Unicode's braille patterns. */

/** Bits of a cell's dots by row and column (Unicode Standard, Braille Patterns). */
const BITS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;
const BLANK = 0x2800;
/** Dots of a cell across and down. */
export const ACROSS = 2;
export const DOWN = 4;

/** A picture of dots; each cell remembers who drew into it last. */
export class DotGrid {
  readonly columns: number;
  readonly rows: number;
  readonly #bits: Uint8Array;
  readonly #owners: Int16Array;

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
    this.#bits = new Uint8Array(columns * rows);
    this.#owners = new Int16Array(columns * rows).fill(-1);
  }

  /** What lies outside is left out. @param x dots from the left; @param y dots from the top */
  dot(x: number, y: number, owner: number): void {
    const [column, row] = [Math.floor(x / ACROSS), Math.floor(y / DOWN)];
    if (column < 0 || row < 0 || column >= this.columns || row >= this.rows) return;
    const index = row * this.columns + column;
    const bit = BITS[y % DOWN]?.[x % ACROSS] ?? 0;
    this.#bits[index] = (this.#bits[index] ?? 0) | bit;
    this.#owners[index] = owner;
  }

  /** A straight line between two dots, ends included (Bresenham 1965). */
  line(x1: number, y1: number, x2: number, y2: number, owner: number): void {
    const [width, height] = [Math.abs(x2 - x1), Math.abs(y2 - y1)];
    const [stepX, stepY] = [Math.sign(x2 - x1), Math.sign(y2 - y1)];
    let [x, y, error] = [x1, y1, width - height];
    for (;;) {
      this.dot(x, y, owner);
      if (x === x2 && y === y2) return;
      const doubled = 2 * error;
      if (doubled > -height) {
        error -= height;
        x += stepX;
      }
      if (doubled < width) {
        error += width;
        y += stepY;
      }
    }
  }

  /** A cell's character, and who drew into it last; a space and -1 where nobody did. */
  cell(column: number, row: number): { readonly text: string; readonly owner: number } {
    const index = row * this.columns + column;
    const bits = this.#bits[index] ?? 0;
    if (bits === 0) return { text: " ", owner: -1 };
    return { text: String.fromCharCode(BLANK + bits), owner: this.#owners[index] ?? -1 };
  }
}
