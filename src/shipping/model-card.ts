/** @file What a model is, what it was made of and how good it is: for people (Markdown) and programs (JSON). */
import { unbeatenMetric } from "../analysis/shortcomings.js";
import type { StoredRun } from "../asking/stored-run.js";
import type { Measurement } from "./measuring/measurement.js";
import type { GateForm } from "./onnx/export-onnx.js";
import type { Precision } from "./onnx/precision.js";
import type { InputSpec } from "../data/dataset.js";
import { printCondition, printGraph } from "../flow/print.js";
import { flowFacts } from "../flow/kinds.js";
import type { CalibrationRecord } from "../records/calibration.js";
import { thresholdsByPath, type ThresholdsByPath } from "../records/thresholds.js";
import type { RunStore } from "../storage/run-store.js";
import type { EvaluationRow, Split } from "../tasks/evaluation.js";
import { behaviourOf } from "../tasks/index.js";

/** One question that the model answers. */
interface CardTask {
  readonly path: string;
  readonly kind: string;
  /** Its classes, labels or levels. */
  readonly names?: readonly string[];
  /** When it is asked; always where it is left out. */
  readonly given?: string;
}

/** model-card.json. A section is there when its numbers exist. */
export interface ModelCard {
  readonly format_version: 1;
  readonly run: {
    readonly id: string;
    readonly name: string;
    readonly project: string;
    readonly finished: string | null;
  };
  readonly made_with: string;
  /** Under which terms the model may be used; null: nobody said. */
  readonly licence: string | null;
  /** The model's precision, and what it costs beside the run where that was measured. */
  readonly exported: {
    readonly precision: Precision;
    /** Whether layers of gated questions run where none is asked; missing where the model has no form of its own. */
    readonly gates?: GateForm;
    readonly measurement?: Measurement;
  };
  readonly tasks: readonly CardTask[];
  readonly flow: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly data: {
    readonly digest: string;
    readonly table: unknown;
    readonly split: unknown;
    /** Rows of each split that was evaluated. */
    readonly rows?: Readonly<Partial<Record<Split, number>>>;
    /** Rows that were left out because their pictures cannot be read. */
    readonly skipped_rows: number;
  };
  readonly source?: { readonly commit: string | null; readonly digest: string | null };
  readonly pretrained?: readonly { readonly model: string; readonly digest: string }[];
  readonly thresholds: ThresholdsByPath;
  /** How scores were made probabilities. */
  readonly calibration?: Pick<CalibrationRecord, "method" | "split">;
  /** Numbers have six digits: see cardMetrics. */
  readonly metrics: readonly EvaluationRow[];
  readonly limits: readonly string[];
}

/** What is said of an export besides its run. */
export interface ExportFacts {
  /** Under which terms it may be used; null: nobody said. */
  readonly licence: string | null;
  /** Of this package. */
  readonly version: string;
  readonly exported: ModelCard["exported"];
  /** Rows of each split that was evaluated. */
  readonly rows?: ModelCard["data"]["rows"];
}

export function modelCard(store: RunStore, stored: StoredRun, facts: ExportFacts): ModelCard {
  const { licence, version, exported, rows = {} } = facts;
  const { run, graph, config, thresholds, calibration } = stored;
  const metrics = store.readEvaluation(run.id);
  const adopted = config.adopted === undefined ? [] : [config.adopted];
  const pretrained = [...(config.pretrained ?? []), ...(config.externals?.parts ?? []), ...adopted];
  return {
    format_version: 1,
    run: { id: run.id, name: run.name, project: config.project, finished: run.endedAt },
    made_with: `dnn-cool ${version}`,
    licence,
    exported,
    tasks: graph.tasks
      .filter(({ spec }) => behaviourOf(spec).answeredBy !== "training")
      .map(({ path, spec, precondition }) => {
        const names = flowFacts(spec).names(spec);
        return {
          path,
          kind: flowFacts(spec).typeName(spec),
          ...(names.length === 0 ? {} : { names }),
          ...(precondition === null ? {} : { given: printCondition(graph, precondition) }),
        };
      }),
    flow: printGraph(graph),
    inputs: config.inputs,
    data: {
      digest: config.dataDigest,
      table: config.settings.data.table,
      split: config.settings.data.split,
      ...(Object.keys(rows).length === 0 ? {} : { rows }),
      skipped_rows: config.skipped.length,
    },
    ...(run.sourceDigest === null ? {} : { source: { commit: run.gitCommit, digest: run.sourceDigest } }),
    ...(pretrained.length === 0 ? {} : { pretrained: pretrained.map(({ model, digest }) => ({ model, digest })) }),
    thresholds: thresholdsByPath(graph, thresholds),
    ...(calibration === null ? {} : { calibration: { method: calibration.method, split: calibration.split } }),
    metrics: cardMetrics(metrics),
    limits: limitsOf(stored, metrics),
  };
}

