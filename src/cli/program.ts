/** What the commands need of the program around them: its own file, and a thread for the data plane. */
import type { DataplaneThread } from "../daemon/dataplane-client.ts";

export interface Program {
  /** The entry file, which starts again as the daemon when running from source. */
  readonly entry: string;
  readonly createThread: () => DataplaneThread;
}
