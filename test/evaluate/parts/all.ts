/** Every part, in the order of the page. */
import type { Part } from "../part.ts";
import { PROFILES } from "./profiles.ts";

export const PARTS: readonly Part[] = [PROFILES];
