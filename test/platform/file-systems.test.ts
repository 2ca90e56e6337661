/** @file A store on a network file system is recognised. */
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openDatabase } from "../../src/storage/database/database.js";
import { networkMountOf } from "../../src/platform/file-systems.js";
import { temporaryDir, thrownBy } from "../storage/support.js";

const MOUNTS = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
40 27 0:44 / /mnt/team rw,relatime shared:9 master:2 - nfs4 server:/team rw,vers=4.2
41 40 254:1 / /mnt/team/scratch rw,relatime - xfs /dev/vdb rw
42 27 0:45 / /mnt/my\\040files rw - fuse.sshfs me@host: rw
43 27 0:46 / /mnt/hidden rw - cifs //server/share rw
44 43 0:47 / /mnt/hidden rw - tmpfs tmpfs rw
`;

test.each([
  ["/mnt/team/project/.cool/cool.db", { mountPoint: "/mnt/team", type: "nfs4" }],
  ["/mnt/my files/cool.db", { mountPoint: "/mnt/my files", type: "fuse.sshfs" }],
])("%s lies on a network file system", (path, mount) => {
  expect(networkMountOf(path, MOUNTS)).toEqual(mount);
});

test.each([
  ["/mnt/teamwork/cool.db", "its name only begins like a network mount"],
  ["/mnt/team/scratch/cool.db", "a local disk is mounted within a network mount"],
  ["/mnt/hidden/cool.db", "a local mount hides a network mount on the same point"],
  ["/home/me/.cool/cool.db", "the root is local"],
])("%s is local: %s", (path) => {
  expect(networkMountOf(path, MOUNTS)).toBeUndefined();
});

test("nothing is refused where the system does not list its mounts", () => {
  expect(networkMountOf("/mnt/team/cool.db", "")).toBeUndefined();
});

test("a link to a network folder is followed, also from a folder that is not there yet", () => {
  const dir = temporaryDir();
  mkdirSync(join(dir, "remote"));
  symlinkSync(join(dir, "remote"), join(dir, "link"));
  const mounts = `${MOUNTS}50 27 0:50 / ${join(dir, "remote")} rw - nfs server:/x rw\n`;
  expect(networkMountOf(join(dir, "link", "new", "cool.db"), mounts)?.type).toBe("nfs");
});

test("a store on a network file system is refused with the reason and the way out", () => {
  const dir = temporaryDir();
  const mountInfo = `50 27 0:50 / ${dir} rw - nfs4 server:/x rw\n`;
  const error = thrownBy(() => openDatabase(join(dir, "cool.db"), { mountInfo }));
  expect(error.name).toBe("StoreError");
  expect(error.message).toContain(`network file system (nfs4 at ${dir})`);
  expect(error.message).toContain("--store DIR");
});
