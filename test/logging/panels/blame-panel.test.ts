/** @file The picture of `cool blame`. */
import { expect, it } from "vitest";
import type { Blame } from "../../../src/analysis/blame/blame.js";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { drawBlame } from "../../../src/logging/panels/blame-panel.js";
import { binary } from "../../../src/tasks/index.js";

it("has each task under its gate, also where the flow asks another one first", async () => {
  const graph = traceFlow(
    defineTasks({
      features: ["f"],
      tasks: { sick: binary(), severe: binary(), well: binary(), relapse: binary() },
    }).flow("main", (flow, x, out) => {
      out.add(flow.sick(x.f));
      out.add(flow.severe(x.f).given(out.sick));
      out.add(flow.well(x.f).given(out.sick.not()));
      out.add(flow.relapse(x.f).given(out.severe));
    }),
    "main",
  );
  const tasks: Blame["tasks"] = graph.tasks.map(({ path }) => ({
    ...{ task_path: path, metric_name: "accuracy", num_samples: 10, method: "exact", gates: [] },
    ...{ end_to_end: 0.5, truth: 0.5, gap: 0, own_error: 0.5 },
  }));
  const svg = String(await drawBlame(graph, { split: "test", tasks, gates: [] }, "headline", "svg"));
  const names = [...svg.matchAll(/>(sick|severe|well|relapse)</g)].map(([, name]) => name);
  expect(names).toEqual(["sick", "severe", "relapse", "well"]);
});
