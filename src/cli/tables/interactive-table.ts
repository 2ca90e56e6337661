/** @file Shows a table on the whole terminal until its user closes it, and leaves the terminal as it was. */
import { emitKeypressEvents } from "node:readline";
import type { ReadStream, WriteStream } from "node:tty";
import {
  INITIAL_STATE,
  type Key,
  nextState,
  renderView,
  type ViewState,
  type ViewStyle,
  type ViewTable,
} from "./table-view.js";

// ECMA-48 and xterm: alternate screen, cursor, erase, graphic rendition
const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";
const TOP = "\x1b[H";
const ERASE_LINE = "\x1b[K";
const ERASE_BELOW = "\x1b[J";

/** Marks without colour are shown whatever NO_COLOR says. */
function styleOf(hasColour: boolean): ViewStyle {
  const coloured = (code: number, text: string): string => (hasColour ? `\x1b[${code}m${text}\x1b[39m` : text);
  return {
    cursor: (text) => `\x1b[7m${text}\x1b[27m`,
    heading: (text) => `\x1b[1m${coloured(36, text)}\x1b[22m`,
    faint: (text) => `\x1b[2m${text}\x1b[22m`,
    best: (text) => coloured(32, text),
  };
}

/** The two ends of a terminal, as `process.stdin` and `process.stdout` are. */
export interface Terminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
}

/**
 * Resolves when the user quits.
 * @returns whether by Ctrl-C or a signal
 */
export async function showInteractiveTable(
  table: ViewTable,
  { input, output }: Terminal = { input: process.stdin, output: process.stdout },
): Promise<{ readonly interrupted: boolean }> {
  let state: ViewState = INITIAL_STATE;
  const size = () => ({ columns: output.columns || 80, rows: output.rows || 24 });
  const style = styleOf((process.env.NO_COLOR ?? "") === "");
  const draw = (): void => {
    const lines = renderView(table, state, size(), style);
    output.write(`${TOP}${lines.map((line) => line + ERASE_LINE).join("\r\n")}${ERASE_BELOW}`);
  };
  const restore = enterScreen({ input, output });
  try {
    return await new Promise((resolve, reject) => {
      const attempt = (work: () => void): void => {
        try {
          work();
        } catch (error) {
          close(() => reject(error));
        }
      };
      const onKey = (_text: string | undefined, key: Key): void =>
        attempt(() => {
          const next = nextState(table, state, key, size());
          if (next === null) return close(() => resolve({ interrupted: key.name === "c" }));
          state = next;
          draw();
        });
      const onResize = (): void => attempt(draw);
      const onSignal = (): void => close(() => resolve({ interrupted: true }));
      const onEnd = (): void => close(() => resolve({ interrupted: false }));
      const close = (settle: () => void): void => {
        input.off("keypress", onKey).off("end", onEnd);
        output.off("resize", onResize);
        for (const signal of SIGNALS) process.off(signal, onSignal);
        settle();
      };
      input.on("keypress", onKey).on("end", onEnd);
      output.on("resize", onResize);
      for (const signal of SIGNALS) process.on(signal, onSignal);
      attempt(draw);
    });
  } finally {
    restore();
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** @returns what leaves the screen again; done at the process's exit at the latest, and once */
function enterScreen({ input, output }: Terminal): () => void {
  const wasRaw = input.isRaw;
  let isLeft = false;
  const restore = (): void => {
    if (isLeft) return;
    isLeft = true;
    process.off("exit", restore);
    output.write(LEAVE);
    input.setRawMode(wasRaw);
    // an input that is read keeps the process alive
    input.pause();
  };
  process.on("exit", restore);
  emitKeypressEvents(input);
  input.setRawMode(true);
  input.resume();
  output.write(ENTER);
  return restore;
}
