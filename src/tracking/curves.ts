/** @file The points of a run that is tracked: checked, numbered, and gathered until they are written. */
import { nearestNames, UsageError } from "../errors.js";
import type { MetricPoint, Split } from "../tasks/evaluation.js";
import { KNOWN_SPLITS, type NameReader, splitOf } from "./names.js";

/** Where on their curves values belong. */
export interface LogOptions {
  /** A whole number, 0 or more; default: the one after the last of each curve, the first being 1. */
  readonly step?: number | undefined;
  /** `train`, `valid` or `test` (`val`, `dev`, … are understood) of names that tell none; default `train`. */
  readonly split?: string | undefined;
  /** Epochs done; the run shows the highest. */
  readonly epoch?: number | undefined;
  /** Seconds since 1970; default: now. */
  readonly time?: number | undefined;
}

/** Values by name: a number, NaN and the infinities included; null where there is none. */
export type LoggedValues = Readonly<Record<string, number | null | undefined>>;

/** Gathers points; `take` hands them out to be written. */
export class Curves {
  readonly #names: NameReader;
  readonly #lastSteps: Map<string, number>;
  readonly #onBack: (name: string, step: number, last: number) => void;
  #points: MetricPoint[] = [];

  /**
   * @param before the last points of a run that goes on
   * @param onBack is told of the first step that goes back
   */
  constructor(
    names: NameReader,
    before: readonly MetricPoint[],
    onBack: (name: string, step: number, last: number) => void,
  ) {
    this.#names = names;
    this.#lastSteps = new Map(before.map((point) => [keyOf(point), point.step]));
    this.#onBack = onBack;
  }

  get waiting(): number {
    return this.#points.length;
  }

  /** @throws UsageError for a value, step, split or name that cannot be kept; nothing of the call is then */
  add(values: LoggedValues, options: LogOptions = {}): void {
    assertRecord("log(values)", values);
    assertRecord("log(values, options)", options);
    const unknown = Object.keys(options).find((key) => !LOG_OPTIONS.has(key));
    if (unknown !== undefined) throw unknownOption(unknown);
    const { epoch = null, time = Date.now() / 1000 } = options;
    if (options.step !== undefined) assertWhole("step", options.step);
    if (epoch !== null) assertWhole("epoch", epoch);
    if (!Number.isFinite(time)) throw new UsageError(`"time" is ${time}; expected seconds since 1970.`, { time });
    const split = splitNamed(options.split ?? "train");
    const points: MetricPoint[] = [];
    for (const name of Object.keys(values)) {
      const value = values[name];
      if (value === undefined) continue;
      if (value !== null && typeof value !== "number") throw notANumber(name, value);
      const curve = this.#names.read(name, split);
      const last = this.#lastSteps.get(keyOf(curve)) ?? 0;
      points.push({ ...curve, step: options.step ?? last + 1, epoch, value, wallTime: time });
    }
    for (const point of points) this.#keep(point);
  }

  #keep(point: MetricPoint): void {
    const key = keyOf(point);
    const last = this.#lastSteps.get(key);
    if (last === undefined || point.step > last) this.#lastSteps.set(key, point.step);
    else if (point.step < last) this.#onBack(`${point.split}/${point.taskPath}/${point.metricName}`, point.step, last);
    this.#points.push(point);
  }

  take(): readonly MetricPoint[] {
    const points = this.#points;
    this.#points = [];
    return points;
  }

  /** Puts back what could not be written. */
  giveBack(points: readonly MetricPoint[]): void {
    this.#points = [...points, ...this.#points];
  }
}

function keyOf({ split, taskPath, metricName }: Pick<MetricPoint, "split" | "taskPath" | "metricName">): string {
  return `${split}\n${taskPath}\n${metricName}`;
}

/** @throws UsageError */
export function splitNamed(word: string): Split {
  const split = splitOf(String(word));
  if (split !== undefined) return split;
  throw new UsageError(
    `"split" is ${JSON.stringify(word)}; expected train, valid or test (or ${KNOWN_SPLITS.join(", ")}).`,
    { split: word },
  );
}

/** @throws UsageError */
export function assertWhole(what: string, value: unknown): void {
  if (Number.isSafeInteger(value) && Number(value) >= 0) return;
  const shown = typeof value === "number" ? String(value) : shownValue(value);
  throw new UsageError(`"${what}" is ${shown}; expected a whole number, 0 or more.`, { [what]: shown });
}

/** @throws UsageError */
export function assertRecord(what: string, value: unknown): void {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return;
  throw new UsageError(`${what} takes an object of names and values, not ${shownValue(value)}.`, { what });
}

const LOG_OPTIONS: ReadonlySet<string> = new Set(["step", "split", "epoch", "time"]);

function unknownOption(option: string): UsageError {
  const [nearest] = nearestNames(option, [...LOG_OPTIONS]);
  const hint = nearest === undefined ? `Known: ${[...LOG_OPTIONS].join(", ")}.` : `Did you mean "${nearest}"?`;
  return new UsageError(`log(values, options): there is no option "${option.slice(0, 60)}". ${hint}`, { option });
}

/** Any value at all, short enough for a message. */
function shownValue(value: unknown): string {
  if (typeof value === "function") return "a function";
  if (typeof value === "bigint") return `${value}n`;
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 60);
  } catch {
    return "an object that holds itself";
  }
}

function notANumber(name: string, value: unknown): UsageError {
  return new UsageError(
    `The value of "${name.slice(0, 60)}" is ${shownValue(value)}; expected a number. Of a tensor take its number first; what is no number is logged with text, table or config.`,
    { name },
  );
}
