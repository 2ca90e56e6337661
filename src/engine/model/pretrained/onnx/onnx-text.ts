/** @file An ONNX model that reads the tokens of a text: what it takes, what it puts out, and running it. */
import { at, f32At, i32At } from "../../../../arrays.js";
import type { TokenPadding } from "../../../../data/dataset.js";
import { ConfigError, lineOf } from "../../../../errors.js";
import type { ExternalModel, TextNeeds, TextPooling } from "../external-model.js";
import {
  cannotRun,
  inputsInWords,
  type OnnxRuntime,
  type OnnxSession,
  outputNamed,
  withSession,
} from "../onnx-runtime.js";

/**
 * @throws BackendError where ONNX Runtime is not installed; ConfigError, UnknownNameError for a file that is no model, or
 * one that does not read such texts or has no such output
 */
export function openOnnxText(needs: TextNeeds): Promise<ExternalModel> {
  return withSession(needs, async (runtime, session) => {
    const entrance = entranceOf(session, needs);
    const output = outputNamed(session, needs, POOLED);
    const compute = (ids: Int32Array, rows: number) => run(runtime, session, { ...entrance, output }, needs, ids, rows);
    const { width, isSequence } = await probe(compute, needs);
    const isPerToken = isSequence && needs.text.pooling === "none";
    return {
      ...{ output, shape: [width], runtime: "onnx" },
      ...(isSequence ? { pooling: needs.text.pooling ?? "mean" } : {}),
      async run(ids: Int32Array, rows) {
        const length = ids.length / rows;
        const own = isPerToken ? length * width : width;
        const values = new Float32Array(rows * own);
        const step = entrance.isSingle ? 1 : rows;
        for (let row = 0; row < rows; row += step) {
          const some = ids.subarray(row * length, (row + step) * length);
          // a model makes something of padding, too
          if (some.some((id) => id !== 0)) values.set((await compute(some, step)).values, row * own);
        }
        return values;
      },
      close: () => session.release(),
    };
  });
}

/** Vectors of texts. */
interface Answer {
  /** [rows, width], for each token [rows, length, width] */
  readonly values: Float32Array;
  readonly width: number;
  /** Whether the model puts out one for each token. */
  readonly isSequence: boolean;
}

type Compute = (ids: Int32Array, rows: number) => Promise<Answer>;

/** Longer texts are not tried: attention takes memory by the square of their length. */
const LONGEST_TRIED = 1024;

/** @returns what is put out for some text @throws ConfigError where a text of the tokenizer cannot be read */
async function probe(compute: Compute, { model, text }: TextNeeds): Promise<Answer> {
  const answer = await compute(new Int32Array(Math.min(2, text.maxLength)).fill(1), 1);
  if (!text.isNew) return answer;
  const { ids, file } = text.tokenizer;
  try {
    await compute(Int32Array.of(ids), 1);
  } catch (error) {
    const known = boundIn(error);
    const what =
      known === null
        ? `does not read the last of the ${ids} tokens of ${file}: ${reasonOf(error)}`
        : `knows ${known} tokens, fewer than the ${ids} of ${file}`;
    throw new ConfigError(
      `The ONNX model ${model} ${what}. Take the tokenizer.json that belongs to the model.`,
      { model, tokenizer: file, ids },
      { cause: error },
    );
  }
  const length = Math.min(text.maxLength, LONGEST_TRIED);
  try {
    await compute(new Int32Array(length).fill(1), 1);
  } catch (error) {
    throw new ConfigError(
      `The ONNX model ${model} does not read texts of ${length} tokens: ${reasonOf(error)}. Lower tokenizer({ maxLength }) to what it was trained with, often 512 or 128.`,
      { model, length },
      { cause: error },
    );
  }
  return answer;
}

