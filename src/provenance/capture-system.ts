/** @file Load of the machine while a run works: processor, memory, disk, GPU, every few seconds. */
import { statfsSync } from "node:fs";
import { cpus, freemem, totalmem } from "node:os";
import { queryGpus } from "./environment.js";

/** Values by name of metric: `process_cpu_percent`, `disk_free_gb`, `gpu0_percent`. */
export type SystemSample = Readonly<Record<string, number>>;

const INTERVAL_MS = 5000;
const GB = 1e9;
const MB = 1e6;

export interface SystemMonitor {
  /** Takes a last sample and ends. */
  stop(): void;
}

/**
 * Samples until stopped; does not keep the process alive.
 * @param dir a folder on the disk to watch
 */
export function startSystemMonitor(
  dir: string,
  onSample: (sample: SystemSample) => void,
  intervalMs = INTERVAL_MS,
): SystemMonitor {
  const meter = new LoadMeter();
  let gpus: SystemSample = {};
  let hasGpus = true;
  let isAsking = false;
  let isStopped = false;
  const askGpus = async (): Promise<void> => {
    if (!hasGpus || isAsking) return;
    isAsking = true;
    const sample = await sampleGpus();
    isAsking = false;
    // no driver now means none later: it is asked once
    hasGpus = sample !== null;
    gpus = sample ?? {};
  };
  void askGpus();
  const sample = (): void => {
    // the answer of the last round: sampling never waits for another program
    onSample({ ...meter.sample(), ...sampleDisk(dir), ...gpus });
    void askGpus();
  };
  const timer = setInterval(sample, intervalMs);
  timer.unref();
  return {
    stop() {
      if (isStopped) return;
      isStopped = true;
      clearInterval(timer);
      hasGpus = false;
      onSample({ ...meter.sample(), ...sampleDisk(dir), ...gpus });
    },
  };
}

/** Processor load between two looks, and memory now. */
class LoadMeter {
  #time = performance.now();
  #process = process.cpuUsage();
  #machine = machineTimes();

  /** Of the process 100 % is one processor, of the machine all of them. */
  sample(): SystemSample {
    const [time, usage, machine] = [performance.now(), process.cpuUsage(), machineTimes()];
    const elapsedMs = Math.max(1, time - this.#time);
    const usedMs = (usage.user + usage.system - this.#process.user - this.#process.system) / 1000;
    const busy = machine.busy - this.#machine.busy;
    const total = Math.max(1, machine.total - this.#machine.total);
    this.#time = time;
    this.#process = usage;
    this.#machine = machine;
    return {
      process_cpu_percent: (100 * usedMs) / elapsedMs,
      process_memory_mb: process.memoryUsage.rss() / MB,
      system_cpu_percent: (100 * busy) / total,
      system_memory_percent: 100 * (1 - freemem() / totalmem()),
    };
  }
}

function machineTimes(): { readonly busy: number; readonly total: number } {
  let [busy, total] = [0, 0];
  for (const { times } of cpus()) {
    const all = times.user + times.nice + times.sys + times.idle + times.irq;
    total += all;
    busy += all - times.idle;
  }
  return { busy, total };
}

function sampleDisk(dir: string): SystemSample {
  try {
    const { bavail, bsize } = statfsSync(dir);
    return { disk_free_gb: (bavail * bsize) / GB };
  } catch {
    return {};
  }
}

async function sampleGpus(): Promise<SystemSample | null> {
  const rows = await queryGpus(["utilization.gpu", "memory.used"]);
  if (rows === null) return null;
  return Object.fromEntries(
    rows.flatMap(([load, memory], i): [string, number][] => [
      // "[N/A]" on cards that do not tell
      ...(Number.isFinite(Number(load)) ? [[`gpu${i}_percent`, Number(load)] as [string, number]] : []),
      ...(Number.isFinite(Number(memory)) ? [[`gpu${i}_memory_mb`, Number(memory)] as [string, number]] : []),
    ]),
  );
}
