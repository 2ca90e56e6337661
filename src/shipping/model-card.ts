/** @file What a model is, what it was made of and how good it is: for people (Markdown) and programs (JSON). */
import type { StoredRun } from "../asking/stored-run.js";
import type { Measurement } from "./measuring/measurement.js";
import type { Precision } from "./onnx/precision.js";
import type { InputSpec } from "../data/dataset.js";
import { printCondition, printGraph } from "../flow/print.js";
import { flowFacts } from "../flow/kinds.js";
import type { CalibrationRecord } from "../records/calibration.js";
import { thresholdsByPath, type ThresholdsByPath } from "../records/thresholds.js";
import type { RunStore } from "../storage/run-store.js";
import type { EvaluationRow } from "../tasks/evaluation.js";
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
  readonly exported: { readonly precision: Precision; readonly measurement?: Measurement };
  readonly tasks: readonly CardTask[];
  readonly flow: string;
  readonly inputs: Readonly<Record<string, InputSpec>>;
  readonly data: {
    readonly digest: string;
    readonly table: unknown;
    readonly split: unknown;
    /** Rows that were left out because their pictures cannot be read. */
    readonly skipped_rows: number;
  };
  readonly source?: { readonly commit: string | null; readonly digest: string | null };
  readonly pretrained?: readonly { readonly model: string; readonly digest: string }[];
  readonly thresholds: ThresholdsByPath;
  /** How scores were made probabilities. */
  readonly calibration?: Pick<CalibrationRecord, "method" | "split">;
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
}

export function modelCard(store: RunStore, stored: StoredRun, { licence, version, exported }: ExportFacts): ModelCard {
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
      skipped_rows: config.skipped.length,
    },
    ...(run.sourceDigest === null ? {} : { source: { commit: run.gitCommit, digest: run.sourceDigest } }),
    ...(pretrained.length === 0 ? {} : { pretrained: pretrained.map(({ model, digest }) => ({ model, digest })) }),
    thresholds: thresholdsByPath(graph, thresholds),
    ...(calibration === null ? {} : { calibration: { method: calibration.method, split: calibration.split } }),
    metrics,
    limits: limitsOf(stored, metrics),
  };
}

/** What the run itself says that the model should not be trusted with. */
function limitsOf({ graph, config }: StoredRun, metrics: readonly EvaluationRow[]): string[] {
  const limits = Object.entries(config.inputs).flatMap(([name, spec]) => limitsOfInput(name, spec));
  for (const { path, spec } of graph.tasks) {
    const headline = behaviourOf(spec).headlineMetric(spec);
    const row = metrics.find(
      (one) => one.task_path === path && one.metric_name === headline && one.split === "test" && one.gates === "truth",
    );
    if (row?.beats_baseline === false) {
      limits.push(`${path} is no better on test than always giving the same answer (${headline}).`);
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
        .map(([name, spec]) => `- \`${name}\`: ${spec.kind}`)
        .join("\n"),
    ],
    ["Results", metricTable(card.metrics)],
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
    ["Precision", precisionOf(card.exported)],
    ["Limits", limits.map((limit) => `- ${limit}`).join("\n")],
    [
      "Data",
      `- digest: \`${data.digest}\`\n- table: \`${JSON.stringify(data.table)}\`\n- split: \`${JSON.stringify(data.split)}\`\n- rows left out: ${data.skipped_rows}`,
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

/** Rows of test, else of valid, without those of single labels and classes. */
function metricTable(metrics: readonly EvaluationRow[]): string {
  const split = metrics.some((row) => row.split === "test") ? "test" : "valid";
  const rows = metrics.filter((row) => row.split === split && row.gates === "truth" && !row.metric_name.includes("/"));
  if (rows.length === 0) return "";
  const lines = rows.map(
    (row) =>
      `| ${row.task_path} | ${row.metric_name} | ${short(row.metric_res)} | ${short(row.baseline ?? null)} | ${row.num_samples} |`,
  );
  return [
    `On ${split}, where the questions are rightly asked:`,
    "",
    "| task | metric | value | constant answer | samples |",
    "| --- | --- | ---: | ---: | ---: |",
    ...lines,
  ].join("\n");
}

function short(value: number | null): string {
  return value === null ? "–" : String(Number(value.toPrecision(4)));
}
