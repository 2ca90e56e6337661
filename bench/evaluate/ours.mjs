/**
 * @file Evaluates a split of typed arrays (`ours.mjs evaluate ROWS`), or tunes one threshold (`ours.mjs tune ROWS FILE`),
 * with the built package; prints JSON.
 */
import { existsSync, readFileSync } from "node:fs";
import { DuckDBInstance } from "@duckdb/node-api";
import { auditLabels } from "../../dist/analysis/audit/audit.js";
import { blameSplit } from "../../dist/analysis/blame/blame.js";
import { chainValue, tuneChain } from "../../dist/analysis/chain-tuning/tune-chain.js";
import { evaluateEndToEnd } from "../../dist/analysis/end-to-end.js";
import { fitCalibration } from "../../dist/analysis/calibration/fit.js";
import { measureCalibration } from "../../dist/analysis/calibration/measure.js";
import { fitAnswerCoverage, fitTreeCoverage } from "../../dist/analysis/conformal/coverage.js";
import { evaluateSplit } from "../../dist/analysis/evaluate.js";
import { withIntervals } from "../../dist/analysis/intervals/with-intervals.js";
import { answerProbabilities } from "../../dist/analysis/probability/answer-probabilities.js";
import { scoreSplit, withThresholds } from "../../dist/analysis/score.js";
import { tuneThresholds } from "../../dist/analysis/tune.js";
import { bestThreshold } from "../../dist/analysis/threshold.js";
import { createRandom } from "../../dist/data/rng.js";
import { readPredictions } from "../../dist/records/predictions/read.js";
import { answerWidth } from "../../dist/flow/masks.js";
import { traceFlow } from "../../dist/flow/trace.js";
import { binary, boundedRegression, classification, defineTasks, multilabel } from "../../dist/index.js";
import { behaviourOf } from "../../dist/tasks/index.js";
import { confusionOf, decisionMetrics } from "../../dist/tasks/metrics/decisions.js";

const PIXELS = 64;
const side = () => boundedRegression({ max: PIXELS });
const FACE = ["face_x1", "face_y1", "face_w", "face_h"];
const BODY = ["body_x1", "body_y1", "body_w", "body_h"];

/** The door camera's 14 tasks: 4 binary, 8 bounded regressions, a multilabel of 3, a classification of 7. */
const graph = traceFlow(
  defineTasks({
    features: ["features"],
    tasks: {
      camera_blocked: binary(),
      door_open: binary(),
      door_locked: binary(),
      person_present: binary(),
      ...Object.fromEntries([...FACE, ...BODY].map((name) => [name, side()])),
      facial_characteristics: multilabel({ labels: ["red", "green", "blue"] }),
      shirt_type: classification({ classes: ["blue", "red", "yellow", "cyan", "magenta", "green", "black"] }),
    },
  })
    .flow("person", (flow, x, out) => {
      for (const name of [...FACE, "facial_characteristics", ...BODY, "shirt_type"]) out.add(flow[name](x.features));
    })
    .flow("camera", (flow, x, out) => {
      out.add(flow.camera_blocked(x.features));
      out.add(flow.door_open(x.features).given(out.camera_blocked.not()));
      out.add(flow.door_locked(x.features).given(out.door_open.not()));
      out.add(flow.person_present(x.features).given(out.door_open));
      out.add(flow.person(x).given(out.person_present));
    }),
  "camera",
);

/** A tenth of the labels is missing; each gate is open for half of the rows that it is asked of. */
function randomAnswers(spec, rows, next) {
  const answers = new Float32Array(rows * answerWidth(spec));
  for (let i = 0; i < answers.length; i++) {
    const value = next();
    if (next() < 0.1) answers[i] = Number.NaN;
    else if (spec.kind === "boundedRegression") answers[i] = value * PIXELS;
    else answers[i] = Math.floor(value * (spec.kind === "classification" ? spec.classes.length : 2));
  }
  return answers;
}

/** Noise, and a step towards the label where it is known. */
function randomLogits(spec, answers, next) {
  const width = behaviourOf(spec).logitWidth(spec);
  const rows = answers.length / answerWidth(spec);
  const logits = Float32Array.from({ length: rows * width }, () => (next() - 0.5) * 6);
  for (let i = 0; i < answers.length; i++) {
    const answer = answers[i];
    if (Number.isNaN(answer)) continue;
    if (spec.kind === "classification") logits[i * width + answer] += 1;
    else logits[i] += spec.kind === "boundedRegression" ? answer / 16 - 2 : 2 * answer - 1;
  }
  return logits;
}

