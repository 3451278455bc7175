/**
 * The messages between the control plane (main thread) and the data plane (worker), sent by postMessage. They are rare, hence plain
 * objects. After each message to the worker the control plane also writes to the pipe that wakes it.
 */
import type { Endpoint } from "../endpoint.ts";
import type { PortalEvent } from "../portal/events.ts";
import type { Diagnosed, Query, Responder } from "../portal/query.ts";
import type { LinkCommand, LinkSettings, LinkTransport, TunnelSettings } from "../portal/settings.ts";
import type { TunnelSnapshot } from "../portal/snapshot.ts";

export interface DataplaneLink {
  readonly settings: LinkSettings;
  readonly transport: LinkTransport;
}

export interface StartMessage {
  readonly type: "start";
  readonly interface: string;
  readonly tunFd: number;
  /** Read end of the pipe that wakes the worker out of its poll. */
  readonly wakeFd: number;
  readonly tunnel: TunnelSettings;
  /** Mark of the sockets' datagrams by which routing rules tell them apart (SO_MARK), Linux only. */
  readonly mark?: number | undefined;
  readonly links: readonly DataplaneLink[];
}

/** The addresses of one attempt; `local` has family 0 where any address will do. */
export interface ResolvedMessage {
  readonly type: "resolved";
  readonly link: number;
  readonly attempt: number;
  readonly remote: Endpoint;
  readonly local: Endpoint;
}

export type ToDataplane =
  | StartMessage
  | ResolvedMessage
  | { readonly type: "unresolved"; readonly link: number; readonly attempt: number; readonly reason: string }
  | { readonly type: "add-link"; readonly link: DataplaneLink }
  | { readonly type: "remove-link"; readonly link: number }
  | { readonly type: "change-link"; readonly link: number; readonly change: LinkCommand }
  | { readonly type: "snapshot"; readonly request: number }
  | { readonly type: "ask"; readonly request: number; readonly query: Query }
  | { readonly type: "responder"; readonly token: number; readonly responder: Responder }
  | { readonly type: "stop" };

export type LogLevel = "error" | "warn" | "info" | "debug";

export type FromDataplane =
  | { readonly type: "ready" }
  /** Asks for addresses: `remote` from `remoteHost`, `local` from `localHost` or `localInterface`. */
  | { readonly type: "resolve"; readonly link: number; readonly attempt: number; readonly transport: LinkTransport }
  | { readonly type: "log"; readonly level: LogLevel; readonly key: string; readonly text: string }
  | { readonly type: "snapshot"; readonly request: number; readonly snapshot: TunnelSnapshot }
  | ({ readonly type: "diagnosed"; readonly request: number } & Diagnosed)
  | Extract<PortalEvent, { type: "responder-wanted" }>
  /** The worker ended: it was asked to, or the interface is gone, or it met a fault. */
  | { readonly type: "stopped"; readonly cause: "asked" | "interface-gone" | "fault"; readonly reason: string };

/** Returns the message of a thread that an error ended. */
export function fault(error: unknown): FromDataplane {
  return {
    type: "stopped",
    cause: "fault",
    reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}
