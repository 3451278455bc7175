/** Every part, in the order of the page. */
import type { Part } from "../part.ts";
import { BBR } from "./bbr.ts";
import { DISSERTATION } from "./dissertation.ts";
import { FAILOVER } from "./failover.ts";
import { FAIRNESS } from "./fairness.ts";
import { FLAP } from "./flap.ts";
import { LATENCY } from "./latency.ts";
import { PROFILES } from "./profiles.ts";
import { SCALING } from "./scaling.ts";
import { STEP } from "./step.ts";

export const PARTS: readonly Part[] = [DISSERTATION, PROFILES, SCALING, LATENCY, BBR, FAILOVER, STEP, FLAP, FAIRNESS];
