/** @file The report of a run: what `cool report` writes into a page, made when it is looked at. */
import type { ReportDocument } from "../../reporting/document.js";
import type { RunStore } from "../../storage/run-store.js";
import type { LiveStore } from "../store/live-store.js";

/** Reports that are kept: each up to a few megabytes. */
const MOST_KEPT = 8;

interface KeptReport {
  /** What the run was like when it was made. */
  readonly stamp: string;
  readonly report: Promise<ReportDocument>;
}

export class Reports {
  readonly #live: LiveStore;
  readonly #project: string | undefined;
  readonly #kept = new Map<string, KeptReport>();
  #latest: Promise<unknown> = Promise.resolve();

  /** @param project the user's, as it was named: pictures of runs from elsewhere are looked for nowhere else */
  constructor(live: LiveStore, project?: string | undefined) {
    this.#live = live;
    this.#project = project;
  }

  /**
   * @param id of a run, whole
   * @param pictures whether those of its samples are taken in
   * @throws UnknownNameError
   */
  async of(id: string, pictures: boolean): Promise<ReportDocument> {
    const stamp = this.#live.read((store) => stampOf(store, id));
    const key = `${id} ${pictures}`;
    const kept = this.#kept.get(key);
    if (kept?.stamp === stamp) return kept.report;
    // one at a time: each reads the answers of whole splits
    const report = this.#latest.then(() => this.#make(id, pictures));
    this.#latest = report.catch(() => {});
    this.#keep(key, { stamp, report });
    report.catch(() => this.#kept.delete(key));
    return report;
  }

  async #make(id: string, pictures: boolean): Promise<ReportDocument> {
    // what reads predictions takes a while to load
    const { reportDocument } = await import("../../reporting/report-document.js");
    return this.#live.read((store) => reportDocument(store, [id], { pictures, project: this.#project }));
  }

  #keep(key: string, kept: KeptReport): void {
    this.#kept.delete(key);
    this.#kept.set(key, kept);
    for (const oldest of [...this.#kept.keys()].slice(0, -MOST_KEPT)) this.#kept.delete(oldest);
  }
}

/** Changes when something that a report tells does, but for curves and output of a run that is at work. */
function stampOf(store: RunStore, id: string): string {
  const { displayState, endedAt, bestEpoch, epochsDone, note, tags } = store.getRun(id);
  const thresholds = store.readThresholds(id).map(({ value }) => value);
  const calibration = store.readCalibration(id).map(({ calibrated }) => calibrated);
  return JSON.stringify([displayState, endedAt, bestEpoch, epochsDone, note, tags, thresholds, calibration]);
}
