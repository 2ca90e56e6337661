/** @file A process that works on a study: told by its parent what to do, and stopped by it, by a signal, or by its end. */
import { CoolError, InterruptedError, messageOf } from "../../errors.js";
import type { StudyEvent } from "../../sweeping/study/study-event.js";
import { type StudyWork, workOnStudy } from "./work-on-study.js";

/** What a process that works on a study says. */
export type FromWorker =
  | { readonly kind: "told"; readonly event: StudyEvent }
  | { readonly kind: "done" }
  | { readonly kind: "interrupted" }
  | {
      readonly kind: "failed";
      readonly name: string;
      readonly message: string;
      readonly facts: CoolError["facts"];
      readonly exitCode: number;
    };

const controller = new AbortController();
const stop = (): void => controller.abort();
// a terminal sends Ctrl-C to all of its processes; a parent that was killed cannot say anything any more
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"] as const) process.on(signal, stop);
process.on("disconnect", stop);

process.once("message", (work: StudyWork) => {
  process.on("message", stop);
  workOnStudy(work, { signal: controller.signal, tell: (event) => say({ kind: "told", event }) })
    .then(() => say({ kind: "done" }))
    .catch((error: unknown) => {
      if (error instanceof InterruptedError) return say({ kind: "interrupted" });
      const known = error instanceof CoolError ? error : null;
      const { name, facts, exitCode } = known ?? { name: "Error", facts: {}, exitCode: 1 };
      const message = known === null && error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
      return say({ kind: "failed", name, message, facts, exitCode });
    })
    .finally(() => process.exit());
});

/** Resolves when it is on its way, so that the process may end. */
function say(message: FromWorker): Promise<void> {
  return new Promise((resolve) => {
    if (process.send === undefined || !process.connected) resolve();
    else process.send(message, () => resolve());
  });
}
