/**
 * @file The MPI library of the machine, called through koffi: an optional peer, loaded where a job over several processes
 * begins. Open MPI's handles are pointers, MPICH's (and those of its relatives: Intel MPI, MVAPICH, Cray MPICH) are numbers
 * that its ABI fixes (https://www.mpich.org/abi).
 */
import { BackendError, messageOf } from "../../../errors.js";
import { loadOptionalPackage } from "../../../platform/optional-package.js";

const PACKAGE = "koffi";

/** What a call gets and gives: numbers, handles, arrays that it fills. */
type Native = (...values: readonly unknown[]) => unknown;

/** The package's interface, as far as it is used here. */
interface Koffi {
  load(library: string, options: { readonly global: boolean }): { func(declaration: string): Native };
}

/** Which of the two interfaces a library has. */
export type MpiKind = "openmpi" | "mpich";

/** How the library is to be found. */
export interface MpiPlace {
  readonly kind: MpiKind;
  /** As the dynamic linker finds them; the first that loads is taken. */
  readonly libraries: readonly string[];
}

type Handle = unknown;

/** Calls that began and have not ended: the memory of a request. */
export type MpiRequest = Uint8Array;

/** The calls that a job needs. Ranks count from 0; sizes are in elements. All must come from one thread. */
export interface MpiLibrary {
  readonly rank: number;
  readonly size: number;
  /** Every rank's values one after the other; `counts` bytes of each. */
  gatherBytes(own: Uint8Array, all: Uint8Array, counts: Int32Array): MpiRequest;
  /** The sum over all ranks, in place, in an order that the library chooses. */
  sumFloats(values: Float32Array): MpiRequest;
  /** Part r of `own` goes to rank r; part r of `parts` comes from it. */
  exchangeFloats(own: Float32Array, ownCounts: Int32Array, parts: Float32Array, partCounts: Int32Array): MpiRequest;
  gatherFloats(own: Float32Array, all: Float32Array, counts: Int32Array): MpiRequest;
  castBytes(values: Uint8Array, root: number): MpiRequest;
  barrier(): MpiRequest;
  /** A message of one number; the library keeps it until it is sent. */
  sendBeat(to: number, beat: Int32Array): void;
  receiveBeat(from: number, into: Int32Array): MpiRequest;
  /** Whether a request has ended; it must not be asked about after. */
  hasEnded(request: MpiRequest): boolean;
  cancel(request: MpiRequest): void;
  finalize(): void;
}

/**
 * What the launcher has told this process: mpirun of Open MPI, or Slurm by PMIx, or Hydra (MPICH's mpiexec), or Slurm by PMI2.
 * @returns null where no launcher has started it
 */
export function launchedBy(environment: Readonly<Record<string, string | undefined>>): MpiPlace | null {
  const isOpen = environment.OMPI_COMM_WORLD_RANK !== undefined || environment.PMIX_RANK !== undefined;
  const isHydra = environment.PMI_RANK !== undefined;
  if (!isOpen && !isHydra) return null;
  const named = environment.DNN_COOL_MPI_LIBRARY;
  if (named !== undefined && named !== "") {
    return { kind: /mpich|impi|mvapich|cray/i.test(named) ? "mpich" : "openmpi", libraries: [named] };
  }
  return isOpen
    ? { kind: "openmpi", libraries: ["libmpi.so.40", "libmpi.so"] }
    : { kind: "mpich", libraries: ["libmpich.so.12", "libmpi.so.12", "libmpich.so"] };
}

/**
 * Loads the library and joins the job.
 * @param projectDir where koffi may lie, too; null: beside this program alone
 * @throws BackendError where koffi or the library is missing, or the job cannot be joined
 */
