/** @file `--replicas`: a number, `auto`, or for training the ranks of a job over MPI. */
import * as Flags from "@oclif/core/flags";
import { UsageError } from "../errors.js";

/** @param summary what the replicas do */
export function replicasFlag(summary: string) {
  return Flags.custom<number | "auto">({
    summary,
    description: "Each is a copy of the network: in a thread with wasm and cpu, in a process per GPU with tensorflow.",
    helpValue: "N|auto",
    parse: async (text) => parseReplicas(text),
  })();
}

/** The same of a command that can be one of several processes. */
export function trainingReplicasFlag(summary: string) {
  return Flags.custom<number | "auto" | "mpi">({
    summary,
    description:
      "Each is a copy of the network: in a thread with wasm and cpu, in a process per GPU with tensorflow. With mpi each is a process that mpirun or srun has started, maybe on another machine.",
    helpValue: "N|auto|mpi",
    parse: async (text) => (text === "mpi" ? "mpi" : parseReplicas(text, " nor mpi")),
  })();
}

function parseReplicas(text: string, orElse = ""): number | "auto" {
  if (text === "auto") return "auto";
  const count = Number(text);
  if (text.trim() !== "" && Number.isInteger(count) && count >= 1) return count;
  throw new UsageError(`--replicas ${text} is neither a whole number from 1 nor auto${orElse}.`, { replicas: text });
}
