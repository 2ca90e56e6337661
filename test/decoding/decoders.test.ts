/** @file Decoding stands on its own: it bundles without a package or Node.js, and answers there as the analysis does. */
import { gzipSync } from "node:zlib";
import { runInNewContext } from "node:vm";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { describe, expect, it } from "vitest";
import { scoreSplit } from "../../src/analysis/score.js";
import { softmaxRows } from "../../src/decoding/activations.js";
import { decoders } from "../../src/decoding/decoders.js";
import { createRandom } from "../../src/data/rng.js";
import { defineTasks } from "../../src/flow/define.js";
import type { TaskSpec } from "../../src/flow/graph.js";
import { answerWidth } from "../../src/flow/masks.js";
import { traceFlow } from "../../src/flow/trace.js";
import {
  behaviourOf,
  binary,
  boundedRegression,
  box,
  classification,
  multilabel,
  ordinal,
  point,
} from "../../src/tasks/index.js";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What answers logits, as one script that defines `answering`. */
const bundled = build({
  stdin: {
    contents: `export { decoders } from "./src/decoding/decoders.js"; export { calibrate } from "./src/decoding/calibration.js"; export { activeRows } from "./src/flow/masks.js";`,
    resolveDir: root,
  },
  bundle: true,
  write: false,
  metafile: true,
  minify: true,
  format: "iife",
  globalName: "answering",
  platform: "neutral",
});

describe("what decodes answers", () => {
  it("is a few files without dependencies, and small", async () => {
    const { metafile, outputFiles } = await bundled;
    const inputs = Object.keys(metafile.inputs).filter((file) => file.startsWith("src/"));
    expect(inputs.sort()).toEqual([
      "src/arrays.ts",
      "src/decoding/activations.ts",
      "src/decoding/calibration.ts",
      "src/decoding/decoders.ts",
      "src/decoding/figures.ts",
      "src/flow/graph.ts",
      "src/flow/kinds.ts",
      "src/flow/masks.ts",
      "src/flow/precondition.ts",
    ]);
    expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([]);
    expect(gzipSync(outputFiles[0]?.contents ?? "").length).toBeLessThan(4096);
  });

  it("answers the same in an empty world as the analysis does here", async () => {
    const [file] = (await bundled).outputFiles;
    const definitions = defineTasks({
      features: ["f"],
      tasks: {
        open: binary(),
        color: classification({ classes: ["red", "green", "blue"] }),
        marks: multilabel({ labels: ["dot", "stripe"] }),
        grade: ordinal({ levels: ["poor", "fair", "good"] }),
        x: boundedRegression({ min: -1, max: 3 }),
        face: box({ columns: ["a", "b", "c", "d"], format: "xyxy" }),
        eye: point({ columns: ["a", "b"] }),
      },
    }).flow("all", (flow, x, out) => {
      out.add(flow.open(x.f));
      out.add(flow.color(x.f).given(out.open));
      out.add(flow.marks(x.f).given(out.color.is("blue").not()));
      out.add(flow.face(x.f).given(out.open));
      out.add(flow.eye(x.f));
      out.add(flow.grade(x.f));
      out.add(flow.x(x.f).given(out.grade.atLeast("fair").or(out.marks.has("dot"))));
    });
    const graph = traceFlow(definitions, "all");
    const random = createRandom("decoding");
    const rows = 200;
    const thresholds = [[0.4], [], [0.3, 0.6], [], [], [], []];
    const outputs = graph.tasks.map(({ spec }) =>
      Float32Array.from({ length: rows * behaviourOf(spec).logitWidth(spec) }, () => 6 * random.next() - 3),
    );
    const scored = scoreSplit(
      graph,
      {
        split: "test",
        ids: Array.from({ length: rows }, (_, row) => String(row)),
        outputs,
        labels: graph.tasks.map(({ spec }) => ({
          answers: new Float32Array(rows * answerWidth(spec)).fill(Number.NaN),
          unitScale: null,
        })),
      },
      thresholds,
    );
    const script = `${file?.text}
      const decoded = graph.tasks.map(({ spec }, i) => {
        const decoder = answering.decoders[spec.kind];
        return decoder.decode(spec, decoder.activate(spec, outputs[i]), thresholds[i], null);
      });
      const calibrated = answering.calibrate(graph.tasks[1].spec, { method: "temperature", temperatures: [2] }, outputs[1]);
      ({ decoded, calibrated, active: answering.activeRows(graph, decoded, rows) });`;
    // nothing but JavaScript itself is there
    const result = runInNewContext(script, { graph, outputs, thresholds, rows }) as {
      readonly decoded: readonly Float32Array[];
      readonly calibrated: Float32Array;
      readonly active: readonly Uint8Array[];
    };
    scored.tasks.forEach(({ decoded, activePredicted }, i) => {
      expect([...(result.decoded[i] ?? [])]).toEqual([...decoded]);
      expect([...(result.active[i] ?? [])]).toEqual([...activePredicted]);
    });
    const halves = outputs[1]?.map((logit) => logit / 2) ?? new Float32Array(0);
    expect([...result.calibrated]).toEqual([...softmaxRows(halves, 3)]);
    expect(new Set(result.active.flatMap((mask) => [...mask]))).toEqual(new Set([0, 1]));
  });

  it("knows of every score that is NaN that it says nothing", () => {
    const nothing = Float32Array.of(Number.NaN, 1);
    const spec = { kind: "multilabel", labels: ["a", "b"] } as const satisfies TaskSpec;
    expect([...decoders.multilabel.decode(spec, nothing, [0.5, 0.5])]).toEqual([Number.NaN, 1]);
    const choice = { kind: "classification", classes: ["a", "b"] } as const satisfies TaskSpec;
    expect([...decoders.classification.decode(choice, nothing)]).toEqual([Number.NaN]);
  });
});