export function openMpi({ kind, libraries }: MpiPlace, projectDir: string | null): MpiLibrary {
  const koffi = loadKoffi(projectDir);
  const { func } = loadLibrary(koffi, libraries);
  const handle = kind === "openmpi" ? "void *" : "int";
  const call = (name: string, ...types: readonly string[]): ((...values: readonly unknown[]) => void) => {
    const native = func(`int ${name}(${types.join(", ")})`);
    return (...values) => {
      const status = native(...values);
      if (status !== 0) throw new BackendError(`${name} failed with error ${String(status)}.`, { call: name, status });
    };
  };
  const [buffer, count, handleOf] = ["void *", "int", handle];
  call("MPI_Init_thread", buffer, buffer, count, "_Out_ int *")(null, null, 0, [0]);
  const { world, byte, int, float, sum, inPlace, ignore } = kind === "openmpi" ? openMpiHandles(func) : MPICH;
  const one = (name: string): number => {
    const out = [0];
    call(name, handleOf, "_Out_ int *")(world, out);
    return out[0] as number;
  };
  const [rank, size] = [one("MPI_Comm_rank"), one("MPI_Comm_size")];

  const gatherv = call("MPI_Iallgatherv", buffer, count, handleOf, buffer, buffer, buffer, handleOf, handleOf, buffer);
  const allreduce = call("MPI_Iallreduce", "intptr_t", buffer, count, handleOf, handleOf, handleOf, buffer);
  const alltoallv = call(
    ...(["MPI_Ialltoallv", buffer, buffer, buffer, handleOf] as const),
    ...[buffer, buffer, buffer, handleOf, handleOf, buffer],
  );
  const bcast = call("MPI_Ibcast", buffer, count, handleOf, count, handleOf, buffer);
  const barrier = call("MPI_Ibarrier", handleOf, buffer);
  const isend = call("MPI_Isend", buffer, count, handleOf, count, count, handleOf, buffer);
  const irecv = call("MPI_Irecv", buffer, count, handleOf, count, count, handleOf, buffer);
  const test = call("MPI_Test", buffer, "_Out_ int *", "intptr_t");
  const cancel = call("MPI_Cancel", buffer);
  const free = call("MPI_Request_free", buffer);
  const finalize = call("MPI_Finalize");

  /** Sizes and places that the library reads while a request is under way: as long as the request, they must stay. */
  const held = new WeakMap<MpiRequest, readonly unknown[]>();
  const begin = (kept: readonly unknown[], start: (request: MpiRequest) => void): MpiRequest => {
    const request = outside(8);
    start(request);
    held.set(request, kept);
    return request;
  };
  return {
    rank,
    size,
    gatherBytes(own, all, counts) {
      const places = placesOf(counts);
      return begin([own, all, counts, places], (request) =>
        gatherv(own, own.length, byte, all, counts, places, byte, world, request),
      );
    },
    sumFloats: (values) =>
      begin([values], (request) => allreduce(inPlace, values, values.length, float, sum, world, request)),
    exchangeFloats(own, ownCounts, parts, partCounts) {
      const [ownPlaces, partPlaces] = [placesOf(ownCounts), placesOf(partCounts)];
      return begin([own, ownCounts, parts, partCounts, ownPlaces, partPlaces], (request) =>
        alltoallv(own, ownCounts, ownPlaces, float, parts, partCounts, partPlaces, float, world, request),
      );
    },
    gatherFloats(own, all, counts) {
      const places = placesOf(counts);
      return begin([own, all, counts, places], (request) =>
        gatherv(own, own.length, float, all, counts, places, float, world, request),
      );
    },
    castBytes: (values, root) => begin([values], (request) => bcast(values, values.length, byte, root, world, request)),
    barrier: () => begin([], (request) => barrier(world, request)),
    sendBeat(to, beat) {
      const request = begin([beat], (sent) => isend(beat, 1, int, to, BEAT, world, sent));
      free(request);
    },
    receiveBeat: (from, into) => begin([into], (request) => irecv(into, 1, int, from, BEAT, world, request)),
    hasEnded(request) {
      const flag = [0];
      test(request, flag, ignore);
      return flag[0] !== 0;
    },
    cancel(request) {
      cancel(request);
      free(request);
    },
    finalize,
  };
}

/** Tag of the messages that say that a rank is there. */
const BEAT = 7;

interface Handles {
  readonly world: Handle;
  readonly byte: Handle;
  readonly int: Handle;
  readonly float: Handle;
  readonly sum: Handle;
  /** MPI_IN_PLACE and MPI_STATUS_IGNORE, which are addresses. */
  readonly inPlace: bigint;
  readonly ignore: number;
}

/** From the numbers that they have in Fortran, which are part of its interface (Open MPI's mpif-handles.h). */
function openMpiHandles(func: (declaration: string) => Native): Handles {
  const type = func("void * MPI_Type_f2c(int)");
  return {
    world: func("void * MPI_Comm_f2c(int)")(0),
    ...{ byte: type(1), int: type(7), float: type(13) },
    sum: func("void * MPI_Op_f2c(int)")(3),
    inPlace: 1n,
    ignore: 0,
  };
}

const MPICH: Handles = {
  world: 0x44000000,
  byte: 0x4c00010d,
  int: 0x4c000405,
  float: 0x4c00040a,
  sum: 0x58000003,
  inPlace: -1n,
  ignore: 1,
};

/** Memory that V8 doesn't move, as it may do with small arrays. */
function outside(bytes: number): Uint8Array {
  return new Uint8Array(new ArrayBuffer(bytes));
}

/** Where each rank's part begins. */
function placesOf(counts: Int32Array): Int32Array {
  const places = new Int32Array(new ArrayBuffer(counts.byteLength));
  for (let i = 1; i < counts.length; i++) places[i] = (places[i - 1] as number) + (counts[i - 1] as number);
  return places;
}

function loadKoffi(projectDir: string | null): Koffi {
  const loaded = loadOptionalPackage(
    PACKAGE,
    projectDir,
    (error) =>
      new BackendError(
        `The package ${PACKAGE} does not load: ${messageOf(error)}. Install it again for this Node and system: npm install ${PACKAGE}.`,
        { package: PACKAGE },
        { cause: error },
      ),
  );
  if (loaded !== null) return loaded as Koffi;
  throw new BackendError(
    `--replicas mpi calls the machine's MPI library through the package ${PACKAGE}, which is not installed. Install it on every machine of the job: npm install ${PACKAGE}.`,
    { package: PACKAGE },
  );
}

function loadLibrary(koffi: Koffi, libraries: readonly string[]): { func(declaration: string): Native } {
  let reason = "";
  for (const library of libraries) {
    try {
      const loaded = koffi.load(library, { global: true });
      return { func: (declaration) => loaded.func(declaration) };
    } catch (error) {
      reason = messageOf(error);
    }
  }
  throw new BackendError(
    `No MPI library loads (${libraries.join(", ")}): ${reason}. Install the one that your launcher belongs to (Debian: openmpi-bin, or mpich), or name its file in DNN_COOL_MPI_LIBRARY.`,
    { libraries },
  );
}
