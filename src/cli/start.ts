/** @file oclif on this package's commands; a module of its own, so that completion starts without it. */
import { execute } from "@oclif/core/execute";

export async function startCommand(): Promise<void> {
  await execute({ dir: import.meta.url });
}
