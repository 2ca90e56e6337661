/** @file What a worker does: opens the model, then answers batch after batch, in the order in which they come. */
import { at } from "../../arrays.js";
import type { TaskSpec } from "../../flow/graph.js";
import { HttpProblem } from "../../http/problem.js";
import { answerEach, answerRows, type RowAnswer } from "../model/answer-rows.js";
import { askedAnswers, countedTasks } from "../model/asked-answers.js";
import { blankRow, type OpenModel, openModel } from "../model/open-model.js";
import { RowReader } from "../model/read-row.js";
import type { ServedRow } from "../model/served-model.js";
import { type FromWorker, type SentAnswer, sentError, type ToWorker, type WorkerRow } from "./messages.js";

/** What a worker has of a model. */
interface Ready {
  readonly model: OpenModel;
  readonly reader: RowReader;
  readonly counted: ReadonlyMap<string, TaskSpec>;
}

/** Owns its model. */
export class ModelWorker {
  #ready: Ready | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /** The reply to a message, after those to earlier ones. */
  handle(message: ToWorker): Promise<FromWorker> {
    const reply = this.#last.then(() => (message.kind === "open" ? this.#open(message) : this.#answer(message)));
    this.#last = reply;
    return reply;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#ready?.model.close();
  }

  async #open(message: Extract<ToWorker, { kind: "open" }>): Promise<FromWorker> {
    const { source, inputs, tokenizers, known, threads, maxPixels } = message;
    try {
      const model = await openModel(source, threads);
      // what does not answer is found before it is asked
      await answerRows(model, [blankRow(model.inputs, known)]);
      const reader = new RowReader({ graph: model.graph, inputs, tokenizers }, maxPixels);
      this.#ready = { model, reader, counted: countedTasks(model.graph) };
      return { kind: "ready", runtime: model.runtime };
    } catch (error) {
      return { kind: "unready", error: sentError(error) };
    }
  }

  async #answer({ rows }: Extract<ToWorker, { kind: "answer" }>): Promise<FromWorker> {
    if (this.#ready === null) throw new Error("a worker is asked before it is open");
    const { model, reader, counted } = this.#ready;
    const read = await Promise.all(rows.map((row) => readRow(reader, row)));
    const good = read.flatMap((row) => (row instanceof Error ? [] : [row]));
    const answered = good.length === 0 ? [] : await answerEach(model, good);
    let next = 0;
    const answers = read.map((row) => sentAnswer(row instanceof Error ? row : at(answered, next++), counted));
    return { kind: "answered", answers };
  }
}

/** The row, or what is wrong with it. */
async function readRow(reader: RowReader, row: WorkerRow): Promise<ServedRow | Error> {
  if (!("sent" in row)) return row;
  try {
    return await reader.read(row.sent, row.number, row.wants);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function sentAnswer(answer: RowAnswer | Error, counted: Ready["counted"]): SentAnswer {
  if (answer instanceof HttpProblem) {
    const { status, code, message, facts } = answer;
    return { kind: "refused", problem: { status, code, message, facts } };
  }
  if (answer instanceof Error) return { kind: "failed", error: sentError(answer) };
  const asked = askedAnswers(counted, answer);
  // written here, once, and by one of several threads
  if (answer.kind === "answers") return { kind: "answers", json: JSON.stringify(answer.prediction), asked };
  const { explanation } = answer;
  return { kind: "tree", json: JSON.stringify(explanation), printed: explanation.printed, asked };
}
