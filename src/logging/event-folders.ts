/** @file The event files of one run: one folder per split, one for the load of the machine, and the run's own. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type MetricPoint, type Split, SYSTEM_TASK } from "../tasks/evaluation.js";
import { type EventWriter, type HParamValue, listEventFiles, openEventWriter } from "./tensorboard/index.js";

/** Event files of the run as a whole lie in its folder, the others in folders below. */
type EventFolder = Split | "run" | "system";

/** The group of the machine's load: TensorBoard sorts groups by their names, and this one is to come last. */
export const SYSTEM_GROUP = "~system";

/** Owns the writers, which are opened when they are first used. Close it. */
export class EventFolders {
  readonly #runDir: string;
  readonly #resumeStep: number;
  readonly #writers = new Map<EventFolder, EventWriter>();
  readonly #systemGroup: string;

  /** @param resumeStep from which the run goes on; what was written after it is superseded */
  constructor(runDir: string, resumeStep: number) {
    this.#runDir = runDir;
    this.#resumeStep = resumeStep;
    this.#systemGroup = systemGroupOf(join(runDir, "system"));
  }

  /** @param firstStep of a folder that counts for itself */
  writer(of: EventFolder, firstStep = this.#resumeStep): EventWriter {
    const resumeStep = of === "system" ? firstStep : this.#resumeStep;
    const folder = of === "run" ? this.#runDir : join(this.#runDir, of);
    const writer = this.#writers.get(of) ?? openEventWriter(folder, { resumeStep });
    this.#writers.set(of, writer);
    return writer;
  }

  /** @param descriptions by tag */
  points(points: readonly MetricPoint[], descriptions: Readonly<Record<string, string>> = {}): void {
    for (const { split, taskPath, metricName, value, step } of points) {
      if (value === null) continue;
      if (taskPath === SYSTEM_TASK) {
        this.writer("system", step).scalar(`${this.#systemGroup}/${metricName}`, value, step);
        continue;
      }
      const tag = `${taskPath}/${metricName}`;
      this.writer(split).scalar(tag, value, step, descriptions[tag]);
    }
  }

  sync(): void {
    for (const writer of this.#writers.values()) writer.sync();
  }

  /** Closes every file, also where one of them fails. */
  close(): void {
    const failures: unknown[] = [];
    for (const writer of this.#writers.values()) {
      try {
        writer.close();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

/** Curves that were begun under the task's own name, which stood before the losses, go on there. */
function systemGroupOf(folder: string): string {
  const [first] = existsSync(folder) ? listEventFiles(folder) : [];
  return first !== undefined && readFileSync(first).includes(`${SYSTEM_TASK}/`) ? SYSTEM_TASK : SYSTEM_GROUP;
}

/**
 * Settings as the HParams page takes them: what is neither number, string nor yes-or-no as JSON. How a run is logged
 * says nothing about it and is left out.
 */
export function hparamsOf(config: Readonly<Record<string, unknown>>): Record<string, HParamValue> {
  return Object.fromEntries(
    Object.entries(config).flatMap(([key, value]): [string, HParamValue][] => {
      if (key.startsWith("log.")) return [];
      if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return [[key, value]];
      return [[key, value === null ? "none" : JSON.stringify(value)]];
    }),
  );
}
