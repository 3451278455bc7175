/** What the portal asks of, or tells, the one who drives it. Rare, so plain objects. */
import type { Endpoint } from "../endpoint.ts";

export type PortalEvent =
  /** Look up addresses for the link anew, open a socket and answer with `handleOpened` or `handleFailed`. */
  | { readonly type: "open"; readonly link: number; readonly attempt: number }
  /** Send these bytes as one datagram, for an exchange. */
  | {
      readonly type: "send";
      readonly socket: number;
      readonly remote: Endpoint;
      readonly local: Endpoint;
      readonly message: Uint8Array;
    }
  /** Nothing uses the socket any more. */
  | { readonly type: "close"; readonly socket: number }
  /** Something a person may want to know; `key` is for limiting its rate. */
  | { readonly type: "log"; readonly level: "warn" | "info" | "debug"; readonly key: string; readonly text: string };
