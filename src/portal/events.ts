/** Requests and messages of the portal for its driver. They are rare, so plain objects. */
import type { Endpoint } from "../endpoint.ts";
import type { Diagnosed } from "./query.ts";

export type PortalEvent =
  /** Look up addresses for the link anew, open a socket and answer with `handleOpened` or `handleFailed`. */
  | { readonly type: "open"; readonly link: number; readonly attempt: number }
  /** Send these bytes as one datagram, outside of `pollDatagrams`. */
  | {
      readonly type: "send";
      readonly socket: number;
      readonly remote: Endpoint;
      readonly local: Endpoint;
      readonly message: Uint8Array;
    }
  /** The answer to a query. */
  | ({ readonly type: "diagnosed"; readonly request: number } & Diagnosed)
  /** The peer wants a responder for a speed test; `handleResponder` answers. It may ask several times with one token. */
  | {
      readonly type: "responder-wanted";
      readonly token: number;
      readonly secret: Uint8Array;
      readonly seconds: number;
    }
  /** Nothing uses the socket any more. */
  | { readonly type: "close"; readonly socket: number }
  /** Something a person may want to know; `key` is for limiting its rate. */
  | { readonly type: "log"; readonly level: "warn" | "info" | "debug"; readonly key: string; readonly text: string };
