/** @file Answers that are errors: one form for all, that of `--json`. */
import { type Facts, concise, CoolError } from "../errors.js";

/** An answer that is an error, for whoever asked. */
export class HttpProblem extends CoolError {
  /**
   * @param status of the answer
   * @param code short name of what is wrong, for programs: `body_too_large`
   */
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    facts: Facts = {},
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(message, facts);
  }

  override toJSON(): { error: string; message: string; facts: Facts } {
    return { error: this.code, message: concise(this.message), facts: this.facts };
  }
}

/** What is not our own is told to nobody but the log: a message of the runtime may hold paths. */
export function asProblem(thrown: unknown): HttpProblem {
  if (thrown instanceof HttpProblem) return thrown;
  return new HttpProblem(500, "internal", "The server failed at this request. Its log says how.");
}

/** The answer itself. */
export function problemResponse(problem: HttpProblem): Response {
  return new Response(`${JSON.stringify(problem)}\n`, {
    status: problem.status,
    headers: { "content-type": "application/json; charset=utf-8", ...problem.headers },
  });
}
