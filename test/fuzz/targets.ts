/** Every decoder that reads what the network, the kernel or a file says. */
import { CONTROL } from "./control.ts";
import { DECODERS } from "./decoders.ts";
import { FRAGMENTS } from "./fragments.ts";
import { OFFLOAD } from "./offload.ts";
import { PORTALS } from "./portal.ts";
import type { Target } from "./target.ts";

export const TARGETS: Readonly<Record<string, Target>> = {
  ...DECODERS,
  fragments: FRAGMENTS,
  offload: OFFLOAD,
  control: CONTROL,
  ...PORTALS,
};
