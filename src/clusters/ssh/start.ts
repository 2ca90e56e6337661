/** @file A job on a machine where a shell is all there is: rsync takes the project there, ssh starts it, detached. */
import { basename } from "node:path";
import { ClusterError, UsageError } from "../../errors.js";
import { shellWord } from "../../platform/shell-word.js";
import { type Job, plainName } from "../job.js";
import { runProgram } from "../run-program.js";

/** What is not taken along: the store is each machine's own, packages are installed there, history is not needed. */
export const LEFT_BEHIND = [".cool/", "node_modules/", ".git/"] as const;

/** Where jobs lie, below the home folder of the other machine. */
const FOLDER = "cool-jobs";

export interface SshPlace {
  /** `host` or `user@host`, as ssh takes it. */
  readonly host: string;
  readonly projectDir: string;
}

/** What is run here, and what is run there. */
export interface SshPlan {
  readonly folder: string;
  readonly log: string;
  readonly rsync: readonly string[];
  readonly ssh: readonly string[];
  /** The script that the other shell runs. */
  readonly script: string;
  /** Commands to go on with. */
  readonly next: readonly { readonly what: string; readonly command: string }[];
}

/** @throws UsageError for a host that ssh might take for an option, or a shell for a command */
export function checkedHost(host: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]*(@[A-Za-z0-9_][A-Za-z0-9_.-]*)?$/.test(host)) return host;
  throw new UsageError(
    `--on ssh:${host} names no host. Write it as ssh:HOST or ssh:USER@HOST; ports and keys belong into ~/.ssh/config.`,
    { host },
  );
}

/** @param run name or key under which the other store knows what was started, for `cool runs export` */
export function sshPlan(job: Job, { host, projectDir }: SshPlace, run: string): SshPlan {
  const folder = `${FOLDER}/${plainName(basename(projectDir))}`;
  const log = `${plainName(job.name)}.log`;
  const excluded = LEFT_BEHIND.map((path) => `--exclude=/${path}`);
  const inFolder = `cd ${folder} &&`;
  const remote = (command: string): string => `ssh ${host} ${shellWord(`${inFolder} ${command}`)}`;
  const archive = `${plainName(run)}.tar.gz`;
  const cool = "$(test -x node_modules/.bin/cool && echo node_modules/.bin/cool || echo cool)";
  return {
    folder,
    log,
    // the name of a local folder may hold a colon, which rsync takes for a host's unless a slash comes before it
    rsync: [
      "--archive",
      "--compress",
      "--rsh=ssh -o BatchMode=yes",
      ...excluded,
      "--",
      `${projectDir}/`,
      `${host}:${folder}/`,
    ],
    ssh: ["-o", "BatchMode=yes", host, "sh -s"],
    script: remoteScript(job, folder, log),
    next: [
      { what: "watch it", command: remote(`tail -f ${log}`) },
      { what: "stop it, with a checkpoint", command: remote(`kill $(cat ${log}.pid)`) },
      {
        what: "fetch what it made",
        command: `${remote(`${cool} runs export ${shellWord(run)} --to ${archive}`)} && rsync ${host}:${folder}/${archive} . && cool runs import ${archive}`,
      },
    ],
  };
}

/** For a POSIX shell. */
function remoteScript({ words }: Job, folder: string, log: string): string {
  return `set -e
cd ${folder}
if [ -e package-lock.json ]; then
  # again where the lock file is another than the one that was installed
  cmp -s package-lock.json node_modules/.cool-lock || { npm ci --no-audit --no-fund >&2 && cp package-lock.json node_modules/.cool-lock; }
elif [ -e package.json ] && [ ! -d node_modules ]; then
  npm install --no-audit --no-fund >&2
fi
cool=node_modules/.bin/cool
[ -x "$cool" ] || cool=$(command -v cool) || { echo "there is no cool on this machine: npm install --global dnn-cool, or name dnn-cool in the project's package.json" >&2; exit 1; }
if [ -e ${log}.pid ] && kill -0 "$(cat ${log}.pid)" 2>/dev/null; then
  echo "it is running already, as process $(cat ${log}.pid)" >&2
  exit 1
fi
nohup "$cool" ${words.map(shellWord).join(" ")} >>${log} 2>&1 </dev/null &
echo $! >${log}.pid
cat ${log}.pid
`;
}

/**
 * Copies the project and starts the job.
 * @returns the process on the other machine
 * @throws ClusterError where a program is missing, or the other machine refuses
 */
export function startOverSsh(plan: SshPlan): string {
  run("ssh", [...plan.ssh.slice(0, -1), `mkdir -p ${plan.folder}`]);
  run("rsync", plan.rsync);
  const said = run("ssh", plan.ssh, plan.script).trim().split("\n").at(-1) ?? "";
  if (/^\d+$/.test(said)) return said;
  throw new ClusterError(`The other machine has not said which process it started: ${said}`, { said });
}

function run(program: string, args: readonly string[], input = ""): string {
  const missing = `There is no ${program} on this machine, and --on ssh needs it. Install it, or see with --print what would be run.`;
  const { status, stdout, stderr } = runProgram(program, args, { input, missing });
  if (status === 0) return stdout;
  throw new ClusterError(`${program} has failed: ${stderr.trim().replaceAll(/\s+/g, " ") || `exit code ${status}`}`, {
    ...{ program, status },
  });
}
