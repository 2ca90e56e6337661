/** @file A batch script, handed to Slurm. */
import { ClusterError } from "../../errors.js";
import { runProgram } from "../run-program.js";

/**
 * @returns the number of the job
 * @throws ClusterError where there is no sbatch, or it refuses the job
 */
export function submitToSlurm(script: string, folder: string): string {
  const { status, stdout, stderr } = runProgram("sbatch", ["--parsable"], {
    input: script,
    cwd: folder,
    missing:
      "There is no sbatch on this machine, which hands jobs to Slurm. Do it on a login node of the cluster, or see the script with --print.",
  });
  // `--parsable`: the number, and after a semicolon the cluster
  const [, job] = /^(\d+)(?:;.*)?$/m.exec(stdout.trim()) ?? [];
  if (status === 0 && job !== undefined) return job;
  const words = (stderr.trim() || stdout.trim()).replaceAll(/^sbatch: (error: )?/gm, "").replaceAll(/\s+/g, " ");
  throw new ClusterError(`Slurm has not taken the job: ${words === "" ? `sbatch ended with ${status}` : words}`, {
    ...{ program: "sbatch", status },
  });
}
