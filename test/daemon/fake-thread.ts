/** The data plane's thread, as the tests of the daemon need it. */
import type { DataplaneThread } from "../../src/daemon/dataplane-client.ts";
import type { FromDataplane, ToDataplane } from "../../src/dataplane/messages.ts";
import type { TunnelSnapshot } from "../../src/portal/snapshot.ts";

/** A data plane that answers as told and remembers what it was sent. */
export class FakeThread implements DataplaneThread {
  onmessage: DataplaneThread["onmessage"] = null;
  onerror: DataplaneThread["onerror"] = null;
  readonly received: ToDataplane[] = [];
  isTerminated = false;
  answersStart: FromDataplane = { type: "ready" };
  answersStop = true;

  postMessage(message: ToDataplane): void {
    this.received.push(message);
    if (message.type === "start") this.say(this.answersStart);
    if (message.type === "stop" && this.answersStop) this.say({ type: "stopped", cause: "asked", reason: "" });
    if (message.type === "snapshot") {
      const snapshot = { security: "blake2s", links: [] } as unknown as TunnelSnapshot;
      this.say({ type: "snapshot", request: message.request, snapshot });
    }
  }

  say(message: FromDataplane): void {
    setImmediate(() => this.onmessage?.({ data: message }));
  }

  end: () => void = () => {};

  addEventListener(_type: "close", listener: () => void): void {
    this.end = listener;
  }

  terminate(): void {
    this.isTerminated = true;
  }

  /** What it was sent of one type. */
  of<T extends ToDataplane["type"]>(type: T): Extract<ToDataplane, { type: T }>[] {
    return this.received.filter((message) => message.type === type) as Extract<ToDataplane, { type: T }>[];
  }
}
