/** @file The value that a run is monitored by, kept in its row: lists show it, and order a hundred thousand runs by it. */
import type { Database } from "../database/database.js";

/** `train.monitor` of a run, `_total/loss` where it has none (another program's). */
export const MONITOR =
  "coalesce((SELECT value FROM run_config WHERE run_id = runs.id AND key = 'train.monitor' AND type = 'string'), '_total/loss')";

const MONITOR_OF = `SELECT ${MONITOR} AS monitor, best_epoch AS bestEpoch FROM runs WHERE id = @runId`;
const SERIES = `SELECT id, last_value AS value FROM metric_series
  WHERE run_id = @runId AND split = 'valid' AND task_path = @taskPath AND metric_name = @metricName`;
// the best epoch is mostly a late one, and the search begins at the end
const AT_EPOCH =
  "SELECT value FROM series_points WHERE series_id = @id AND epoch = @bestEpoch ORDER BY step DESC LIMIT 1";

interface Value {
  readonly value: number | null;
}

/**
 * Keeps the monitor's value on valid at the epoch whose checkpoint was kept; before there is one, its last value. To be
 * called within `write`, after what the value hangs on has changed: the curve, the best epoch, the monitor.
 * @param written numbers of the curves that have changed; default: any may have
 */
export function updateMonitored(database: Database, runId: string, written?: ReadonlySet<number>): void {
  const run = database.get<{ monitor: string; bestEpoch: number | null }>(MONITOR_OF, { runId });
  if (run === undefined) return;
  const slash = run.monitor.indexOf("/");
  const name = { taskPath: run.monitor.slice(0, Math.max(slash, 0)), metricName: run.monitor.slice(slash + 1) };
  const series = database.get<Value & { id: number }>(SERIES, { runId, ...name });
  if (written !== undefined && (series === undefined || !written.has(series.id))) return;
  const monitored = series === undefined ? null : monitoredOf(database, series, run.bestEpoch);
  database.run("UPDATE runs SET monitored = @monitored WHERE id = @runId", { runId, monitored });
}

/** @param series with its last value */
function monitoredOf(database: Database, series: Value & { id: number }, bestEpoch: number | null): number | null {
  if (bestEpoch === null) return series.value;
  return (database.get<Value>(AT_EPOCH, { id: series.id, bestEpoch }) ?? series).value;
}