/** What the run itself says that the model should not be trusted with. */
function limitsOf({ graph, config }: StoredRun, metrics: readonly EvaluationRow[]): string[] {
  const limits = Object.entries(config.inputs).flatMap(([name, spec]) => limitsOfInput(name, spec));
  const onTest = metrics.filter(({ split, gates }) => split === "test" && gates === "truth");
  for (const task of graph.tasks) {
    const { path, spec } = task;
    const headline = behaviourOf(spec).headlineMetric(spec);
    const row = onTest.find((one) => one.task_path === path && one.metric_name === headline);
    const unbeaten = unbeatenMetric(task, onTest)?.metric_name;
    if (unbeaten !== undefined) {
      limits.push(`${path} is no better on test than always giving the same answer (${unbeaten}).`);
    }
    if (row?.metric_res === null) limits.push(`${path} could not be measured on test: too few answers are known.`);
  }
  return limits;
}

function limitsOfInput(name: string, spec: InputSpec): string[] {
  switch (spec.kind) {
    case "image": {
      const framing =
        spec.framing === undefined ? "stretched" : spec.framing.fit === "crop" ? "cropped" : "letterboxed";
      return [`Pictures of "${name}" are ${framing} to ${spec.size.join(" × ")} pixels: what is smaller is not seen.`];
    }
    case "tokens":
      return [`Of "${name}" the first ${spec.maxLength} tokens are read.`];
    case "categorical":
      return [`"${name}" knows ${spec.categories.length} categories and no others.`];
    case "numeric":
      return [];
    default:
      return spec satisfies never;
  }
}

/** MODEL_CARD.md */
export function printCard(card: ModelCard): string {
  const { run, licence, data, source, pretrained, limits, calibration } = card;
  const sections: readonly (readonly [title: string, text: string])[] = [
    ["What it answers", card.tasks.map(taskLine).join("\n")],
    ["Flow", `\`\`\`\n${card.flow}\n\`\`\``],
    [
      "Inputs",
      Object.entries(card.inputs)
        .map(([name, spec]) => `- \`${name}\`: ${describeInput(spec)}`)
        .join("\n"),
    ],
    ["Results", metricTable(card.metrics)],
    ["End to end", endToEndTable(card.metrics)],
    [
      "Thresholds",
      Object.entries(card.thresholds)
        .map(([path, value]) => `- \`${path}\`: ${[value].flat().map(short).join(", ")}`)
        .join("\n"),
    ],
    [
      "Calibration",
      calibration === undefined ? "" : `Scores are probabilities, by ${calibration.method} on ${calibration.split}.`,
    ],
    ["Gates", card.exported.gates === "if" ? BRANCHES : ""],
    ["Precision", precisionOf(card.exported)],
    ["Limits", limits.map((limit) => `- ${limit}`).join("\n")],
    [
      "Data",
      [
        `- digest: \`${data.digest}\``,
        `- table: \`${JSON.stringify(data.table)}\``,
        `- split: \`${JSON.stringify(data.split)}\``,
        ...(data.rows === undefined ? [] : [`- rows: ${rowsOf(data.rows)}`]),
        `- rows left out: ${data.skipped_rows}`,
      ].join("\n"),
    ],
    [
      "Saved models inside",
      (pretrained ?? []).map(({ model, digest }) => `- ${model} (sha256 \`${digest}\`)`).join("\n"),
    ],
    [
      "Source",
      source === undefined ? "" : `- commit: ${source.commit ?? "none"}\n- digest: \`${source.digest ?? "none"}\``,
    ],
    ["Licence", licence ?? "Not said. Ask whoever gave you this model before you use it."],
  ];
  const head = `# ${run.name}\n\nRun \`${run.id}\` of the project ${run.project}, made with ${card.made_with}.`;
  const shown = sections.filter(([, text]) => text !== "").map(([title, text]) => `## ${title}\n\n${text}`);
  return `${[head, ...shown].join("\n\n")}\n`;
}

const BRANCHES =
  "Layers that only gated questions need run where such a question is asked of any row of a batch. Where they have not run, logits and scores are no answers: read `<path>/active`.";

function taskLine({ path, kind, names, given }: CardTask): string {
  const choices = names === undefined ? "" : `: ${names.slice(0, 20).join(", ")}${names.length > 20 ? ", …" : ""}`;
  return `- \`${path}\` (${kind}${choices})${given === undefined ? "" : `, asked where ${given}`}`;
}

