/** Reports the state of the tunnel to systemd, at the socket named in NOTIFY_SOCKET (sd_notify(3)); elsewhere does nothing. */

import { layout } from "../../../ffi/layout.ts";
import { readClock } from "../../../ffi/monotonic-clock.ts";
import { sendUnixDatagram } from "../../../ffi/unix-datagram.ts";

export type Send = (path: string, payload: Uint8Array) => boolean;

export class Notifier {
  readonly #path: string | undefined;
  readonly #send: Send;

  constructor(path: string | undefined = process.env.NOTIFY_SOCKET, send: Send = sendUnixDatagram) {
    this.#path = path;
    this.#send = send;
  }

  ready(status: string): void {
    this.#tell(`READY=1\nMAINPID=${process.pid}\nSTATUS=${firstLine(status)}`);
  }

  /** @param now microseconds of CLOCK_MONOTONIC, which Type=notify-reload compares with its own */
  reloading(now = readClock(layout.CLOCK_MONOTONIC)): void {
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${Math.floor(now)}`);
  }

  stopping(status: string): void {
    this.#tell(`STOPPING=1\nSTATUS=${firstLine(status)}`);
  }

  #tell(text: string): void {
    if (this.#path) this.#send(this.#path, new TextEncoder().encode(text));
  }
}

/** Returns the first line: to systemd each line is a field of its own. */
function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}
