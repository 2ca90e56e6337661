/** @file The number of each curve of a run, kept between the writes of one that is training: reading all takes a third of a small write. */
import type { MetricPoint } from "../../tasks/evaluation.js";
import type { Database } from "../database/database.js";

/** What tells a curve of a run from its others. */
export type CurveName = Pick<MetricPoint, "split" | "taskPath" | "metricName">;

const SERIES_OF_RUN =
  "SELECT id, split, task_path AS taskPath, metric_name AS metricName FROM metric_series WHERE run_id = @runId";
const INSERT_SERIES = `INSERT INTO metric_series (run_id, split, task_path, metric_name)
  VALUES (@runId, @split, @taskPath, @metricName) RETURNING id`;

/** The numbers of the curves of one run, in the order in which they first had a point. */
export class CurveNumbers {
  readonly #database: Database;
  readonly #runId: string;
  readonly #ids: Map<string, number>;

  constructor(database: Database, runId: string) {
    this.#database = database;
    this.#runId = runId;
    const rows = database.all<CurveName & { readonly id: number }>(SERIES_OF_RUN, { runId });
    this.#ids = new Map(rows.map((row) => [keyOf(row), row.id]));
  }

  /** A new curve is stored when it is first asked for. To be called within `write`. */
  of(name: CurveName): number {
    const key = keyOf(name);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const { split, taskPath, metricName } = name;
    const parameters = { runId: this.#runId, split, taskPath, metricName };
    const { id } = this.#database.get<{ id: number }>(INSERT_SERIES, parameters) as { id: number };
    this.#ids.set(key, id);
    return id;
  }
}

function keyOf({ split, taskPath, metricName }: CurveName): string {
  return `${split}\n${taskPath}\n${metricName}`;
}

/** Keeps the numbers of the run that was written last, as long as nobody else has changed the database. */
export class KeptCurveNumbers {
  readonly #database: Database;
  #kept: { readonly runId: string; readonly version: number; readonly numbers: CurveNumbers } | null = null;

  constructor(database: Database) {
    this.#database = database;
  }

  /** Lets `work`, which is to be one transaction, use the numbers of a run; they are forgotten where it fails. */
  use(runId: string, work: (numbers: () => CurveNumbers) => void): void {
    const kept = this.#kept;
    this.#kept = null;
    let used: { version: number; numbers: CurveNumbers } | null = null;
    work(() => {
      // the write lock is held: nobody else changes the database between here and the commit
      const version = this.#database.dataVersion();
      const isValid = kept !== null && kept.runId === runId && kept.version === version;
      used = { version, numbers: isValid ? kept.numbers : new CurveNumbers(this.#database, runId) };
      return used.numbers;
    });
    this.#kept = used === null ? null : { runId, ...(used as { version: number; numbers: CurveNumbers }) };
  }

  /** To be called where this connection removes curves. */
  forget(): void {
    this.#kept = null;
  }
}
