/** @file Pictures that are mixed: what is said of settings that do not go together. */
import { describe, expect, test } from "vitest";
import { image, numeric } from "../../src/data/inputs/inputs.js";
import type { SymbolicTensor } from "../../src/engine/model/network.js";
import { defineTasks } from "../../src/flow/define.js";
import type { TaskSpec } from "../../src/flow/graph.js";
import { defineProject } from "../../src/project/define-project.js";
import { resolveProject } from "../../src/project/resolve-project.js";
import { binary, box, regression } from "../../src/tasks/index.js";

describe("pictures that are mixed", () => {
  const projectWith = (augment: object, tasks: readonly TaskSpec[], inputs: object = {}) => {
    const [a = binary(), b = binary()] = tasks;
    const declared = defineTasks({ features: ["f"], tasks: { a, b } });
    return defineProject({
      name: "mixed",
      tasks: declared.flow("main", (flow, x, out) => {
        out.add(flow.a(x.f));
        out.add(flow.b(x.f));
      }),
      flow: "main",
      data: { table: "t.csv", inputs: { image: image({ column: "img", size: [8, 8] }), ...inputs }, augment },
      trunk: ({ image: picture }) => ({ f: picture as SymbolicTensor }),
    });
  };
  const settingsOf = (...given: Parameters<typeof projectWith>) =>
    resolveProject(projectWith(...given)).settings.data.augment;
  const place = box({ columns: ["x", "y", "w", "h"] });
  const age = regression();

  test("are refused where a task would never learn, which names it and the way out", () => {
    expect(() => settingsOf({ mixup: 0.2 }, [binary(), place])).toThrow(
      'data.augment.mixup mixes every batch, so that "b" would never learn: its labels are of one picture alone. Set data.augment.mixShare, e.g. to 0.5',
    );
    expect(() => settingsOf({ cutmix: 1 }, [age, place])).toThrow(
      'so that "a", "b" would never learn: their labels are',
    );
    expect(settingsOf({ cutmix: 1, mixShare: 0.5 }, [age, place])).toMatchObject({ cutmix: 1, mixShare: 0.5 });
    // numbers are mixed by mixup
    expect(settingsOf({ cutmix: 1, mixup: 0.2 }, [age, binary()])).toMatchObject({ mixup: 0.2 });
  });

  test("are refused beside an input that is no picture", () => {
    const inputs = { size: numeric({ columns: ["size"] }) };
    expect(() => settingsOf({ mixup: 0.2, cutmix: 1 }, [], inputs)).toThrow(
      'data.augment.mixup and data.augment.cutmix make one picture of two, but the input "size" (numeric) has no value that belongs to both.',
    );
    expect(settingsOf({ flipHorizontal: 0.5 }, [], inputs)).toMatchObject({ mixup: 0 });
  });

  test("need a way in which they are: a share alone is a mistake, and so is a strength below 0", () => {
    expect(() => settingsOf({ mixShare: 0.5 }, [])).toThrow(
      "neither data.augment.mixup nor data.augment.cutmix is set",
    );
    expect(() => settingsOf({ mixup: -1 }, [])).toThrow('"data.augment.mixup" is wrong');
    expect(() => settingsOf({ mixUp: 1 }, [])).toThrow('did you mean "data.augment.mixup"?');
  });
});
