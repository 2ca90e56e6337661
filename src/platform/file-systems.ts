/** @file Which file system a path lies on: SQLite's write-ahead log needs memory shared by all its processes. */
import { readFileSync, realpathSync } from "node:fs";
import { dirname, resolve } from "node:path";

/** A mounted file system. */
export interface Mount {
  readonly mountPoint: string;
  /** The kernel's name of the type: `ext4`, `nfs4`, `fuse.sshfs`. */
  readonly type: string;
}

const NETWORK_TYPES: ReadonlySet<string> = new Set([
  ...["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "glusterfs", "afs", "lustre", "beegfs", "gpfs"],
  ...["ncpfs", "coda", "orangefs", "pvfs2", "fuse.sshfs", "fuse.glusterfs", "fuse.ceph", "fuse.s3fs"],
  ...["fuse.rclone", "fuse.gcsfuse", "fuse.davfs", "fuse.juicefs", "fuse.goofys", "fuse.blobfuse2"],
]);

/** The kernel's list of mounts; empty where there is none (outside Linux). */
export function readMountInfo(): string {
  try {
    return readFileSync("/proc/self/mountinfo", "utf8");
  } catch {
    return "";
  }
}

/**
 * The network file system that holds `path`, or undefined where it lies on a local one (or none is known).
 * @param path an existing path or one yet to be made
 * @param mountInfo the text of `/proc/self/mountinfo`; format: proc_pid_mountinfo(5)
 */
export function networkMountOf(path: string, mountInfo: string): Mount | undefined {
  const target = realPathOfNearest(resolve(path));
  let nearest: Mount | undefined;
  for (const mount of parseMountInfo(mountInfo)) {
    const deeper = mount.mountPoint.length >= (nearest?.mountPoint.length ?? 0);
    // among mounts on one point the last hides the others, hence >=
    if (deeper && holds(mount.mountPoint, target)) nearest = mount;
  }
  return nearest !== undefined && NETWORK_TYPES.has(nearest.type) ? nearest : undefined;
}

function parseMountInfo(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    // "36 35 98:0 / /mnt rw,noatime master:1 - ext3 /dev/root rw": optional fields end at the lone hyphen
    const [before, after] = line.split(" - ");
    const mountPoint = before?.split(" ")[4];
    const type = after?.split(" ")[0];
    return mountPoint === undefined || type === undefined ? [] : [{ mountPoint: unescapeOctal(mountPoint), type }];
  });
}

/** The kernel writes space, tab, newline and backslash as `\040`. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}

function holds(mountPoint: string, path: string): boolean {
  return mountPoint === "/" || path === mountPoint || path.startsWith(`${mountPoint}/`);
}

/** Symbolic links resolved in the part of the path that exists. */
function realPathOfNearest(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : realPathOfNearest(parent) + path.slice(parent === "/" ? 0 : parent.length);
  }
}
