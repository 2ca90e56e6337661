/** @file What goes wrong when a predictor is asked: said in one sentence, with its facts. */

/** An error that says what is wrong, where, and what to change. */
export class PredictorError extends Error {
  override readonly name = "PredictorError";
  /** What the message is about, by name. */
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(message: string, facts: Readonly<Record<string, unknown>> = {}, options?: ErrorOptions) {
    super(message, options);
    this.facts = facts;
  }
}
