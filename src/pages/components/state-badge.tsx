/** @file The state of a run. */
import type { RunStateName } from "../../reporting/document.js";

const LOOKS = {
  running: "live",
  finished: "good",
  failed: "bad",
  crashed: "bad",
  interrupted: "warn",
  pruned: "warn",
} as const satisfies Readonly<Record<RunStateName, string>>;

export function StateBadge({ state }: { readonly state: RunStateName }) {
  return <span class={`badge ${LOOKS[state]}`}>{state}</span>;
}
