/** @file What all benchmarks share: medians, running TypeScript files as processes, results as JSON. */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism, cpus, loadavg } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";

/** The repository's folder. */
export const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** Middle value; mean of the two middle ones for an even number. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[sorted.length % 2 === 0 ? half - 1 : half], sorted[half]];
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2;
}

/** Warns where other processes keep the machine busy: parallel peers suffer most from them. */
export function warnIfBusy(): void {
  const [load = 0] = loadavg();
  if (load > 0.5) printProgress(`The machine is busy (load average ${load.toFixed(1)}); the numbers will be off.`);
}

/** Writes to bench/results/`name`.json what was measured, with the machine it was measured on. */
export function writeResults(name: string, results: Readonly<Record<string, unknown>>): string {
  const file = path.join(ROOT, "bench", "results", `${name}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  const machine = { cpu: cpus()[0]?.model ?? "unknown", cores: availableParallelism(), node: process.version };
  const document = { measured_at: new Date().toISOString(), machine, ...results };
  writeFileSync(file, `${JSON.stringify(document, null, 2)}\n`);
  return path.relative(ROOT, file);
}

/** Prints a line; results go to stdout, progress to stderr. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
export function printProgress(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Arguments of `node` that run a TypeScript file of the repository. */
export function typescript(file: string): readonly string[] {
  const jiti = path.dirname(createRequire(import.meta.url).resolve("jiti/package.json"));
  return [path.join(jiti, "lib", "jiti-cli.mjs"), path.join(ROOT, file)];
}

/**
 * Compiles a TypeScript file of the repository with all that it imports from there, as what is shipped is: a compiler in
 * the process would be some 50 MB and five seconds of its own.
 * @returns the file to run with Node, which may not start threads of ours
 */
export function compiled(file: string): string {
  const outfile = path.join(ROOT, "bench", "results", "compiled", `${path.basename(file, ".ts")}.mjs`);
  buildSync({
    entryPoints: [path.join(ROOT, file)],
    ...{ outfile, bundle: true, packages: "external", format: "esm", platform: "node", logLevel: "warning" },
  });
  return outfile;
}

/** Runs a program and parses the last line that it prints. Its own errors go to our stderr. */
export function runJson<T>(program: string, args: readonly string[]): T {
  const stdout = execFileSync(program, args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  return JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as T;
}
