/** The text of the pages before the figures. */

import type { SuiteName } from "../../src/security/suite.ts";
import { DIRECT_SHARE, INNER_MTU, INNER_PAYLOAD, tunnelOverhead, tunnelShare } from "../support/capacity.ts";
import type { StageName } from "./experiment.ts";

const LAB_INTRO = `# Evaluation

Throughput, latency and fail-over of the tunnel, measured on the real kernel in [the lab](../lab.md). \`npm run evaluate\`
writes this page from the results in \`data\`, so do not edit it; [the lab](../lab.md#the-evaluation) describes the options. Each
part names the command that measures it again.
`;

const SIM_INTRO = `# Evaluation in the simulator

The same experiments as on the page of the lab, in virtual time. Links and the hosts' TCP are models; the core of the program is
the real one. \`npm run evaluate -- --sim\` writes this page. The same seed gives the same figures on any machine.
`;

/** @param hasOther the page of the other stage exists too */
export function introOf(stage: StageName, hasOther: boolean): string {
  if (stage === "lab")
    return `${LAB_INTRO}${hasOther ? "\nThe same experiments in virtual time: [simulator](simulator.md).\n" : ""}`;
  return `${SIM_INTRO}${hasOther ? "\nOn real kernels: [the lab](README.md).\n" : ""}`;
}

/** @param suites those that the figures of the page were measured with */
export function conditionsOf(suites: readonly SuiteName[]): string {
  return `- **The tunnel** runs with default settings, so it does not know the speed of the links. **The dissertation's modes** are
  \`Scheduling = greedy\` and \`Congestion = newreno\`. **The best link alone** is the same flow over the better link, without a
  tunnel.
- **C_eff** is the goodput of the inner TCP if every link were full: the sum over the links of rate · (1 − loss) · share.
  ${suites.map(shareOf).join("\n  ")}
  Without a tunnel the share is ${DIRECT_SHARE.toFixed(3)}.
- **The hosts** use CUBIC and the default buffers of their kernel, unless stated otherwise. Goodput is counted by the receiver. Every
  transfer has a network, portals and connections of its own, so its first seconds include finding the rate of each link.
- **Figures** are medians, with quartiles in brackets where they differ. Down is towards the client, up away from it.
`;
}

/** Returns the share of one suite: a datagram on the wire has 18 bytes of Ethernet around it. */
function shareOf(suite: SuiteName): string {
  const overhead = tunnelOverhead(suite);
  return `Measured with ${suite}: of a full datagram of ${INNER_MTU} + ${overhead} + 18 = ${INNER_MTU + overhead + 18} bytes on the wire (inner packet, the tunnel's
  overhead with UDP and IPv4, Ethernet), ${INNER_PAYLOAD} are payload, a share of ${tunnelShare(suite).toFixed(3)}.`;
}
