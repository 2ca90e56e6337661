/** @file Flags of work that is handed to another machine, and the command line that is left for it. */
import * as Flags from "@oclif/core/flags";
import { checkedNeed, type JobNeeds, parseJobTime } from "../clusters/job.js";

const GROUP = { helpGroup: "CLUSTER" };

/** Flags that say where a job runs and what it needs there. */
export const CLUSTER_FLAGS = {
  on: Flags.string({
    summary: "hand it over: slurm, kubernetes (with --print), or ssh:HOST",
    description: "See docs/clusters.md.",
    helpValue: "PLACE",
    ...GROUP,
  }),
  print: Flags.boolean({ summary: "only show what would be handed over", dependsOn: ["on"], ...GROUP }),
  partition: Flags.string({
    summary: "partition of Slurm",
    dependsOn: ["on"],
    parse: async (text) => checkedNeed("partition", text),
    ...GROUP,
  }),
  time: Flags.custom<number>({
    summary: "time limit of the job: 90m, 8h, 1-12:00:00",
    dependsOn: ["on"],
    parse: async (text) => parseJobTime(text),
    ...GROUP,
  })(),
  cpus: Flags.integer({ summary: "processors of a task", min: 1, dependsOn: ["on"], ...GROUP }),
  gpus: Flags.string({
    summary: "GPUs of a task: 1, or a100:1",
    dependsOn: ["on"],
    parse: async (text) => checkedNeed("gpus", text),
    ...GROUP,
  }),
  memory: Flags.string({
    summary: "memory of a task: 16G",
    dependsOn: ["on"],
    parse: async (text) => checkedNeed("memory", text),
    ...GROUP,
  }),
  image: Flags.string({ summary: "image of kubernetes, with cool on its path", dependsOn: ["on"], ...GROUP }),
  volume: Flags.string({
    summary: "claim of the volume with the project, for kubernetes",
    helpValue: "CLAIM",
    dependsOn: ["on"],
    ...GROUP,
  }),
};

/** What handing over needs of the flags. */
export type HandOverFlags = { readonly on: string; readonly print: boolean } & {
  readonly [Name in "partition" | "gpus" | "memory" | "image" | "volume" | "store"]?: string | undefined;
} & { readonly [Name in "time" | "cpus"]?: number | undefined };

/** Their values, as far as they are resources. */
export function needsOf({ partition, time, cpus, gpus, memory }: HandOverFlags): JobNeeds {
  return { partition, timeS: time, cpus, gpus, memory };
}

/** What oclif has read from the command line. */
export type ReadToken =
  | { readonly type: "arg"; readonly input: string }
  | { readonly type: "flag"; readonly flag: string; readonly input: string };

/**
 * The words of the command line, each flag with its value in one word, without some of the flags.
 * @param isBoolean whether a flag has no value
 */
export function wordsWithout(
  tokens: readonly ReadToken[],
  left: readonly string[],
  isBoolean: (flag: string) => boolean,
): string[] {
  const here = new Set([...Object.keys(CLUSTER_FLAGS), "json", "wide", "no-pager", ...left]);
  return tokens.flatMap((token) => {
    if (token.type === "arg") return [token.input];
    if (here.has(token.flag)) return [];
    return [isBoolean(token.flag) ? `--${token.flag}` : `--${token.flag}=${token.input}`];
  });
}
