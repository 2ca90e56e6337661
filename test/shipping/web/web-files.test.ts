/** @file What a page without the project's code cannot answer is refused when it is exported. */
import { describe, expect, it } from "vitest";
import { defineTasks } from "../../../src/flow/define.js";
import { traceFlow } from "../../../src/flow/trace.js";
import { refuseUnanswerable } from "../../../src/shipping/web/web-files.js";
import { binary } from "../../../src/tasks/index.js";
import { graph as customGraph } from "../../support/custom-project.js";

const definitions = defineTasks({ features: ["f"], tasks: { right: binary() } }).flow("main", (flow, x, out) => {
  out.add(flow.right(x.f));
});
const plainGraph = traceFlow(definitions, "main");

describe("an export of the format web", () => {
  it("is refused for tasks of a project's own, by their name", () => {
    expect(() => refuseUnanswerable(customGraph)).toThrow(
      /^The task spot is of the type "point", which is decoded by code of its project, .* Export with --format layers/,
    );
  });

  it("is written for others", () => {
    expect(() => refuseUnanswerable(plainGraph)).not.toThrow();
  });
});