function makeOutputs(rows) {
  const { next } = createRandom("evaluate");
  const labels = graph.tasks.map(({ spec }) => ({ answers: randomAnswers(spec, rows, next), unitScale: null }));
  const outputs = graph.tasks.map(({ index, spec }) => randomLogits(spec, labels[index].answers, next));
  return { split: "test", ids: Array.from({ length: rows }, (_, row) => String(row)), outputs, labels };
}

const defaultThresholds = () => graph.tasks.map(({ spec }) => behaviourOf(spec).defaultThresholds(spec));

const megabytes = () => process.resourceUsage().maxRSS / 1024;

/** Wall-clock and processor time of some work. */
function timed(work) {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const result = work();
  const { user, system } = process.cpuUsage(cpu);
  return { result, seconds: (performance.now() - start) / 1000, cpu_seconds: (user + system) / 1e6 };
}

function evaluate(rows) {
  const outputs = makeOutputs(rows);
  const inputs_mb = megabytes();
  const { result, ...times } = timed(() => evaluateSplit(graph, scoreSplit(graph, outputs, defaultThresholds())));
  return { ...times, numbers: result.length, rss_mb: megabytes(), inputs_mb };
}

/** Rows of what a user gets, of a split that is scored already. */
function endToEnd(rows) {
  const outputs = makeOutputs(rows);
  const inputs_mb = megabytes();
  const scored = scoreSplit(graph, outputs, defaultThresholds());
  const { result, ...times } = timed(() => evaluateEndToEnd(graph, scored));
  return { ...times, numbers: result.length, rss_mb: megabytes(), inputs_mb };
}

/** 95 % intervals of every row of an evaluation. */
function intervals(rows) {
  const outputs = makeOutputs(rows);
  const scored = scoreSplit(graph, outputs, defaultThresholds());
  const evaluation = [...evaluateSplit(graph, scored), ...evaluateEndToEnd(graph, scored)];
  const inputs_mb = megabytes();
  const { result, ...times } = timed(() => withIntervals(graph, scored, evaluation));
  return {
    ...times,
    numbers: result.filter(({ interval }) => interval != null).length,
    rss_mb: megabytes(),
    inputs_mb,
  };
}

/** Whom to blame for what is lost, of a split that is scored already. */
function blame(rows) {
  const outputs = makeOutputs(rows);
  const inputs_mb = megabytes();
  const scored = scoreSplit(graph, outputs, defaultThresholds());
  const { result, ...times } = timed(() => blameSplit(graph, scored));
  const numbers = result.tasks.reduce((sum, { gates }) => sum + 2 * gates.length, 0);
  return { ...times, numbers, rss_mb: megabytes(), inputs_mb };
}

/** Work on a split that is scored already, and how many numbers it gives. */
function ofScored(work) {
  return (rows) => {
    const outputs = makeOutputs(rows);
    const scored = scoreSplit(graph, outputs, defaultThresholds());
    const inputs_mb = megabytes();
    const { result: numbers, ...times } = timed(() => work(scored));
    return { ...times, numbers, rss_mb: megabytes(), inputs_mb };
  };
}

/** Fits a calibration and measures it, before and after. */
const calibrating = (method) =>
  ofScored((scored) => {
    const { tasks } = fitCalibration(graph, scored, method);
    return measureCalibration(graph, scored, tasks).length;
  });

/** That each question is asked, and answered so, for every row. */
const probabilities = ofScored((scored) => answerProbabilities(graph, scored).asked.length * scored.ids.length);

/** Labels that are more likely wrong than right, and what would set their rows right. */
const audit = ofScored((scored) => auditLabels(graph, scored, undefined, 0.5).suspects.length);

/** Limits of sets of trees and of single answers. */
const coverage = ofScored((scored) =>
  [fitTreeCoverage, fitAnswerCoverage].reduce((sum, fit) => sum + fit(graph, scored, 0.95).limits.length, 0),
);
/** Separate thresholds, and with them all of a chain chosen for an aim; of a split that is scored already. */
function chain(rows, objective) {
  const outputs = makeOutputs(rows);
  const inputs_mb = megabytes();
  const scored = scoreSplit(graph, outputs, defaultThresholds());
  const separate = withThresholds(graph, scored, tuneThresholds(graph, scored).thresholds);
  const aim = { objective, floors: [] };
  const { result, ...times } = timed(() => tuneChain(graph, separate, aim));
  const [before, after] = [separate.tasks.map(({ thresholds }) => thresholds), result.thresholds].map(
    (thresholds) => chainValue(graph, scored, aim, undefined, thresholds).value,
  );
  return {
    ...times,
    numbers: result.moved.length,
    before,
    after,
    method: result.method,
    rss_mb: megabytes(),
    inputs_mb,
  };
}

