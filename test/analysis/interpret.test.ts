/** @file Best and worst samples. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { smallestK } from "../../src/analysis/smallest-k.js";
import { bestAndWorst, scoreSplit } from "../../src/analysis/index.js";
import {
  defaultThresholds,
  readReference,
  securityBatch,
  securityGraph,
  securityRows,
} from "../support/security-flow.js";

const FACE_X1 = "person_regression.face_regression.face_x1";

describe("best and worst samples", () => {
  it("lists each loss beside its own row, whatever rows before it had none", () => {
    const { interpretation_with_empty_batches: expected } = readReference<{
      readonly interpretation_with_empty_batches: {
        readonly losses: readonly number[];
        readonly correct_indices: readonly number[];
      };
    }>("edge_cases_and_bugs");
    // rows 8 and 9 here are rows 4 and 5 of the reference batch
    const outputs = securityRows([0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6, 7]);
    const scored = scoreSplit(securityGraph, outputs, defaultThresholds(securityGraph));
    const face = bestAndWorst(securityGraph, scored, 10).find(({ task_path }) => task_path === FACE_X1);
    expect(face?.worst.map(({ row }) => row)).toEqual(expected.correct_indices);
    expect(face?.best.map(({ row }) => row)).toEqual(expected.correct_indices.toReversed());
    face?.worst.forEach(({ loss }, i) => {
      expect(loss).toBeCloseTo(expected.losses[i] as number, 5);
    });
  });

  it("tells label and prediction in the words of the task", () => {
    const interpreted = bestAndWorst(securityGraph, securityBatch(), 1);
    const worstOf = (name: string) => interpreted.find(({ task_path }) => task_path.endsWith(name))?.worst[0];
    expect(worstOf("door_open")).toMatchObject({ row: 9, id: "row 9", label: true, prediction: false });
    expect(worstOf("shirt_type")).toMatchObject({ row: 5, label: "black", prediction: "yellow" });
    expect(worstOf("facial_characteristics")?.label).toBeInstanceOf(Array);
  });

  it("leaves out rows that are not active or not labelled", () => {
    const locked = bestAndWorst(securityGraph, securityBatch(), 10)[2];
    expect(locked?.best.map(({ row }) => row)).toEqual([3, 2]);
  });
});

describe("the first rows by a key", () => {
  it("are those of a full sort, earlier rows first among equal keys", () => {
    const keyed = fc.array(fc.tuple(fc.integer({ min: -3, max: 3 }), fc.integer({ min: 0, max: 1 })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(keyed, fc.integer({ min: 0, max: 12 }), (rows, limit) => {
        const expected = [...rows.keys()]
          .filter((row) => rows[row]?.[1] === 1)
          .sort((a, b) => (rows[a]?.[0] as number) - (rows[b]?.[0] as number) || a - b)
          .slice(0, limit);
        const keys = Float32Array.from(rows, ([key]) => key);
        const mask = Uint8Array.from(rows, ([, included]) => included);
        expect(smallestK(keys, mask, limit)).toEqual(expected);
      }),
    );
  });
});
