/** @file Whoever asked may have gone before the answer is there. */
import { ServerResponse } from "node:http";
import type { Context } from "hono";
import type { AppEnv } from "./app.js";

/**
 * Calls `told` where whoever asked hangs up before the answer was written.
 * @returns what ends that
 */
export function whenGone(context: Context<AppEnv>, told: () => void): () => void {
  const outgoing = context.env?.outgoing;
  if (outgoing instanceof ServerResponse) {
    const onClose = (): void => {
      if (!outgoing.writableFinished) told();
    };
    outgoing.once("close", onClose);
    return () => outgoing.off("close", onClose);
  }
  const { signal } = context.req.raw;
  if (signal.aborted) told();
  signal.addEventListener("abort", told, { once: true });
  return () => signal.removeEventListener("abort", told);
}
