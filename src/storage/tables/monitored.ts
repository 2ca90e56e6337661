/** @file The value that a run is monitored by, kept in its row: lists show it, and order a hundred thousand runs by it. */
import type { Database } from "../database/database.js";

/** `train.monitor` of a run, `_total/loss` where it has none (another program's). */
export const MONITOR =
  "coalesce((SELECT value FROM run_config WHERE run_id = runs.id AND key = 'train.monitor' AND type = 'string'), '_total/loss')";

/** The monitor's value on valid at the epoch whose checkpoint was kept; before there is one, its last value. */
const MONITORED = `(SELECT value FROM (SELECT ${MONITOR} AS name) JOIN metric_points
  WHERE run_id = runs.id AND split = 'valid'
    AND task_path = substr(name, 1, instr(name, '/') - 1) AND metric_name = substr(name, instr(name, '/') + 1)
  ORDER BY epoch IS runs.best_epoch DESC, step DESC LIMIT 1)`;

/** To be called within `write`, after what the value hangs on has changed: the curve, the best epoch, the monitor. */
export function updateMonitored(database: Database, runId: string): void {
  database.run(`UPDATE runs SET monitored = ${MONITORED} WHERE id = @runId`, { runId });
}