const COSTS = { kind: "cost", costs: graph.tasks.map(() => ({ wrong: 1, missed: 2, needless: 1 })) };
const F1 = { kind: "metric", metric: "f1_score" };

/** Predictions of a run of so many rows, a tenth of whose labels are missing, as DuckDB draws them. */
async function drawPredictions(rows, file) {
  const instance = await DuckDBInstance.create(":memory:");
  const connection = await instance.connect();
  const list = (width, item) => `[${Array.from({ length: width }, () => `(${item})::FLOAT`).join(", ")}]`;
  const selects = graph.tasks.map(({ path, spec }) => {
    const logits = list(behaviourOf(spec).logitWidth(spec), "random() * 6 - 3");
    return `SELECT i::INTEGER AS row, 'images/' || i || '.png' AS sample, NULL::INTEGER AS position,
      '${path}' AS task_path, CASE WHEN random() < 0.1 THEN NULL ELSE ${list(answerWidth(spec), "floor(random() * 2)")} END AS label,
      NULL::VARCHAR AS label_text, ${logits} AS logits, ${logits} AS activated, ${list(answerWidth(spec), "random()")} AS decoded,
      'yes' AS decoded_text, random()::FLOAT AS loss, true AS active_by_truth, true AS active_by_prediction,
      1::FLOAT AS unit_scale, NULL::FLOAT AS unit_scale_y, NULL::FLOAT[] AS frame FROM range(${rows}) t(i)`;
  });
  await connection.run(`COPY (${selects.join(" UNION ALL ")}) TO '${file}' (FORMAT parquet, COMPRESSION zstd)`);
  connection.closeSync();
  instance.closeSync();
}

/** The predictions of a run as they lie in its folder. */
async function read(rows, file) {
  if (!existsSync(file)) await drawPredictions(rows, file);
  const inputs_mb = megabytes();
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const { outputs, labels } = await readPredictions(file, graph, "test");
  const { user, system } = process.cpuUsage(cpu);
  const numbers = [...outputs, ...labels.map(({ answers }) => answers)].reduce((sum, { length }) => sum + length, 0);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, cpu_seconds: (user + system) / 1e6, numbers, rss_mb: megabytes(), inputs_mb };
}

/** All that the commands do with a run's predictions, one after the other in one process: what it takes of memory. */
async function whole(rows, file) {
  if (!existsSync(file)) await drawPredictions(rows, file);
  const inputs_mb = megabytes();
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  const scored = scoreSplit(graph, await readPredictions(file, graph, "test"), defaultThresholds());
  const evaluation = [...evaluateSplit(graph, scored), ...evaluateEndToEnd(graph, scored)];
  withIntervals(graph, scored, evaluation);
  blameSplit(graph, scored);
  const { tasks } = fitCalibration(graph, scored, "temperature");
  measureCalibration(graph, scored, tasks);
  const separate = withThresholds(graph, scored, tuneThresholds(graph, scored).thresholds);
  tuneChain(graph, separate, { objective: COSTS, floors: [] });
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, cpu_seconds: (user + system) / 1e6, numbers: evaluation.length, rss_mb: megabytes(), inputs_mb };
}

function tune(rows, file) {
  const bytes = readFileSync(file);
  const scores = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + rows * 4));
  const truths = new Uint8Array(bytes.subarray(rows * 4, rows * 5));
  const { result: threshold, ...times } = timed(() => bestThreshold(scores, truths, "f1_score"));
  const decisions = Uint8Array.from(scores, (score) => (score >= threshold ? 1 : 0));
  const f1_score = decisionMetrics.f1_score(confusionOf(truths, decisions));
  return { ...times, threshold, f1_score, rss_mb: megabytes() };
}

const [what, rows, file] = process.argv.slice(2);
const works = {
  evaluate,
  end_to_end: endToEnd,
  blame,
  audit,
  intervals,
  chain_cost: (rows) => chain(rows, COSTS),
  chain_f1: (rows) => chain(rows, F1),
  read,
  whole,
  tune,
  probabilities,
  coverage,
  temperature: calibrating("temperature"),
  isotonic: calibrating("isotonic"),
};
const result = await works[what](Number(rows), file);
process.stdout.write(`${JSON.stringify(result)}\n`);
