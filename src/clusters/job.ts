/** @file What is handed to another machine: a command line, where it runs, and what it needs there. */
import { UsageError } from "../errors.js";
import { parseAge } from "../storage/query/time.js";

/** Resources of a job; undefined: whatever the machine gives by default. */
export interface JobNeeds {
  /** Seconds. */
  readonly timeS?: number | undefined;
  readonly cpus?: number | undefined;
  /** A number, or a type and a number: `2`, `a100:1`. */
  readonly gpus?: string | undefined;
  /** A number and K, M, G or T: `16G`. */
  readonly memory?: string | undefined;
  readonly partition?: string | undefined;
}

/** One job of as many tasks, each of which runs the same command. */
export interface Job {
  readonly name: string;
  /** Arguments of `cool`, without any quoting. */
  readonly words: readonly string[];
  readonly tasks: number;
  readonly needs: JobNeeds;
}

const DAY_S = 86_400;

/**
 * `90m`, `2h`, and as Slurm writes it: `HH:MM:SS`, `D-HH:MM:SS`.
 * @returns seconds
 * @throws UsageError
 */
export function parseJobTime(text: string): number {
  const [, days = "0", hours, minutes, seconds = "0"] =
    /^(?:(\d+)-)?(\d+):(\d{2})(?::(\d{2}))?$/.exec(text.trim()) ?? [];
  const age = parseAge(text);
  const total =
    hours === undefined
      ? (age ?? Number.NaN) / 1000
      : Number(days) * DAY_S + Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds);
  if (total >= 1) return Math.floor(total);
  throw new UsageError(`--time ${text} is no length of time. Write it as 90m, 2h, 08:00:00 or 1-12:00:00.`, {
    time: text,
  });
}

const FORMS = {
  gpus: { pattern: /^([A-Za-z0-9_.-]+:)?[1-9]\d*$/, example: "2 or a100:1" },
  memory: { pattern: /^[1-9]\d*[KMGT]$/, example: "16G" },
  partition: { pattern: /^[A-Za-z0-9_.,+-]+$/, example: "gpu" },
} as const;

/**
 * Resources end up in scripts and manifests: nothing but what has their form.
 * @throws UsageError
 */
export function checkedNeed(flag: keyof typeof FORMS, text: string): string {
  const { pattern, example } = FORMS[flag];
  if (pattern.test(text)) return text;
  throw new UsageError(`--${flag} ${JSON.stringify(text)} is not of the form that it has: ${example}.`, {
    [flag]: text,
  });
}

/** A name that schedulers, file names and host names take: lower case letters, digits and hyphens. */
export function plainName(name: string, longest = 52): string {
  const plain = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, longest)
    .replaceAll(/^-+|-+$/g, "");
  return plain === "" ? "cool" : plain;
}
