/** @file Studies in reports: their trials, the best of their runs, and their pictures. */
import { expect, test } from "vitest";
import { renderReport } from "../../src/pages/report/server.js";
import { reportDocument } from "../../src/reporting/report-document.js";
import { openRunStore } from "../../src/storage/run-store.js";
import { temporaryDir } from "../storage/support.js";
import { addStudy, outcomeOf } from "../support/study.js";

async function reported(count: number, objectives: 1 | 2 = 1) {
  const store = openRunStore(temporaryDir());
  const { runs } = addStudy(store, "rates", count, objectives);
  const report = await reportDocument(store, ["rates"]);
  store.close();
  const study = report.group?.study;
  if (study == null) throw new Error("there is no study");
  return { report, study, runs };
}

test("a report on a study has all trials, the best first, and of its runs the ten best", async () => {
  const { report, study, runs } = await reported(60);
  expect(report).toMatchObject({ kind: "group", title: "rates" });
  const finished = runs.flatMap((run, i) => (i % 5 === 4 ? [] : [{ run, number: i + 1, loss: outcomeOf(i)[0] }]));
  const order = finished.toSorted((a, b) => a.loss - b.loss || a.number - b.number);
  expect(study.trials.slice(0, order.length).map(({ number }) => number)).toEqual(order.map(({ number }) => number));
  expect(study.trials).toHaveLength(60);
  expect(report.runs.map(({ overview }) => overview.id)).toEqual(order.slice(0, 10).map(({ run }) => run));
  expect(report.left_out).toEqual([expect.stringContaining("Of the study's 60 runs the best 10")]);
  // of |log rate + 2| and a tenth of the kind, the rate is nearly all
  expect(study.importance?.map(({ parameter }) => parameter)).toEqual([
    "train.optimizer.learningRate",
    "train.optimizer.kind",
  ]);
});

test("slices have each value where it is, of a list its place; trials that ended early say so", async () => {
  const { study } = await reported(20);
  const [rate, kind] = study.slices;
  expect([rate?.x.scale, rate?.points.length]).toEqual(["log", 20]);
  expect(kind?.x.choices).toEqual(["sgd", "<b>adamw</b>"]);
  for (const { trial, x, y, finished } of kind?.points ?? []) {
    expect([x, y, finished]).toEqual([(trial - 1) % 2, outcomeOf(trial - 1)[0], trial % 5 !== 0]);
  }
  expect(rate?.points.filter(({ best }) => best).map(({ x }) => x)).toEqual([0.01]);
});

test("of two objectives the front is what no other finished trial is better than, by brute force", async () => {
  const { study } = await reported(30, 2);
  const finished = Array.from({ length: 30 }, (_, i) => ({ trial: i + 1, of: outcomeOf(i) })).filter(
    ({ trial }) => trial % 5 !== 0,
  );
  const front = finished.filter(
    ({ of: [loss, f1] }) =>
      !finished.some(({ of: [other, score] }) => other <= loss && score >= f1 && (other < loss || score > f1)),
  );
  const [scatter] = study.fronts;
  expect(scatter?.points.flatMap(({ trial, best }) => (best ? [trial] : [])).toSorted((a, b) => a - b)).toEqual(
    front.map(({ trial }) => trial),
  );
  expect([scatter?.x.name, scatter?.y.name]).toEqual(["valid/_total/loss", "valid/door/f1_score"]);
});

test("its pictures and tables are in the page without scripts, names as text", async () => {
  const { report } = await reported(20, 2);
  const { html, sections } = renderReport(report);
  expect(sections.slice(0, 2).map(({ id }) => id)).toEqual(["overview", "study"]);
  expect(html.match(/<path class="trial( strong)?"/g)).toHaveLength(20);
  // two slices and one front
  expect(html.match(/<circle class="point/g)).toHaveLength(60);
  expect(html).not.toContain("<b>");
  // what the page's policy would not let be
  expect(html).not.toContain("style=");
});

test("a study without a trial is told so", async () => {
  const { report, study } = await reported(0);
  expect([study.trials, report.runs]).toEqual([[], []]);
  expect(renderReport(report).html).toContain("0 of 0 trials (none yet)");
});
