/** Defines what commands need of the program: its own file, and a thread for the data plane. */
import type { DataplaneThread } from "../daemon/dataplane-client.ts";

export interface Program {
  /** Entry file, which is run again as the daemon when the program runs from source. */
  readonly entry: string;
  readonly createThread: () => DataplaneThread;
}
