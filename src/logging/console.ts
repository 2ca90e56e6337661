/** @file Progress on stderr: a bar on a terminal, one line per epoch elsewhere. */
import type { SingleBar } from "cli-progress";
import { printable, printableLine } from "../platform/printable.js";
import type { EpochSummary, RunLogger, StepProgress, WorkProgress } from "./run-logger.js";

/** A stream like `process.stderr`. */
export type TextStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** Seconds as `1:05` or `2:03:04`. */
export function formatSeconds(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.max(0, Math.round(seconds));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** Opens the console logger; the bar's library is loaded only for a terminal. */
export async function openConsoleLogger(stream: TextStream): Promise<RunLogger> {
  if (stream.isTTY !== true) return lineLogger((text) => stream.write(text));
  const { default: progress } = await import("cli-progress");
  return new BarLogger(stream, progress.SingleBar);
}

function epochLine(summary: EpochSummary): string {
  const { epoch, epochs, trainLoss, validLoss, learningRate, rowsPerSecond, seconds, improved } = summary;
  const valid = Number.isNaN(validLoss) ? "" : `  valid loss ${validLoss.toFixed(4)}${improved ? " *" : "  "}`;
  const width = String(epochs).length;
  return `epoch ${String(epoch).padStart(width)}/${epochs}  train loss ${trainLoss.toFixed(4)}${valid}  lr ${learningRate.toExponential(1)}  ${Math.round(rowsPerSecond)} rows/s  ${formatSeconds(seconds)}`;
}

/** One line per event, for files and pipes. */
export function lineLogger(write: (text: string) => void): RunLogger {
  let working = "";
  return {
    message: (line) => write(`${printable(line)}\n`),
    warning: (line) => write(`warning: ${printable(line)}\n`),
    work({ what, total }) {
      if (what !== working) write(`${printableLine(what)} (${total})\n`);
      working = what;
    },
    epoch: (summary) => write(`${epochLine(summary)}\n`),
  };
}

/** A bar that is redrawn in place; lines are printed above it. */
class BarLogger implements RunLogger {
  readonly #bar: SingleBar;
  #current: string | null = null;

  constructor(
    private readonly stream: TextStream,
    Bar: typeof SingleBar,
  ) {
    this.#bar = new Bar({
      stream,
      format: "{what} [{bar}] {value}/{total} {detail}",
      barsize: 24,
      barCompleteChar: "█",
      barIncompleteChar: "░",
      hideCursor: true,
      clearOnComplete: true,
      // Ctrl-C is the command's to handle; the library would end the process
      gracefulExit: false,
    });
  }
  message(line: string): void {
    this.#pause();
    this.stream.write(`${printable(line)}\n`);
  }
  warning(line: string): void {
    this.message(`warning: ${line}`);
  }
  work({ what, done, total }: WorkProgress): void {
    this.#show(what, done, total, "");
    if (done >= total) this.#pause();
  }
  step({ epoch, epochs, batch, batches, loss, rowsPerSecond, secondsLeft }: StepProgress): void {
    const detail = `loss ${loss.toFixed(4)}  ${Math.round(rowsPerSecond)} rows/s  ${formatSeconds(secondsLeft)} left`;
    this.#show(`epoch ${epoch}/${epochs}`, batch, batches, detail);
  }
  epoch(summary: EpochSummary): void {
    this.message(epochLine(summary));
  }
  close(): void {
    this.#pause();
  }
  #show(what: string, value: number, total: number, detail: string): void {
    if (this.#current !== what) {
      this.#pause();
      this.#bar.start(total, value, { what: printableLine(what), detail });
      this.#current = what;
    } else this.#bar.update(value, { what: printableLine(what), detail });
  }
  #pause(): void {
    if (this.#current === null) return;
    this.#bar.stop();
    this.#current = null;
  }
}
