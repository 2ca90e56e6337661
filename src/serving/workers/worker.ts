/** @file What a worker does: opens the model, then answers batch after batch, in the order in which they come. */
import { answerEach, answerRows } from "../model/answer-rows.js";
import { blankRow, type OpenModel, openModel } from "../model/open-model.js";
import { type FromWorker, sentError, type ToWorker } from "./messages.js";

/** Owns its model. */
export class ModelWorker {
  #model: OpenModel | null = null;
  #last: Promise<unknown> = Promise.resolve();

  /** The reply to a message, after those to earlier ones. */
  handle(message: ToWorker): Promise<FromWorker> {
    const reply = this.#last.then(() => (message.kind === "open" ? this.#open(message) : this.#answer(message)));
    this.#last = reply;
    return reply;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#model?.close();
  }

  async #open({ source, known, threads }: Extract<ToWorker, { kind: "open" }>): Promise<FromWorker> {
    try {
      const model = await openModel(source, threads);
      // what does not answer is found before it is asked
      await answerRows(model, [blankRow(model.inputs, known)]);
      this.#model = model;
      return { kind: "ready", runtime: model.runtime };
    } catch (error) {
      return { kind: "unready", error: sentError(error) };
    }
  }

  async #answer({ rows }: Extract<ToWorker, { kind: "answer" }>): Promise<FromWorker> {
    if (this.#model === null) throw new Error("a worker is asked before it is open");
    const answers = await answerEach(this.#model, rows);
    return {
      kind: "answered",
      answers: answers.map((one) => (one instanceof Error ? { kind: "failed", error: sentError(one) } : one)),
    };
  }
}
