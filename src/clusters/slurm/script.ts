/** @file A job as the batch script that Slurm runs. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { UsageError } from "../../errors.js";
import { shellWord } from "../../platform/shell-word.js";
import type { Job, JobNeeds } from "../job.js";
import { fillTemplate, TEMPLATE, TEMPLATE_FILE } from "./template.js";

export interface SlurmPlace {
  /** Folder of the project, where the template is. */
  readonly projectDir: string;
  /** Where the command was given, in which its paths hold. */
  readonly folder: string;
  /** What the job's output is kept in. */
  readonly logDir: string;
  /** Node and the program, as they are started on a node. */
  readonly program: readonly string[];
}

/** Before a time limit: enough for a step, a checkpoint, and the end of what evaluates. */
const WARNING_S = 120;

/**
 * The script of a job, by the project's template or the built-in one.
 * @throws ConfigError where the template has lost what it needs, UsageError where a path cannot be told to Slurm
 */
export function slurmScript(job: Job, place: SlurmPlace): string {
  const file = join(place.projectDir, TEMPLATE_FILE);
  const template = existsSync(file) ? readFileSync(file, "utf8") : TEMPLATE;
  const command = [...place.program, ...job.words].map(plainWord).join(" ");
  return fillTemplate(
    template,
    {
      job_name: sbatchWord(job.name),
      log: sbatchWord(logPattern(job, place)),
      warning_seconds: String(warningOf(job.needs)),
      options: optionLines(job),
      folder: plainWord(place.folder),
      command,
    },
    relative(process.cwd(), file) || TEMPLATE_FILE,
  );
}

/** Writes the built-in template into the project, once. @returns whether it was written */
export function writeTemplate(projectDir: string): boolean {
  const file = join(projectDir, TEMPLATE_FILE);
  if (existsSync(file)) return false;
  writeFileSync(file, TEMPLATE);
  return true;
}

/** A quarter of a short limit. */
function warningOf({ timeS }: JobNeeds): number {
  return timeS === undefined ? WARNING_S : Math.max(1, Math.min(WARNING_S, Math.floor(timeS / 4)));
}

function optionLines({ tasks, needs }: Job): string {
  const { partition, timeS, cpus, gpus, memory } = needs;
  const options = [
    // a run is no array of one: its number is that of the job
    ...(tasks > 1 ? [`--array=0-${tasks - 1}`] : []),
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(timeS === undefined ? [] : [`--time=${slurmTime(timeS)}`]),
    ...(cpus === undefined ? [] : [`--cpus-per-task=${cpus}`]),
    ...(gpus === undefined ? [] : [`--gpus=${gpus}`]),
    ...(memory === undefined ? [] : [`--mem=${memory}`]),
  ];
  return options.map((option) => `#SBATCH ${option}`).join("\n");
}

/** Slurm counts in minutes: a part of one is a whole one. */
function slurmTime(seconds: number): string {
  const minutes = Math.ceil(seconds / 60);
  const [days, hours] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24];
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${days}-${two(hours)}:${two(minutes % 60)}:00`;
}

/** `%x-%A_%a.out`, in a folder whose own percent signs are none of Slurm's. */
function logPattern({ tasks }: Job, { logDir }: SlurmPlace): string {
  if (logDir.includes("\\")) {
    throw new UsageError(
      `${logDir} has a backslash, which Slurm does not take in the path of an output file. Name another --store.`,
      {
        path: logDir,
      },
    );
  }
  const name = tasks > 1 ? "%x-%A_%a.out" : "%x-%j.out";
  return `${logDir.replaceAll("%", "%%")}${sep}${name}`;
}

/** A word of a shell command that is one line: nothing in it may end the line. */
function plainWord(word: string): string {
  if (!/[\p{Cc}\u2028\u2029]/u.test(word)) return shellWord(word);
  throw new UsageError(
    `${JSON.stringify(word)} has a control character or line break, which no job's command line may have.`,
    { word },
  );
}

/** A value on a #SBATCH line: sbatch knows double quotes, with a backslash before what would end them. */
function sbatchWord(word: string): string {
  return plainWord(word) === word ? word : `"${word.replaceAll(/["\\]/g, "\\$&")}"`;
}
