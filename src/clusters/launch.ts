/** @file `--on`: where work is handed to, and what has become of it. */
import { mkdirSync } from "node:fs";
import { UnknownNameError, UsageError } from "../errors.js";
import { packageFile } from "../platform/package-file.js";
import { shellWord } from "../platform/shell-word.js";
import type { Job } from "./job.js";
import { kubernetesJob } from "./kubernetes/manifest.js";
import { slurmScript, writeTemplate } from "./slurm/script.js";
import { submitToSlurm } from "./slurm/submit.js";
import { TEMPLATE_FILE } from "./slurm/template.js";
import { checkedHost, sshPlan, startOverSsh } from "./ssh/start.js";

export type Target =
  | { readonly kind: "slurm" }
  | { readonly kind: "kubernetes"; readonly image: string | undefined; readonly volume: string | undefined }
  | { readonly kind: "ssh"; readonly host: string };

export interface LaunchPlace {
  readonly projectDir: string;
  /** Where the command was given. */
  readonly folder: string;
  /** For the output of jobs. */
  readonly logDir: string;
  /** How runs of the job are found: a run's name, or a study's. */
  readonly name: string;
}

/** What was handed over, or would have been. */
export interface Launched {
  readonly on: Target["kind"];
  readonly name: string;
  readonly tasks: number;
  /** Number of the job, or of the process; null where it was only shown. */
  readonly job: string | null;
  /** A batch script, a manifest, or what ssh would run. */
  readonly script: string;
  /** Sentences for whoever started it. */
  readonly told: readonly string[];
}

/** @throws UnknownNameError, UsageError */
export function parseTarget(
  text: string,
  { image, volume }: { readonly [Name in "image" | "volume"]?: string | undefined },
): Target {
  if (text === "slurm") return { kind: "slurm" };
  if (text === "kubernetes") return { kind: "kubernetes", image, volume };
  if (text.startsWith("ssh:")) return { kind: "ssh", host: checkedHost(text.slice("ssh:".length)) };
  throw new UnknownNameError("place", text, ["slurm", "kubernetes", "ssh:HOST"], "--on", { exitCode: 2 });
}

/**
 * @param isShown nothing is handed over or written
 * @throws ClusterError, ConfigError, UsageError
 */
export function launch(target: Target, job: Job, place: LaunchPlace, isShown: boolean): Launched {
  const { name } = place;
  const common = { on: target.kind, name, tasks: job.tasks, job: null, told: [] };
  switch (target.kind) {
    case "slurm": {
      const program = [process.execPath, packageFile("bin/run.js")];
      const script = slurmScript(job, { ...place, program });
      if (isShown) return { ...common, script };
      mkdirSync(place.logDir, { recursive: true });
      const id = submitToSlurm(script, place.folder);
      const isNew = writeTemplate(place.projectDir);
      const told = [
        `Slurm has job ${id}${job.tasks > 1 ? ` of ${job.tasks} tasks` : ""}; its output is in ${place.logDir}`,
        ...(isNew
          ? [`${TEMPLATE_FILE} in the project is the script of later jobs: edit it as your cluster needs it`]
          : []),
      ];
      return { ...common, script, job: id, told };
    }
    case "kubernetes": {
      const { image, volume = null } = target;
      if (image === undefined) {
        throw new UsageError("--on kubernetes needs an image in which cool is on the path. Name it with --image.");
      }
      if (!isShown) {
        throw new UsageError(
          "--on kubernetes prints a manifest, and starts nothing by itself. Add --print, and hand it on: cool … --print | kubectl apply -f -",
        );
      }
      return { ...common, script: JSON.stringify(kubernetesJob(job, { image, volume }), null, 2) };
    }
    case "ssh": {
      const plan = sshPlan(job, { host: target.host, projectDir: place.projectDir }, name);
      const shown = [
        ["rsync", ...plan.rsync],
        ["ssh", ...plan.ssh],
      ].map((words) => words.map(shellWord).join(" "));
      const script = `${shown.join("\n")} <<'SCRIPT'\n${plan.script}SCRIPT`;
      if (isShown) return { ...common, script };
      const id = startOverSsh(plan);
      const told = [
        `process ${id} on ${target.host}, in ${plan.folder}`,
        ...plan.next.map(({ what, command }) => `${what}: ${command}`),
      ];
      return { ...common, script, job: id, told };
    }
    default:
      return target satisfies never;
  }
}
