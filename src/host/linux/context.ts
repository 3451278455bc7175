/** What every part of the plan for Linux works from. */
import type { Configuration } from "../../config/configuration.ts";
import type { SystemRequest } from "../request.ts";
import type { LinuxState } from "./state.ts";

export interface LinuxContext {
  readonly name: string;
  readonly configuration: Configuration;
  readonly request: SystemRequest;
  readonly state: LinuxState;
  /** Another routing table that nothing uses yet, at each call. */
  readonly table: () => number;
}
