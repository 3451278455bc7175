/** The input that all parts of the plan for Linux share. */
import type { Configuration } from "../../config/configuration.ts";
import type { SystemRequest } from "../request.ts";
import type { LinuxState } from "./state.ts";

export interface LinuxContext {
  readonly name: string;
  readonly configuration: Configuration;
  readonly request: SystemRequest;
  readonly state: LinuxState;
  /** Returns the number of another unused routing table at each call. */
  readonly table: () => number;
}
