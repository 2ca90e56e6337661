/** @file What runs while a sweep works: a line for each trial that ends and, on a terminal, those that are training. */
import type { StudyEvent } from "../../sweeping/study/study-event.js";

/** A stream that may be a terminal. */
export interface Screen {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const REDRAW_MS = 100;
const BAR = 20;

/** Owns the last lines of a terminal. Close it. */
export class LiveTable {
  readonly #screen: Screen;
  readonly #running = new Map<number, { readonly epoch: number; readonly epochs: number; readonly share: number }>();
  #drawn = 0;
  #last = 0;
  #status = "";

  constructor(screen: Screen) {
    this.#screen = screen;
  }

  tell(event: StudyEvent): void {
    if (event.kind === "ended") this.#running.delete(event.number);
    else if (event.kind === "begun") this.#running.set(event.number, { epoch: 1, epochs: 0, share: 0 });
    else if (event.kind === "step") this.#running.set(event.number, event);
    if (event.kind !== "step" || performance.now() - this.#last > REDRAW_MS) this.#draw();
  }

  /** @param status what stands below the lines: how far the study is */
  line(text: string, status: string): void {
    this.#clear();
    this.#screen.write(`${text}\n`);
    this.#status = status;
    this.#draw();
  }

  close(): void {
    this.#clear();
  }

  #draw(): void {
    if (this.#screen.isTTY !== true) return;
    this.#clear();
    const rows = [...this.#running].map(([number, { epoch, epochs, share }]) => {
      const done = epochs === 0 ? 0 : (epoch - 1 + share) / epochs;
      const bar = "█".repeat(Math.round(done * BAR)).padEnd(BAR, "░");
      return `  trial ${number}  ${bar}  ${epochs === 0 ? "beginning" : `epoch ${epoch} of ${epochs}`}`;
    });
    const lines = [...rows, ...(this.#status === "" ? [] : [this.#status])];
    this.#screen.write(lines.map((line) => `${line}\n`).join(""));
    this.#drawn = lines.length;
    this.#last = performance.now();
  }

  #clear(): void {
    // up to the first of our lines, and everything below it away
    if (this.#drawn > 0) this.#screen.write(`\u001b[${this.#drawn}A\u001b[0J`);
    this.#drawn = 0;
  }
}
