/** @file How runs are read and changed in SQLite: one that is not there is refused, a change is one transaction. */
import type { Database } from "./database/database.js";
import type { RunRecord } from "./run-record.js";
import { KeptCurveNumbers } from "./tables/curve-numbers.js";
import { checkRun, requireRun } from "./tables/runs.js";

export interface Transactions {
  readonly database: Database;
  readonly curveNumbers: KeptCurveNumbers;
  readonly now: () => Date;
  getRun(id: string): RunRecord;
  read<T>(id: string, read: () => T): T;
  write(id: string, write: () => void): void;
  /** Changes a run and returns it as it is then. */
  change(id: string, change: (run: RunRecord) => void): RunRecord;
}

export function transactionsOf(database: Database, now: () => Date): Transactions {
  const getRun = (id: string): RunRecord => requireRun(database, now(), id);
  const read = <T>(id: string, work: () => T): T => {
    checkRun(database, id);
    return work();
  };
  return {
    database,
    curveNumbers: new KeptCurveNumbers(database),
    now,
    getRun,
    read,
    write(id, work) {
      database.write(() => read(id, work));
    },
    change: (id, work) =>
      database.write(() => {
        work(getRun(id));
        return getRun(id);
      }),
  };
}
