/** @file Tests that need what not every machine has: skipped with the reason, which the end of the run lists. */
import { spawnSync } from "node:child_process";
import { beforeEach } from "vitest";

/**
 * Skips every test of the file or suite that calls it.
 * @param reason why they cannot run here; null: they can
 */
export function needs(reason: string | null): void {
  beforeEach((context) => {
    if (reason !== null) context.skip(reason);
  });
}

/** Why a program cannot be used here; null: it starts. */
export function missingProgram(name: string, args: readonly string[] = ["--version"]): string | null {
  return spawnSync(name, [...args], { stdio: "ignore" }).status === 0 ? null : `${name} ${args.join(" ")} does not run`;
}
