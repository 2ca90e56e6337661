/** @file `--replicas`: a number or `auto`. */
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

function parseReplicas(text: string): number | "auto" {
  if (text === "auto") return "auto";
  const count = Number(text);
  if (text.trim() !== "" && Number.isInteger(count) && count >= 1) return count;
  throw new UsageError(`--replicas ${text} is neither a whole number from 1 nor auto.`, { replicas: text });
}
