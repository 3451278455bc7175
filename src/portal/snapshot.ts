/**
 * The state of a running tunnel, which `netcombiner show` prints. Plain values, copied between threads and printed as JSON.
 * Ages are microseconds before the snapshot; counters only grow while the process runs.
 */
import type { Micros } from "../clock.ts";
import type { DropReason } from "../drops.ts";
import type { PathState } from "../path/liveness.ts";
import type { MtuState } from "../path/mtu.ts";

export interface Traffic {
  packets: number;
  bytes: number;
}

export interface PathSnapshot {
  /** Cipher suite, age of the keys, and number of rekeys. */
  readonly keys: { suite: string; age: Micros; rekeys: number };
  readonly id: number;
  readonly name: string;
  readonly state: PathState;
  /** Reason for the state, for a person. */
  readonly reason: string;
  readonly age: Micros;
  readonly local: string;
  readonly remote: string;
  readonly metric: number;
  /** Up, but not carrying packets because a path with a lower metric is. */
  readonly standby: boolean;
  readonly congestion: string;
  /** State of the controller in a word; estimated rate, bytes per second, 0 while unknown; random loss, 0 to 1. */
  readonly control: { mode: string; estimate: number; randomLoss: number };
  /** Smoothed, smallest and latest round-trip time and its mean deviation; 0 until measured. */
  readonly rtt: { smoothed: Micros; min: Micros; latest: Micros; deviation: Micros };
  readonly window: number;
  readonly inFlight: number;
  /** Bytes per second the pacer allows; 0 when not paced. */
  readonly pacingRate: number;
  /** Bytes per second over about the last second. */
  readonly rate: { sent: number; received: number };
  /** Datagrams and their bytes. */
  readonly sent: Traffic;
  readonly received: Traffic;
  /** Datagrams declared lost. */
  readonly lost: number;
  /** Packets it sent that had been sent before. */
  readonly resent: { retransmissions: number; reinjections: number; duplicates: number };
  /** Bytes of padding sent to find the path's rate. */
  readonly padding: number;
  /** Share of datagrams lost over about the last second, 0 to 1. */
  readonly loss: number;
  /** Datagrams of the peer that did not arrive, or not yet: gaps in its packet numbers. */
  readonly missing: number;
  /** Largest datagram known to pass, bytes of the payload of UDP, TCP or IP, and whether the search has ended. */
  readonly mtu: number;
  readonly mtuState: MtuState;
  /** Bytes per second of IP packets that may pass, 0 for no limit: outbound as both ends want it, inbound as this end does. */
  readonly limits: { metered: boolean; out: number; in: number };
}

export type LinkState = "listening" | "waiting" | "resolving" | "exchanging" | "up" | "stopped";

export interface LinkSnapshot {
  /** The last exchange that was refused for a reason a person can mend; undefined if there was none since one went well. */
  readonly refused: { text: string; age: Micros } | undefined;
  readonly id: number;
  readonly name: string;
  readonly method: string;
  readonly role: "initiate" | "listen";
  /** Changes by a person since the start: "down", "metric 10 (configured: 0)"; empty while all is as configured. */
  readonly byHand: string;
  readonly state: LinkState;
  readonly reason: string;
  readonly age: Micros;
  /** Failed attempts since it was last up. */
  readonly failures: number;
  /** Times it came up; 0 for a listener, whose paths come and go. */
  readonly ups: number;
  /** Time until the next attempt; 0 if none is planned. */
  readonly retryIn: Micros;
  readonly paths: PathSnapshot[];
}

/** Buffers and offloads that the system granted to one of a link's sockets. */
export interface SocketSnapshot {
  readonly link: number;
  /** Bytes asked for of each buffer; 0 where the system chooses. */
  readonly asked: number;
  readonly receiveBuffer: number;
  readonly sendBuffer: number;
  /** Runs of datagrams in one call. */
  readonly gso: boolean;
  readonly gro: boolean;
}

/** Durations of the last one to two minutes: how many, the one that 99.9 % did not exceed, and the longest. */
export interface DurationSnapshot {
  readonly count: number;
  readonly p999: Micros;
  readonly longest: Micros;
}

/** The loop of the thread that moves packets: how long its turns last, and how late those begin that a timer was set for. */
export interface LoopSnapshot {
  readonly turn: DurationSnapshot;
  readonly lateness: DurationSnapshot;
}

export interface TunnelSnapshot {
  /** As configured; the suite in use stands with each path. */
  readonly security: string;
  /** Public keys in base64, empty without key pairs. */
  readonly publicKey: string;
  readonly peerKey: string;
  readonly mtu: number;
  /** Packets from the host into the tunnel, and from the tunnel to the host. */
  readonly outbound: Traffic;
  readonly inbound: Traffic;
  readonly queue: Traffic;
  /** Flows with backlog, sparse and bulk; packets marked or dropped for excess delay; packets shed for want of room. */
  readonly aqm: { sparse: number; bulk: number; marked: number; dropped: number; shed: number };
  /** Packets sent as fragments because they did not fit their path, and packets that wait for fragments. */
  readonly fragments: { sent: number; waiting: number };
  /** Packets retransmitted, reinjected, duplicated, abandoned, and waiting for retransmission; redundant packets received. */
  readonly resent: {
    retransmitted: number;
    reinjected: number;
    duplicated: number;
    abandoned: number;
    waiting: number;
    received: number;
  };
  /** Early packets held now and in all, holes given up by time, packets that came after that, and the hold time. */
  readonly order: { held: number; heldTotal: number; expired: number; late: number; hold: Micros };
  readonly slots: { total: number; free: number };
  readonly drops: Partial<Record<DropReason, number>>;
  readonly links: LinkSnapshot[];
  readonly sockets: SocketSnapshot[];
  /** Undefined where no loop drives the portal. */
  loop: LoopSnapshot | undefined;
}