/** Places of an embedding, out of which an id has fallen; null where the error is another one. */
function boundIn(error: unknown): number | null {
  const bound = /inclusive range \[-(\d+),/.exec(lineOf(error));
  return bound === null ? null : Number(bound[1]);
}

type Role = "input_ids" | "attention_mask" | "token_type_ids" | "position_ids";

type IdType = "int64" | "int32";

interface Entrance {
  readonly inputs: readonly { readonly role: Role; readonly type: IdType }[];
  /** Whether it takes one text at a time. */
  readonly isSingle: boolean;
  /** Tokens of every text; null: any number. */
  readonly length: number | null;
}

const ROLES: readonly string[] = ["input_ids", "attention_mask", "token_type_ids", "position_ids"] satisfies Role[];

function isRole(name: string): name is Role {
  return ROLES.includes(name);
}

function entranceOf({ inputMetadata }: OnnxSession, { model, text }: TextNeeds): Entrance {
  const inputs = inputMetadata.flatMap(({ name, type, shape }) => {
    const known: IdType | null = type === "int64" || type === "int32" ? type : null;
    return isRole(name) && known !== null && shape?.length === 2 ? [{ role: name, type: known, shape }] : [];
  });
  if (inputs.length < inputMetadata.length || !inputs.some(({ role }) => role === "input_ids")) {
    const shown = inputsInWords({ inputMetadata });
    throw new ConfigError(
      `The ONNX model ${model} reads ${shown.join(" and ") || "nothing"}; a trunk for texts takes a model of input_ids, and of attention_mask, token_type_ids and position_ids where it has them, each of whole numbers, [batch, length]. Export it for feature extraction.`,
      { model, inputs: shown },
    );
  }
  const [batch, tokens] = at(inputs, 0).shape.map((side) => (typeof side === "number" && side > 0 ? side : null));
  if (tokens != null && tokens < text.maxLength) {
    throw new ConfigError(
      `The ONNX model ${model} reads texts of ${tokens} tokens, but they may have ${text.maxLength}. Declare tokenizer({ maxLength: ${tokens} }), or export it with lengths that are free.`,
      { model, expected: tokens, got: text.maxLength },
    );
  }
  return { inputs, isSingle: batch === 1, length: tokens ?? null };
}

/** What exports of sentence-transformers call the vector of a whole text. */
const POOLED = "sentence_embedding";

async function run(
  { Tensor }: OnnxRuntime,
  session: OnnxSession,
  { inputs, output, length: fixed }: Entrance & { readonly output: string },
  { model, text }: TextNeeds,
  ids: Int32Array,
  rows: number,
): Promise<Answer> {
  const { padding } = text.tokenizer;
  const batch = layOut(ids, rows, {
    ...padding,
    length: fixed ?? padding.length,
    multiple: fixed === null ? padding.multiple : null,
  });
  const feeds = inputs.map(({ role, type }) => {
    const values = batch[role];
    const data = type === "int64" ? BigInt64Array.from(values, BigInt) : values;
    return [role, new Tensor(type, data, [rows, batch.length])] as const;
  });
  const result = (
    await session.run(Object.fromEntries(feeds), [output]).catch((error: unknown) => {
      throw cannotRun(model, error);
    })
  )[output];
  const [first, second, third] = result?.dims ?? [];
  const isVector = result?.dims.length === 2 && first === rows;
  const isSequence = result?.dims.length === 3 && first === rows && second === batch.length;
  if (result?.type !== "float32" || !(isVector || isSequence)) {
    throw new ConfigError(
      `The output "${output}" of the ONNX model ${model} is ${result?.type ?? "not there"} [${(result?.dims ?? []).join(", ")}] for ${rows === 1 ? "one text" : `${rows} texts`}, but a trunk takes float32 numbers of each, or of each of its tokens. Name another one: pretrained({ output }).`,
      { model, output, dims: result?.dims ?? null },
    );
  }
  if (isVector && text.pooling !== null) {
    throw new ConfigError(
      `The output "${output}" of the ONNX model ${model} is a vector for each text already. Leave out pretrained({ pooling }), or name the output that has one for each token.`,
      { model, output },
    );
  }
  const values = Float32Array.from(result.data);
  const longest = ids.length / rows;
  if (isVector) return { values, width: second ?? 0, isSequence };
  const width = third ?? 0;
  const { pooling } = text;
  const own =
    pooling === "none" ? perToken(values, batch, width, longest) : pooled(values, batch, width, pooling ?? "mean");
  return { values: own, width, isSequence };
}

/** What a model is fed, each [rows, length]. */
type Batch = Readonly<Record<Role, Int32Array>> & { readonly length: number };

/**
 * Texts as a model reads them.
 * @param ids counted from 1, padded with 0 at the right, [rows, longest]
 */
export function layOut(ids: Int32Array, rows: number, padding: TokenPadding): Batch {
  const longest = ids.length / rows;
  const least = Math.max(longest, padding.length ?? 0);
  const multiple = padding.multiple ?? 1;
  const length = Math.ceil(least / multiple) * multiple;
  const batch = {
    input_ids: new Int32Array(rows * length).fill(padding.id),
    attention_mask: new Int32Array(rows * length),
    token_type_ids: new Int32Array(rows * length).fill(padding.typeId),
    // as models that count positions themselves take them for padding
    position_ids: new Int32Array(rows * length).fill(1),
    length,
  };
  for (let row = 0; row < rows; row++) {
    let own = longest;
    while (own > 0 && ids[row * longest + own - 1] === 0) own--;
    const start = row * length + (padding.side === "left" ? length - own : 0);
    for (let token = 0; token < own; token++) {
      batch.input_ids[start + token] = i32At(ids, row * longest + token) - 1;
      batch.attention_mask[start + token] = 1;
      batch.token_type_ids[start + token] = 0;
      batch.position_ids[start + token] = token;
    }
  }
  return batch;
}

/** [rows, length, width] → [rows, longest, width], the tokens of each row first and zeros behind them. */
function perToken(values: Float32Array, { attention_mask, length }: Batch, width: number, longest: number) {
  const rows = values.length / (length * width);
  const out = new Float32Array(rows * longest * width);
  for (let row = 0; row < rows; row++) {
    const mask = attention_mask.subarray(row * length, (row + 1) * length);
    const [from, to] = [mask.indexOf(1), mask.lastIndexOf(1)];
    if (from < 0) continue;
    const own = values.subarray((row * length + from) * width, (row * length + to + 1) * width);
    out.set(own, row * longest * width);
  }
  return out;
}

/** [rows, length, width] → [rows, width], over tokens alone. */
function pooled(
  values: Float32Array,
  { attention_mask, length }: Batch,
  width: number,
  pooling: Exclude<TextPooling, "none">,
) {
  const rows = values.length / (length * width);
  const out = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const mask = attention_mask.subarray(row * length, (row + 1) * length);
    const [from, to] = [mask.indexOf(1), mask.lastIndexOf(1)];
    // a text without tokens
    if (from < 0) continue;
    const seen = pooling === "mean" ? [from, to + 1] : pooling === "first" ? [from, from + 1] : [to, to + 1];
    const [start, end] = [at(seen, 0), at(seen, 1)];
    for (let place = 0; place < width; place++) {
      let sum = 0;
      for (let token = start; token < end; token++) sum += f32At(values, (row * length + token) * width + place);
      out[row * width + place] = sum / (end - start);
    }
  }
  return out;
}

function reasonOf(error: unknown): string {
  const own =
    error instanceof ConfigError && typeof error.facts.reason === "string" ? error.facts.reason : lineOf(error);
  return own.slice(0, 300).replace(/[. ]+$/, "");
}