/** What the model's weights are kept in, and what that costs; nothing where they are the run's and nobody asked. */
function precisionOf({ precision, measurement }: ModelCard["exported"]): string {
  if (measurement === undefined)
    return precision === "float32" ? "" : `Weights are kept in ${precision}. Not measured.`;
  const { bytes, measured, not_measured: reason } = measurement;
  const share = Math.round((100 * bytes.exported) / bytes.float32);
  const head = `Weights are kept in ${precision}: ${bytes.exported} bytes, ${share} % of those in float32.`;
  if (measured === null) return `${head}\n\nNot measured: ${reason ?? "nobody asked"}`;
  const lines = measured.metrics
    .filter(({ gates, headline }) => headline && gates === "truth")
    .map((row) =>
      [
        row.task_path,
        row.metric_name,
        short(row.run),
        short(row.exported),
        short(row.difference),
        row.num_samples,
      ].join(" | "),
    );
  return [
    head,
    "",
    `The ${measured.rows} rows of ${measured.split} in ${measured.runtime}, where the questions are rightly asked:`,
    "",
    "| task | metric | run | this model | difference | samples |",
    "| --- | --- | ---: | ---: | ---: | ---: |",
    ...lines.map((line) => `| ${line} |`),
  ].join("\n");
}

function rowsOf(rows: NonNullable<ModelCard["data"]["rows"]>): string {
  return Object.entries(rows)
    .map(([split, count]) => `${count} of ${split}`)
    .join(", ");
}

function describeInput(spec: InputSpec): string {
  switch (spec.kind) {
    case "image":
      return `a picture, ${spec.channels === 1 ? "grey" : "in colours"}, ${spec.size.join(" × ")} pixels`;
    case "numeric":
      return `numbers: ${spec.listLength === null ? spec.columns.join(", ") : `${spec.listLength} of ${spec.columns[0]}`}`;
    case "categorical":
      return `a category, one of ${spec.categories.length}`;
    case "tokens":
      return `a text of up to ${spec.maxLength} tokens`;
    default:
      return spec satisfies never;
  }
}

/** The split that says how good a model is. */
function judgingSplit(metrics: readonly EvaluationRow[]): Split {
  return metrics.some((row) => row.split === "test") ? "test" : "valid";
}

const isMain = ({ metric_name }: EvaluationRow): boolean => !metric_name.includes("/");

/**
 * What a card keeps of an evaluation: all rows of test, else of valid; of the other splits, for comparison, those of
 * whole tasks where questions are rightly asked. Its numbers have six digits, a small part of what their intervals span.
 */
export function cardMetrics(metrics: readonly EvaluationRow[]): EvaluationRow[] {
  const split = judgingSplit(metrics);
  return metrics
    .filter((row) => row.split === split || (row.gates === "truth" && isMain(row)))
    .map(({ metric_res, baseline, interval, ...row }) => ({
      ...row,
      metric_res: metric_res === null ? null : sixDigits(metric_res),
      ...(baseline === undefined ? {} : { baseline: sixDigits(baseline) }),
      ...(interval === undefined ? {} : { interval: [sixDigits(interval[0]), sixDigits(interval[1])] as const }),
    }));
}

const sixDigits = (value: number): number => Number(value.toPrecision(6));

/** Of these a card says how good the model is: those of test, else of valid, without those of single labels and classes. */
function mainRows(metrics: readonly EvaluationRow[]): EvaluationRow[] {
  const split = judgingSplit(metrics);
  return metrics.filter((row) => row.split === split && isMain(row));
}

/** The card without the rows that are no more than detail: what a page loads. */
export function briefCard(card: ModelCard): ModelCard {
  return { ...card, metrics: mainRows(card.metrics).filter(({ gates }) => gates !== "predicted") };
}

function metricTable(metrics: readonly EvaluationRow[]): string {
  const rows = mainRows(metrics).filter(({ gates }) => gates === "truth");
  const [first] = rows;
  if (first === undefined) return "";
  return [
    `On ${first.split}, where the questions are rightly asked${rows.some(({ interval }) => interval) ? ", with 95 % intervals" : ""}:`,
    "",
    "| task | metric | value | interval | constant answer | samples |",
    "| --- | --- | ---: | ---: | ---: | ---: |",
    ...rows.map((row) => tableLine(row, [short(row.baseline ?? null)])),
  ].join("\n");
}

/** Wherever a question should be asked or is asked. */
function endToEndTable(metrics: readonly EvaluationRow[]): string {
  const rows = mainRows(metrics).filter(({ gates }) => gates === "end_to_end");
  const [first] = rows;
  if (first === undefined) return "";
  return [
    `On ${first.split}, where a question should be asked or is asked by the model's own answers:`,
    "",
    "| task | metric | value | interval | samples |",
    "| --- | --- | ---: | ---: | ---: |",
    ...rows.map((row) => tableLine(row, [])),
  ].join("\n");
}

function tableLine(row: EvaluationRow, more: readonly string[]): string {
  const { task_path, metric_name, metric_res, interval, num_samples } = row;
  const range = interval === undefined ? "–" : `${short(interval[0])} to ${short(interval[1])}`;
  return `| ${[task_path, metric_name, short(metric_res), range, ...more, num_samples].join(" | ")} |`;
}

function short(value: number | null): string {
  return value === null ? "–" : String(Number(value.toPrecision(4)));
}
