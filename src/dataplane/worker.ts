/** The data plane's thread: it waits for the start message, runs the data plane and tells why that ended. */
import { Dataplane, type Post } from "./dataplane.ts";
import { fault, type ToDataplane } from "./messages.ts";

/** Turns of the event loop in which an announced message arrives. */
const TURNS_MAX = 64;

/** Runs the data plane in this worker. */
export function runDataplane(): void {
  const scope = globalThis as unknown as { postMessage: Post; onmessage: ((event: MessageEvent) => void) | null };
  const post: Post = (message) => scope.postMessage(message);
  let dataplane: Dataplane | undefined;
  let handled = 0;
  const yieldToMessages = async (wakeUps: number): Promise<void> => {
    // Each wake-up announces one message.
    const wanted = handled + wakeUps;
    for (let turn = 0; turn < TURNS_MAX && handled < wanted; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  scope.onmessage = ({ data }: MessageEvent<ToDataplane>) => {
    handled++;
    if (dataplane) return dataplane.handle(data);
    if (data.type !== "start") return;
    try {
      dataplane = new Dataplane(data, post);
      post({ type: "ready" });
      dataplane.run(yieldToMessages).then(post, (error) => post(fault(error)));
    } catch (error) {
      post(fault(error));
    }
  };
}
