/** @file How replicas share numbers in the middle of a pass. */

/** What a replica sees of the others. */
export interface Exchange {
  /**
   * Waits until every replica has called it with as many values.
   * @returns the values of all replicas, one after the other in the order of their ranks
   */
  gather(values: Float64Array): Float64Array;
}

/** Memory that threads meet in. */
export interface MeetingRoom {
  readonly replicas: number;
  /** Numbers that one replica may bring. */
  readonly capacity: number;
  /** Arrivals in this round, and rounds that are over. */
  readonly rounds: Int32Array;
  /** Two halves that rounds take in turn, each [replicas, capacity]. */
  readonly values: Float64Array;
}

/** Shared memory in which replicas meet. @param capacity numbers that each may put there at once */
export function createMeetingRoom(replicas: number, capacity: number): MeetingRoom {
  return {
    replicas,
    capacity,
    rounds: new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)),
    values: new Float64Array(new SharedArrayBuffer(2 * replicas * capacity * Float64Array.BYTES_PER_ELEMENT)),
  };
}

const ARRIVALS = 0;
const ROUND = 1;
/** The others are about as far; waking from a real wait costs more than this many looks. */
const LOOKS = 2000;

/**
 * Exchange between threads. One meeting per round is enough: a replica writes into a half again only after the round
 * of the other half, to which all have come, and so have read what was there.
 */
export function meetingExchange({ replicas, capacity, rounds, values }: MeetingRoom, rank: number): Exchange {
  return {
    gather(own) {
      if (own.length > capacity) throw new Error(`${own.length} numbers for a room of ${capacity}`);
      const round = Atomics.load(rounds, ROUND);
      const half = (round % 2) * replicas * capacity;
      values.set(own, half + rank * capacity);
      meet(rounds, replicas, round);
      const all = new Float64Array(replicas * own.length);
      for (let other = 0; other < replicas; other++) {
        const from = half + other * capacity;
        all.set(values.subarray(from, from + own.length), other * own.length);
      }
      return all;
    },
  };
}

function meet(rounds: Int32Array, replicas: number, round: number): void {
  if (Atomics.add(rounds, ARRIVALS, 1) === replicas - 1) {
    Atomics.store(rounds, ARRIVALS, 0);
    Atomics.add(rounds, ROUND, 1);
    Atomics.notify(rounds, ROUND);
    return;
  }
  for (let look = 0; look < LOOKS; look++) if (Atomics.load(rounds, ROUND) !== round) return;
  while (Atomics.load(rounds, ROUND) === round) Atomics.wait(rounds, ROUND, round);
}
