/** @file Answers of an exported run: from logits, or from inputs with what computes its network. */
import { at } from "../arrays.js";
import { type Answer, answersOfRow } from "../decoding/answers.js";
import { decodeFlow, type FlowAnswers } from "../decoding/decode-flow.js";
import { calibrate } from "../decoding/calibration.js";
import { type Decoder, decoders, type Thresholds } from "../decoding/decoders.js";
import { unitScaleBy } from "../decoding/unit-scale.js";
import { isPerElement, type CustomSpec, type TaskNode, type TaskSpec } from "../flow/graph.js";
import { type Offsets, offsetsOf, tokensIn } from "../flow/masks.js";
import { type PredictorDocument, readDocument, thresholdsOf } from "./document.js";
import { PredictorError } from "./errors.js";
import { feedsOf, type ReadRow, type RowFacts } from "./feeds.js";
import { type InputValue, readerOf } from "./inputs.js";
import type { Runner } from "./runners.js";

/** Answers of one row by path of task; tasks whose precondition does not hold are left out. */
export type Answers = Readonly<Record<string, Answer>>;

/** Inputs of one row by name, and answers of known tasks by path. */
export type Row = Readonly<Record<string, InputValue>>;

/** How a predictor is opened. */
export interface PredictorOptions {
  /** Computes the network; without it, only logits are answered. */
  readonly runner?: Runner;
  /** Decoders of a project's own tasks, by the name of their type. */
  readonly custom?: Readonly<Record<string, Decoder<CustomSpec>>>;
  /** Rows that pass the network together; default 64. */
  readonly batchSize?: number;
}

/** Logits by path of task, and what is known of their rows. */
export interface NetworkOutputs {
  readonly logits: Readonly<Record<string, ArrayLike<number>>>;
  readonly facts: RowFacts;
}

/** All answers as numbers, in the order of the graph's tasks. */
export interface NumberedAnswers extends FlowAnswers {
  readonly activated: readonly Float32Array[];
}

const BATCH = 64;

/** Answers as `cool predict` does. */
export class Predictor {
  readonly document: PredictorDocument;
  readonly #options: PredictorOptions;
  readonly #thresholds: readonly Thresholds[];

