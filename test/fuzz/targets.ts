/** Every decoder that reads what the network, the kernel or a file says. */
import { CONTROL } from "./control.ts";
import { DECODERS } from "./decoders.ts";
import { OFFLOAD } from "./offload.ts";
import { PORTALS } from "./portal.ts";
import type { Target } from "./target.ts";

export const TARGETS: Readonly<Record<string, Target>> = {
  ...DECODERS,
  offload: OFFLOAD,
  control: CONTROL,
  ...PORTALS,
};
