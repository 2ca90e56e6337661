/** @file The records of one W&B run, taken one by one → points, output, settings and how it ended. */
import { NO_FACTS, type RunFacts, type RunSink } from "../shape.js";
import { jsonOf, nested, numberOf } from "../texts.js";
import {
  ENVIRONMENT,
  EXIT,
  GIT,
  HISTORY,
  itemsIn,
  type Message,
  METRIC,
  messageOf,
  messagesIn,
  numberIn,
  OUTPUT,
  RECORD,
  RUN,
  STATS,
  textIn,
  textsIn,
  timeIn,
  UPDATES,
} from "./wandb-records.js";
import { putJson, putValue } from "./wandb-values.js";

const NO_PLACE = "the store has no place for them";

export class WandbReader {
  readonly #sink: RunSink;
  readonly #files: string;
  readonly #config = new Map<string, unknown>();
  readonly #summary = new Map<string, string>();
  readonly #curves = new Set<string>();
  #run: Message = new Map();
  #exit: Message | null = null;
  #environment: Message = new Map();
  #startedAt = 0;
  #last = 0;
  #step = 0;
  hasBegun = false;

  /** @param files folder of the run's files */
  constructor(sink: RunSink, files: string) {
    this.#sink = sink;
    this.#files = files;
  }

  take(record: Uint8Array): void {
    const message = messageOf(record);
    for (const row of messagesIn(message, RECORD.history)) this.#takeRow(row);
    for (const summary of messagesIn(message, RECORD.summary)) this.#takeSummary(summary);
    for (const config of messagesIn(message, RECORD.config)) this.#takeConfig(config);
    for (const run of messagesIn(message, RECORD.run)) this.#begin(run);
    for (const stats of messagesIn(message, RECORD.stats)) this.#takeStats(stats);
    for (const kind of [RECORD.output, RECORD.outputRaw]) {
      for (const output of messagesIn(message, kind)) this.#sink.output(textIn(output, OUTPUT.line) ?? "");
    }
    for (const environment of messagesIn(message, RECORD.environment)) this.#environment = environment;
    for (const exit of messagesIn(message, RECORD.exit)) this.#exit = exit;
    for (const metric of messagesIn(message, RECORD.metric)) {
      if (textIn(metric, METRIC.stepMetric) !== null) this.#sink.leave("axes of curves", "the axis is W&B's step");
    }
    if (message.has(RECORD.artifact)) this.#sink.leave("artifacts", NO_PLACE);
    if (message.has(RECORD.tensorboard)) this.#sink.leave("TensorBoard folders", "import them as such");
    if (message.has(RECORD.alert)) this.#sink.leave("alerts", NO_PLACE);
  }

