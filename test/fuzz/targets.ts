/** Every decoder that reads what the network, the kernel, a person or a file says, and sequences of calls of what keeps state. */
import { CONTROL } from "./control.ts";
import { DECODERS } from "./decoders.ts";
import { FRAGMENTS } from "./fragments.ts";
import { FRAMING } from "./framing.ts";
import { GATE } from "./gate.ts";
import { OFFLOAD } from "./offload.ts";
import { ORDER } from "./order.ts";
import { PORTALS } from "./portal.ts";
import { QUEUES } from "./queues.ts";
import { REKEY_TARGET } from "./rekey.ts";
import { RETRANSMISSIONS } from "./retransmissions.ts";
import type { Target } from "./target.ts";
import { TEXTS } from "./texts.ts";
import { WINDOWS } from "./windows.ts";

export const TARGETS: Readonly<Record<string, Target>> = {
  ...DECODERS,
  fragments: FRAGMENTS,
  offload: OFFLOAD,
  control: CONTROL,
  ...TEXTS,
  rekey: REKEY_TARGET,
  framing: FRAMING,
  order: ORDER,
  ...QUEUES,
  retransmissions: RETRANSMISSIONS,
  gate: GATE,
  windows: WINDOWS,
  ...PORTALS,
};

/** Whole portals, with seconds of their lives for each input. */
export const SLOW = /^portal-/;
