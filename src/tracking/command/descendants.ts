/** @file The processes that a command has started, and those that they have: a signal to a command is one to all of them. */
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Below `pid`, however deep; none where the system cannot tell. */
export function descendantsOf(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const [own, parent] of process.platform === "linux" ? procPairs() : psPairs()) {
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [own]);
    else siblings.push(own);
  }
  const found: number[] = [];
  const waiting = [pid];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const own = children.get(next) ?? [];
    found.push(...own);
    waiting.push(...own);
  }
  return found;
}

/** One that has ended, or belongs to another user, is passed over. */
export function sendSignal(pids: Iterable<number>, signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // it has ended in between
    }
  }
}

type Pair = readonly [pid: number, parent: number];

function procPairs(): Pair[] {
  return readdirSync("/proc").flatMap((name): Pair[] => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const stat = readFileSync(`/proc/${name}/stat`, "utf8");
      // pid (name) state parent …; the name may hold spaces and parentheses
      const parent = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
      return [[Number(name), parent]];
    } catch {
      return [];
    }
  });
}

/** By `ps`, which POSIX systems have; none on Windows. */
function psPairs(): Pair[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  return (stdout ?? "").split("\n").flatMap((line): Pair[] => {
    const [pid = Number.NaN, parent = Number.NaN] = line.trim().split(/\s+/).map(Number);
    return pid > 0 && parent >= 0 ? [[pid, parent]] : [];
  });
}
