/** @file Points of a run that is read for long, in a file of their own: the store is locked only while they are copied. */
import type { MetricPoint } from "../tasks/evaluation.js";
import { Database } from "./database/database.js";
import { openConnection, pragma } from "./database/connection.js";
import { type CurveName, copyPoints, LATER_HOLDS } from "./tables/metric-points.js";

const SCHEMA = `
  CREATE TABLE points (series_id INTEGER NOT NULL, step INTEGER NOT NULL, epoch INTEGER, value REAL,
    is_nan INTEGER NOT NULL, wall_time REAL NOT NULL, PRIMARY KEY (series_id, step)) WITHOUT ROWID;`;
const INSERT = `INSERT INTO points (series_id, step, epoch, value, is_nan, wall_time) VALUES (?, ?, ?, ?, ?, ?)
  ${LATER_HOLDS}`;

/** Owns the file, which its folder's owner removes. Close it. */
export class StagedPoints {
  readonly #database: Database;
  readonly #series = new Map<string, CurveName & { readonly id: number }>();

  /** @throws StoreError where it cannot be made */
  constructor(file: string) {
    const sqlite = openConnection(file, {});
    // nobody reads it after a crash
    pragma(sqlite, "journal_mode = OFF");
    pragma(sqlite, "synchronous = OFF");
    this.#database = new Database(file, sqlite);
    this.#database.exec(SCHEMA);
  }

  /** Of a step that comes again the later value holds. */
  add(points: Iterable<MetricPoint>): void {
    this.#database.write(() => this.#database.runEach(INSERT, this.#rows(points)));
  }

  /** Runs `work` in one transaction of the store; `copy` puts the points into a run of it. */
  writeTo<T>(store: Database, work: (copy: (runId: string) => void) => T): T {
    store.run("ATTACH @file AS staged", { file: this.#database.file });
    try {
      return store.write(() => work((runId) => copyPoints(store, runId, this.#series.values())));
    } finally {
      store.run("DETACH staged");
    }
  }

  close(): void {
    this.#database.close();
  }

  *#rows(points: Iterable<MetricPoint>): Generator<(number | null)[]> {
    for (const { split, taskPath, metricName, step, epoch, value, wallTime } of points) {
      const key = `${split}\n${taskPath}\n${metricName}`;
      const id = this.#series.get(key)?.id ?? this.#series.size + 1;
      if (id > this.#series.size) this.#series.set(key, { id, split, taskPath, metricName });
      yield [id, step, epoch, value, Number.isNaN(value) ? 1 : 0, wallTime];
    }
  }
}
