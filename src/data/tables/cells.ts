/** @file The cells of a column: a plain array where they are few, else blocks that are as small as what they say. */
import { at } from "../../arrays.js";
import type { CellBlock } from "./cell-blocks.js";

/** Cells of a column, in the order of the rows. An array is one. */
export interface Cells extends Iterable<unknown> {
  readonly length: number;
  at(row: number): unknown;
  forEach(visit: (cell: unknown, row: number) => void): void;
  map<T>(visit: (cell: unknown, row: number) => T): T[];
}

/** The blocks of a column, one after the other. */
export function* blocksOf(cells: Cells): Generator<CellBlock> {
  if (cells instanceof PackedCells) yield* cells.blocks;
  else if (cells instanceof JoinedCells) for (const part of cells.parts) yield* blocksOf(part);
  else yield cells;
}

/** Cells in blocks of one size; the last one may be shorter. */
export class PackedCells implements Cells {
  readonly length: number;
  readonly blocks: readonly CellBlock[];
  readonly #size: number;

  constructor(blocks: readonly CellBlock[], size: number) {
    this.blocks = blocks;
    this.#size = size;
    this.length = blocks.reduce((sum, block) => sum + block.length, 0);
  }

  at(row: number): unknown {
    return this.blocks[Math.floor(row / this.#size)]?.at(row % this.#size);
  }

  forEach(visit: (cell: unknown, row: number) => void): void {
    let first = 0;
    for (const block of this.blocks) {
      for (let i = 0; i < block.length; i++) visit(block.at(i), first + i);
      first += block.length;
    }
  }

  map<T>(visit: (cell: unknown, row: number) => T): T[] {
    const mapped = new Array<T>(this.length);
    this.forEach((cell, row) => {
      mapped[row] = visit(cell, row);
    });
    return mapped;
  }

  *[Symbol.iterator](): Iterator<unknown> {
    for (const block of this.blocks) for (let i = 0; i < block.length; i++) yield block.at(i);
  }
}

/** Cells of several columns, one after the other. */
export class JoinedCells implements Cells {
  readonly length: number;
  readonly parts: readonly Cells[];
  readonly #firsts: readonly number[];

  constructor(parts: readonly Cells[]) {
    let length = 0;
    this.parts = parts;
    this.#firsts = parts.map((part) => {
      length += part.length;
      return length - part.length;
    });
    this.length = length;
  }

  at(row: number): unknown {
    const part = this.#firsts.findLastIndex((first) => first <= row);
    return this.parts[part]?.at(row - at(this.#firsts, part));
  }

  forEach(visit: (cell: unknown, row: number) => void): void {
    this.parts.forEach((part, i) => {
      const first = at(this.#firsts, i);
      part.forEach((cell, row) => {
        visit(cell, first + row);
      });
    });
  }

  map<T>(visit: (cell: unknown, row: number) => T): T[] {
    const mapped = new Array<T>(this.length);
    this.forEach((cell, row) => {
      mapped[row] = visit(cell, row);
    });
    return mapped;
  }

  *[Symbol.iterator](): Iterator<unknown> {
    for (const part of this.parts) yield* part;
  }
}