  #begin(run: Message): void {
    this.hasBegun = true;
    this.#run = new Map([...this.#run, ...run]);
    this.#startedAt = timeIn(run, RUN.startTime) ?? this.#startedAt;
    for (const config of messagesIn(run, RUN.config)) this.#takeConfig(config);
  }

  #takeConfig(config: Message): void {
    for (const { key, json } of itemsIn(config, UPDATES.update)) this.#config.set(key.join("."), jsonOf(json));
    for (const { key } of itemsIn(config, UPDATES.remove)) this.#config.delete(key.join("."));
  }

  #takeSummary(summary: Message): void {
    for (const { key, json } of itemsIn(summary, UPDATES.update)) this.#summary.set(key.join("."), json);
    for (const { key } of itemsIn(summary, UPDATES.remove)) this.#summary.delete(key.join("."));
  }

  #takeRow(row: Message): void {
    const items = itemsIn(row, HISTORY.item);
    const own = new Map(items.map(({ key, json }) => [key.join("."), json]));
    const [counted] = messagesIn(row, HISTORY.step);
    const step = numberOf(own.get("_step")) ?? (counted === undefined ? this.#step + 1 : (numberIn(counted, 1) ?? 0));
    const time = numberOf(own.get("_timestamp")) ?? this.#startedAt + (numberOf(own.get("_runtime")) ?? 0);
    const epoch = numberOf(own.get("epoch"));
    const place = {
      step,
      time,
      epoch: epoch !== undefined && Number.isSafeInteger(epoch) && epoch >= 0 ? epoch : null,
    };
    this.#step = step;
    this.#last = Math.max(this.#last, time);
    const parts = new Map<string, [string, unknown][]>();
    for (const { key, json } of items) {
      const [name = "", ...inner] = key;
      if (name === "" || name.startsWith("_")) continue;
      this.#curves.add(name);
      if (inner.length === 0) putJson(this.#sink, name, json, place, this.#files);
      else parts.set(name, [...(parts.get(name) ?? []), [inner.join("."), jsonOf(json)]]);
    }
    // an object is told by its parts
    for (const [name, own] of parts) putValue(this.#sink, name, nested(own), place, this.#files);
  }

  #takeStats(stats: Message): void {
    const time = timeIn(stats, STATS.timestamp) ?? this.#last;
    // as of our own runs: a point a second
    const place = { step: Math.max(0, Math.round(time - this.#startedAt)), time };
    for (const item of messagesIn(stats, STATS.item)) {
      const value = numberOf(jsonOf(textIn(item, 16) ?? ""));
      if (value !== undefined) this.#sink.system(textIn(item, 1) ?? "", value, place);
    }
  }

  /** To be called when all records were taken. */
  facts(label: string): RunFacts {
    this.#putSummary();
    // its own
    for (const key of ["_wandb", "wandb_version"]) this.#config.delete(key);
    const run = this.#run;
    const code = this.#exit === null ? null : (numberIn(this.#exit, EXIT.code) ?? 0);
    const runtime = this.#exit === null ? null : numberIn(this.#exit, EXIT.runtime);
    const text = (field: number): string | null => textIn(run, field);
    const [git] = messagesIn(run, RUN.git).concat(messagesIn(this.#environment, ENVIRONMENT.git));
    const group = text(RUN.group);
    const job = text(RUN.jobType);
    return {
      ...NO_FACTS,
      name: text(RUN.name) ?? label,
      project: text(RUN.project) ?? "uncategorized",
      state: code === null ? "running" : code === 0 ? "finished" : "failed",
      error: code === null || code === 0 ? null : `The process ended with exit code ${code}.`,
      startedAt: this.#startedAt || null,
      // the runtime is in whole seconds
      endedAt: runtime === null ? null : Math.max(this.#startedAt + runtime, this.#last),
      config: nested(this.#config),
      tags: [
        ...textsIn(run, RUN.tags),
        ...(group === null ? [] : [`group=${group}`]),
        ...(job === null ? [] : [`job_type=${job}`]),
      ],
      note: text(RUN.notes),
      host: text(RUN.host),
      commandLine: this.#commandLine(),
      gitCommit: git === undefined ? null : textIn(git, GIT.commit),
      environment: { wandb: this.#environmentFacts() },
    };
  }

  /** What was set without a curve of its own: a point at the last step. */
  #putSummary(): void {
    const place = { step: this.#step, time: this.#last || this.#startedAt };
    for (const [name, json] of this.#summary) {
      const [first = ""] = name.split(".");
      if (name.startsWith("_") || this.#curves.has(name) || this.#curves.has(first)) continue;
      putValue(this.#sink, name, jsonOf(json), place, this.#files);
    }
  }

  #commandLine(): string | null {
    const program = textIn(this.#environment, ENVIRONMENT.program);
    return program === null ? null : [program, ...textsIn(this.#environment, ENVIRONMENT.args)].join(" ");
  }

  #environmentFacts(): Record<string, unknown> {
    const texts = { os: ENVIRONMENT.os, python: ENVIRONMENT.python, gpu: ENVIRONMENT.gpu };
    const known = Object.entries(texts).map(([key, field]) => [key, textIn(this.#environment, field)]);
    const ids = { run_id: RUN.id, entity: RUN.entity, sweep: RUN.sweep };
    const own = Object.entries(ids).map(([key, field]) => [key, textIn(this.#run, field)]);
    return Object.fromEntries([...own, ...known].filter(([, value]) => value !== null));
  }
}
