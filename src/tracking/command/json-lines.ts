/** @file The lines of the file that COOL_TRACK_FILE names → calls of a run: docs/track.md#json-lines. */
import { messageOf, nearestNames, UsageError } from "../../errors.js";
import type { LoggedValues, LogOptions } from "../curves.js";
import type { LoggedEvaluationRow } from "../evaluation-rows.js";
import type { TrackedRun } from "../tracked-run.js";

type Fields = Readonly<Record<string, unknown>>;

/** What a line can say; of each, the keys that may stand beside it. */
const RECORDS: Readonly<
  Record<string, { readonly beside: readonly string[]; apply(run: TrackedRun, line: Fields): void }>
> = {
  log: {
    beside: ["step", "split", "epoch", "time"],
    apply: (run, { log, ...options }) => run.log(numbersIn(fieldsOf("log", log)), optionsOf(options)),
  },
  config: { beside: [], apply: (run, { config }) => run.config(fieldsOf("config", config)) },
  tags: { beside: [], apply: (run, { tags }) => run.tag(...textsOf("tags", tags)) },
  image: {
    beside: [],
    apply: (run, { image }) => {
      const { tag, path, ...options } = fieldsOf("image", image, ["tag", "path", "step", "split"]);
      void run.image(textOf("image.tag", tag), textOf("image.path", path), optionsOf(options));
    },
  },
  histogram: {
    beside: [],
    apply: (run, { histogram }) => {
      const { tag, values, ...options } = fieldsOf("histogram", histogram, ["tag", "values", "step", "split"]);
      const numbers = listOf("histogram.values", values).map(
        (value) => numberOf("histogram.values", value) ?? Number.NaN,
      );
      run.histogram(textOf("histogram.tag", tag), numbers, optionsOf(options));
    },
  },
  text: {
    beside: [],
    apply: (run, { text }) => {
      const { tag, text: body, ...options } = fieldsOf("text", text, ["tag", "text", "step"]);
      run.text(textOf("text.tag", tag), textOf("text.text", body), optionsOf(options));
    },
  },
  table: {
    beside: [],
    apply: (run, { table }) => {
      const { name, columns, rows, ...options } = fieldsOf("table", table, ["name", "columns", "rows", "step"]);
      const cells = listOf("table.rows", rows).map((row) => listOf("table.rows", row));
      run.table(
        textOf("table.name", name),
        { columns: textsOf("table.columns", columns), rows: cells },
        optionsOf(options),
      );
    },
  },
  artifact: {
    beside: ["name"],
    apply: (run, { artifact, name }) =>
      run.artifact(textOf("artifact", artifact), { name: optionalText("name", name) }),
  },
  checkpoint: {
    beside: ["name"],
    apply: (run, { checkpoint, name }) =>
      run.checkpoint(textOf("checkpoint", checkpoint), { name: optionalText("name", name) }),
  },
  evaluate: {
    beside: ["step", "epoch"],
    apply: (run, { evaluate, ...options }) => run.evaluate(listOf("evaluate", evaluate).map(rowOf), optionsOf(options)),
  },
};

/**
 * Does what a line says.
 * @throws UsageError that says what is wrong with it
 */
export function applyJsonLine(run: TrackedRun, line: string): void {
  const document = fieldsOf("the line", parsed(line));
  const kinds = Object.keys(document).filter((key) => Object.hasOwn(RECORDS, key));
  const [kind, second] = kinds;
  const record = kind === undefined ? undefined : RECORDS[kind];
  if (kind === undefined || record === undefined)
    throw unknownKey(Object.keys(document)[0] ?? "", Object.keys(RECORDS));
  if (second !== undefined) throw new UsageError(`it has both "${kind}" and "${second}"; give each a line of its own.`);
  const unknown = Object.keys(document).find((key) => key !== kind && !record.beside.includes(key));
  if (unknown !== undefined) throw unknownKey(unknown, record.beside);
  record.apply(run, document);
}

function unknownKey(key: string, known: readonly string[]): UsageError {
  const [nearest] = nearestNames(key, known);
  const hint = nearest === undefined ? `Known here: ${known.join(", ") || "none"}.` : `Did you mean "${nearest}"?`;
  return new UsageError(`there is no key ${JSON.stringify(key.slice(0, 60))}. ${hint}`, { key });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    // Python's json writes what JSON has no word for
    const quoted = line.replaceAll(/"(?:[^"\\]|\\.)*"|-?Infinity\b|\bNaN\b/g, (token) =>
      token.startsWith('"') ? token : `"${token}"`,
    );
    try {
      return JSON.parse(quoted);
    } catch {
      throw new UsageError(`it is no JSON: ${messageOf(error)}.`);
    }
  }
}

function fieldsOf(what: string, value: unknown, known?: readonly string[]): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw wrong(what, value, "an object");
  const fields: Fields = { ...value };
  const unknown = known === undefined ? undefined : Object.keys(fields).find((key) => !known.includes(key));
  if (unknown !== undefined) throw unknownKey(unknown, known ?? []);
  return fields;
}

function numbersIn(fields: Fields): LoggedValues {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, numberOf(name, value)]));
}

/** `"NaN"` and the infinities may be texts, since JSON has no such numbers. */
function numberOf(what: string, value: unknown): number | null {
  if (value === null || typeof value === "number") return value;
  if (typeof value === "boolean") return Number(value);
  if (typeof value === "string" && /^(NaN|-?Infinity)$/.test(value)) return Number(value);
  throw wrong(what, value, "a number");
}

function optionsOf({ step, split, epoch, time }: Fields): LogOptions {
  return {
    step: optionalNumber("step", step),
    split: optionalText("split", split),
    epoch: optionalNumber("epoch", epoch),
    time: optionalNumber("time", time),
  };
}

function optionalNumber(what: string, value: unknown): number | undefined {
  return value === undefined || value === null ? undefined : (numberOf(what, value) ?? undefined);
}

function optionalText(what: string, value: unknown): string | undefined {
  return value === undefined || value === null ? undefined : textOf(what, value);
}

function textOf(what: string, value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw wrong(what, value, "a text");
}

function listOf(what: string, value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrong(what, value, "a list");
}

function textsOf(what: string, value: unknown): string[] {
  return listOf(what, value).map((one) => textOf(what, one));
}

/** Its fields are checked by `evaluate` itself. */
function rowOf(value: unknown): LoggedEvaluationRow {
  const { split, metric_name, metric_res, num_samples, ...rest } = fieldsOf("evaluate", value, [
    ...["split", "task_path", "metric_name", "metric_res", "num_samples", "gates", "baseline", "beats_baseline"],
  ]);
  return {
    ...rest,
    split: textOf("evaluate.split", split),
    metric_name: textOf("evaluate.metric_name", metric_name),
    metric_res: numberOf("evaluate.metric_res", metric_res),
    num_samples: optionalNumber("evaluate.num_samples", num_samples) ?? 0,
  };
}

function wrong(what: string, value: unknown, expected: string): UsageError {
  const shown = (JSON.stringify(value) ?? "missing").slice(0, 60);
  return new UsageError(`"${what.slice(0, 60)}" is ${shown}; expected ${expected}.`, { key: what });
}
