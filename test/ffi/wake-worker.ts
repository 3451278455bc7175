/** Waits in a poll for the descriptor it is sent, and says how many were ready. */
import { Poller } from "../../ffi/poller.ts";

declare const self: Worker;

self.onmessage = (event: MessageEvent<number>) => {
  const poller = new Poller();
  poller.add(event.data);
  self.postMessage("waiting");
  self.postMessage(poller.wait(Number.POSITIVE_INFINITY));
};
