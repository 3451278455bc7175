/** The settings that a path is made with. */
import type { Micros } from "../clock.ts";
import type { CongestionController } from "../congestion/controller.ts";
import type { Endpoint } from "../endpoint.ts";
import type { RandomBytes } from "../random.ts";
import type { Security } from "../security/security.ts";
import type { LinkLimits } from "./limits.ts";
import type { PathState } from "./liveness.ts";
import type { DeliveryListener, LossDetection } from "./loss.ts";
import type { MtuLimits } from "./mtu.ts";
import type { DelayOrigin } from "./one-way-delay.ts";

export interface PathSettings {
  /** Position in the portal's table, below 256. */
  readonly id: number;
  /** Receiver index by which the peer addresses the path. */
  readonly index: number;
  readonly peerIndex: number;
  readonly link: number;
  readonly peerLink: number;
  readonly run: string;
  readonly name: string;
  readonly metric: number;
  readonly socket: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly security: Security;
  readonly controller: CongestionController;
  /** Sizes of datagrams between which the path's MTU lies. */
  readonly mtu: MtuLimits;
  readonly state: PathState;
  readonly timeout: Micros;
  readonly keepAlive: Micros;
  readonly lossDetection: LossDetection;
  /** Takes the packets kept for retransmission. */
  readonly deliveries: DeliveryListener;
  /** Zero of delays, shared by the portal's paths so that their delays compare. */
  readonly delayOrigin: DelayOrigin;
  readonly limits: LinkLimits;
  /** Bytes of IP and transport headers in front of each datagram. */
  readonly headers: number;
  /** True if the peer's address must not change: addresses are authenticated, or the transport is connected. */
  readonly isPinned: boolean;
  /** True if this end initiated the path, and so rekeys it. */
  readonly isInitiator: boolean;
  /** Name of the cipher suite, for `show`. */
  readonly suite: string;
  /** Draws the packet numbers that are left out. */
  readonly random: RandomBytes;
}
