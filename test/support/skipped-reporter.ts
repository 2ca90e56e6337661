/** @file Says at the end of a test run which tests were skipped, and why; a list of several runs goes into a file. */
import { appendFileSync } from "node:fs";
import { relative } from "node:path";
import type { Reporter, TestModule, Vitest } from "vitest/node";

/** A reporter of vitest; SKIPPED_LIST names the file that collects the lines of several runs. */
export default class SkippedReporter implements Reporter {
  #wanted: RegExp | undefined;

  onInit(vitest: Vitest): void {
    this.#wanted = vitest.config.testNamePattern;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const lines = modules.flatMap((module) => skippedOf(module, this.#wanted));
    if (lines.length === 0) return;
    process.stdout.write(`\nSkipped:\n${lines.map((line) => `  ${line}\n`).join("")}`);
    const list = process.env.SKIPPED_LIST;
    if (list !== undefined) appendFileSync(list, lines.map((line) => `${line}\n`).join(""));
  }
}

/** @param wanted of `-t`: tests of other names were not asked for */
function skippedOf(module: TestModule, wanted: RegExp | undefined): string[] {
  const file = relative(process.cwd(), module.moduleId);
  const tests = [...module.children.allTests("skipped")].filter(
    ({ fullName }) => wanted === undefined || wanted.test(fullName.replaceAll(" > ", " ")),
  );
  const reasons = new Map<string, string[]>();
  for (const test of tests) {
    const result = test.result();
    const why = (result.state === "skipped" ? result.note : undefined) ?? "what it needs is not on this machine";
    reasons.set(why, [...(reasons.get(why) ?? []), test.fullName]);
  }
  return [...reasons].map(
    ([why, names]) => `${file}: ${names.length === 1 ? names[0] : `${names.length} tests`}: ${why}`,
  );
}