  /**
   * @param document parsed predictor.json
   * @throws PredictorError where it is none, or of a later release
   */
  constructor(document: unknown, options: PredictorOptions = {}) {
    this.document = readDocument(document);
    const { batchSize = BATCH } = options;
    if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
      throw new PredictorError(`"batchSize" is ${batchSize}; expected a whole number above 0.`, { batchSize });
    }
    this.#options = options;
    this.#thresholds = thresholdsOf(this.document);
  }

  /** Paths of the tasks that the network answers. */
  get answered(): readonly string[] {
    return this.#asked().map(({ path }) => path);
  }

  /**
   * Scores, decoded answers and activity of rows.
   * @param logits by path of task, [rows, logits of the task]; of a task per token [all tokens, logits], without padding
   * @throws PredictorError where a task's logits are missing, or of another number
   */
  numbers(logits: Readonly<Record<string, ArrayLike<number>>>, rows: number, facts: RowFacts = {}): NumberedAnswers {
    const { graph } = this.document;
    const offsets = this.#offsets(facts);
    const activated = graph.tasks.map((task) => this.#activated(task, logits, entriesOf(task, rows, offsets)));
    const scores = graph.tasks.map(({ path, spec }, i) => ({
      activated: at(activated, i),
      thresholds: at(this.#thresholds, i),
      unitScale: this.#unitScale(path, spec, facts.sizes),
      known: facts.known?.[path] ?? new Float32Array(rows).fill(Number.NaN),
    }));
    const answers = decodeFlow(graph, scores, { rows, offsets }, this.#decoderOf);
    // what was decided stays: calibration says how sure the decisions are
    return { activated: graph.tasks.map((task, i) => this.#calibrated(task, logits, at(activated, i))), ...answers };
  }

  /** The same in words, row by row. @param logits see {@link numbers} */
  answer(logits: Readonly<Record<string, ArrayLike<number>>>, rows = 1, facts: RowFacts = {}): Answers[] {
    const { graph } = this.document;
    const { activated, decoded, active } = this.numbers(logits, rows, facts);
    const offsets = this.#offsets(facts);
    const answered = graph.tasks.map(({ spec }, i) => {
      const width = this.#decoderOf(spec).logitWidth(spec);
      const own = at(activated, i);
      const scores = (from: number, to: number) => own.subarray(from * width, to * width);
      return { decoded: at(decoded, i), active: at(active, i), scores };
    });
    return Array.from({ length: rows }, (_, row) =>
      answersOfRow(graph, (index) => answered[index], offsets, row, this.#decoderOf),
    );
  }

  /**
   * Answers to one row.
   * @param row the value of every input by its name; of a network with one input, its value alone
   * @throws PredictorError where a value does not fit its input, or there is no runner
   */
  async predict(row: Row | InputValue): Promise<Answers> {
    return at(await this.predictAll([row]), 0);
  }

  /** Answers to many rows, in their order. Rows of tokens pass the network with others of their length: no padding. */
  async predictAll(rows: readonly (Row | InputValue)[]): Promise<Answers[]> {
    const read = rows.map((row) => this.#read(row));
    const answers: Answers[] = [];
    for (const batch of batchesOf(read, this.#options.batchSize ?? BATCH)) {
      const own = await this.#answerBatch(batch.map((index) => at(read, index)));
      batch.forEach((index, i) => {
        answers[index] = at(own, i);
      });
    }
    return answers;
  }

  /**
   * What the network says of one row before anything is decided, for {@link numbers} and {@link answer}.
   * @throws PredictorError where a value does not fit its input, or there is no runner
   */
  logits(row: Row | InputValue): Promise<NetworkOutputs> {
    return this.#logitsOf([this.#read(row)]);
  }

  async #answerBatch(rows: readonly ReadRow[]): Promise<Answers[]> {
    const { logits, facts } = await this.#logitsOf(rows);
    return this.answer(logits, rows.length, facts);
  }

  async #logitsOf(rows: readonly ReadRow[]): Promise<NetworkOutputs> {
    const { runner } = this.#options;
    if (runner === undefined) {
      throw new PredictorError(
        "This predictor has no runner, so it can only answer logits. Open it with one: new Predictor(document, { runner: tfjsRunner(tf, model) }), or onnxRunner(ort, session).",
      );
    }
    const facts = this.#factsOf(rows);
    const fed = feedsOf(this.document.inputs, rows, runner.takes, facts);
    const logits = await runner.run(fed, this.answered);
    return { logits: this.#withoutPadding(logits, rows), facts };
  }

  /** Rows of a batch are of one length: only where that is 0 there is padding. */
  #withoutPadding(logits: Readonly<Record<string, ArrayLike<number>>>, [first]: readonly ReadRow[]) {
    if (first?.tokens !== 0) return logits;
    const perToken = this.#asked().filter(({ spec }) => isPerElement(spec));
    return { ...logits, ...Object.fromEntries(perToken.map(({ path }) => [path, []])) };
  }

  #read(row: Row | InputValue): ReadRow {
    const inputs = Object.entries(this.document.inputs);
    const [only] = inputs;
    const named = isRow(row) && inputs.some(([name]) => Object.hasOwn(row, name)) ? row : null;
    if (named === null && (only === undefined || inputs.length > 1)) {
      throw new PredictorError(
        `This network has ${inputs.length} inputs: give a value for each by name, { ${inputs.map(([name]) => name).join(", ")} }.`,
        { inputs: inputs.map(([name]) => name) },
      );
    }
    const given = named ?? { [only?.[0] ?? ""]: row as InputValue };
    this.#refuseUnknown(given);
    const values = inputs.map(([name, input]) => readerOf(input).read(name, input, given[name]));
    const picture = inputs.find(([, { kind }]) => kind === "image");
    const tokens = inputs.findIndex(([, { kind }]) => kind === "tokens");
    return {
      names: inputs.map(([name]) => name),
      values,
      size: picture === undefined ? null : sizeOf(given[picture[0]]),
      tokens: tokens < 0 ? null : at(values, tokens).length,
      known: Object.fromEntries(this.#known().map(({ path }) => [path, truthOf(given[path])])),
    };
  }

  #refuseUnknown(given: Row): void {
    const names = [...Object.keys(this.document.inputs), ...this.#known().map(({ path }) => path)];
    const unknown = Object.keys(given).find((name) => !names.includes(name));
    if (unknown === undefined) return;
    throw new PredictorError(`There is no input "${unknown}"; there are ${names.join(", ")}.`, {
      input: unknown,
      inputs: names,
    });
  }

  #factsOf(rows: readonly ReadRow[]): RowFacts {
    const side = (which: "width" | "height") => Float32Array.from(rows, ({ size }) => size?.[which] ?? Number.NaN);
    const known = this.#known().map(
      ({ path }) => [path, Float32Array.from(rows, (row) => row.known[path] ?? Number.NaN)] as const,
    );
    return {
      lengths: rows.map(({ tokens }) => tokens ?? 0),
      ...(rows[0]?.size == null ? {} : { sizes: { width: side("width"), height: side("height") } }),
      known: Object.fromEntries(known),
    };
  }

  #asked(): readonly TaskNode[] {
    return this.document.graph.tasks.filter(({ spec }) => this.#decoderOf(spec).answeredBy === "network");
  }

  #known(): readonly TaskNode[] {
    return this.document.graph.tasks.filter(({ spec }) => this.#decoderOf(spec).answeredBy === "table");
  }

  #activated({ path, spec }: TaskNode, logits: Readonly<Record<string, ArrayLike<number>>>, entries: number) {
    const decoder = this.#decoderOf(spec);
    if (decoder.answeredBy !== "network") return new Float32Array(0);
    const own = Object.hasOwn(logits, path) ? logits[path] : undefined;
    const expected = entries * decoder.logitWidth(spec);
    if (own === undefined || own.length !== expected) {
      const got = own === undefined ? "is missing" : `has ${own.length} numbers`;
      throw new PredictorError(
        `Among the logits, "${path}" ${got}; expected ${expected}: ${decoder.logitWidth(spec)} for each of ${entries}.`,
        { task: path, expected, got: own?.length ?? null },
      );
    }
    return decoder.activate(spec, Float32Array.from(own));
  }

  #calibrated({ path, spec }: TaskNode, logits: Readonly<Record<string, ArrayLike<number>>>, scores: Float32Array) {
    const tasks = this.document.calibration?.tasks ?? {};
    const calibration = Object.hasOwn(tasks, path) ? tasks[path] : undefined;
    const own = logits[path];
    return calibration === undefined || own === undefined
      ? scores
      : calibrate(spec, calibration, Float32Array.from(own));
  }

  #unitScale(path: string, spec: TaskSpec, sizes: RowFacts["sizes"]) {
    const scales = this.#decoderOf(spec).imageScales(spec);
    if (scales.length === 0) return null;
    const input = Object.values(this.document.inputs).find(({ kind }) => kind === "image");
    if (sizes !== undefined) return unitScaleBy(scales, { ...sizes, input: input?.kind === "image" ? input : null });
    throw new PredictorError(
      `The answers of "${path}" are in pixels of the original picture: give its sizes, { sizes: { width, height } }.`,
      { task: path },
    );
  }

  #offsets({ lengths }: RowFacts): Offsets | null {
    if (!this.document.graph.tasks.some(({ spec }) => isPerElement(spec))) return null;
    if (lengths !== undefined) return offsetsOf(lengths);
    throw new PredictorError("Tasks are asked per token: give how many tokens each row has, { lengths }.");
  }

  readonly #decoderOf = <S extends TaskSpec>(spec: S): Decoder<S> => {
    // every kind has its own decoder; the compiler cannot follow the index
    if (spec.kind !== "custom") return decoders[spec.kind] as unknown as Decoder<S>;
    const { custom = {} } = this.#options;
    const own = Object.hasOwn(custom, spec.type) ? custom[spec.type] : undefined;
    if (own !== undefined) return own as unknown as Decoder<S>;
    throw new PredictorError(
      `Tasks of the type "${spec.type}" are decoded by code of their project. Give it: new Predictor(document, { custom: { "${spec.type}": … } }).`,
      { type: spec.type },
    );
  };
}

function isRow(value: Row | InputValue): value is Row {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

function sizeOf(value: InputValue | undefined): ReadRow["size"] {
  if (typeof value !== "object" || value === null || !("data" in value)) return null;
  return value.original ?? { width: value.width, height: value.height };
}

function truthOf(value: InputValue | undefined): number {
  return value === undefined || value === null ? Number.NaN : Number(value);
}

function entriesOf({ spec }: TaskNode, rows: number, offsets: Offsets | null): number {
  return isPerElement(spec) && offsets !== null ? tokensIn(offsets) : rows;
}

/** Numbers of rows that pass the network together: of one length where they are sequences. */
function batchesOf(rows: readonly ReadRow[], size: number): number[][] {
  const byLength = new Map<number, number[]>();
  rows.forEach(({ tokens }, row) => {
    const group = byLength.get(tokens ?? 0) ?? [];
    group.push(row);
    byLength.set(tokens ?? 0, group);
  });
  return [...byLength.values()].flatMap((group) =>
    Array.from({ length: Math.ceil(group.length / size) }, (_, i) => group.slice(i * size, (i + 1) * size)),
  );
}
