/** @file The whole terminal, lent to a view: keys, size, suspension, and the way back. */
import { emitKeypressEvents, type Interface } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import type { Key } from "../tables/table-view.js";
import { type Grid, paint } from "./grid.js";

// ECMA-48 and xterm: alternate screen, cursor, no wrapping at the right edge
const ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l";
const LEAVE = "\x1b[0m\x1b[?7h\x1b[?25h\x1b[?1049l";
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** After so long an escape is the key, not the begin of another one: Node waits for half a second. */
const ESCAPE = { escapeCodeTimeout: 100 } as unknown as Interface;

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

export interface ScreenEvents {
  readonly onKey: (key: Key) => void;
  readonly onResize: () => void;
  /** Ctrl-C or a signal, or the terminal has gone. */
  readonly onEnd: (interrupted: boolean) => void;
}

export class Screen {
  readonly #input: ReadStream;
  readonly #output: WriteStream;
  readonly #events: ScreenEvents;
  #shown: Grid | null = null;
  #isEntered = false;
  #isBehind = false;

  /** Takes the terminal; `close` gives it back, and so does the end of the process. */
  constructor(events: ScreenEvents, input: ReadStream = process.stdin, output: WriteStream = process.stdout) {
    this.#input = input;
    this.#output = output;
    this.#events = events;
    emitKeypressEvents(input, ESCAPE);
    input.on("keypress", this.#onKey).on("end", this.#onGone);
    output.on("resize", this.#onResize).on("error", this.#onGone);
    for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    process.on("SIGCONT", this.#onContinue).on("exit", this.#leave);
    this.#enter();
  }

  get size(): Size {
    return { columns: this.#output.columns || 80, rows: this.#output.rows || 24 };
  }

  /** Shows a picture, by what differs from the one before. A terminal that is slow to read misses pictures, not the last one. */
  show(grid: Grid): void {
    if (!this.#isEntered || this.#isBehind) return;
    const text = paint(this.#shown, grid);
    this.#shown = grid;
    if (text === "" || this.#output.write(text)) return;
    this.#isBehind = true;
    this.#output.once("drain", () => {
      this.#isBehind = false;
      this.#events.onResize();
    });
  }

  close(): void {
    this.#input.off("keypress", this.#onKey).off("end", this.#onGone);
    this.#output.off("resize", this.#onResize).off("error", this.#onGone);
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
    process.off("SIGCONT", this.#onContinue).off("exit", this.#leave);
    this.#leave();
    // an input that is read keeps the process alive
    this.#input.pause();
  }

  #enter(): void {
    this.#isEntered = true;
    this.#shown = null;
    this.#input.setRawMode(true);
    this.#input.resume();
    this.#output.write(ENTER);
  }

  readonly #leave = (): void => {
    if (!this.#isEntered) return;
    this.#isEntered = false;
    try {
      this.#output.write(LEAVE);
      this.#input.setRawMode(false);
    } catch {
      // the terminal has gone
    }
  };

  readonly #onKey = (_text: string | undefined, key: Key): void => {
    if (key.ctrl === true && key.name === "c") this.#events.onEnd(true);
    else if (key.ctrl === true && key.name === "z") this.#suspend();
    else this.#events.onKey(key);
  };

  /** As the terminal itself does where it is not read key by key: its shell has it until `fg`. */
  #suspend(): void {
    this.#leave();
    process.kill(0, "SIGTSTP");
  }

  readonly #onContinue = (): void => {
    this.#leave();
    this.#enter();
    this.#events.onResize();
  };

  readonly #onResize = (): void => {
    // what a terminal makes of its old picture is its own affair
    this.#shown = null;
    this.#events.onResize();
  };

  readonly #onSignal = (): void => this.#events.onEnd(true);
  readonly #onGone = (): void => this.#events.onEnd(false);
}
