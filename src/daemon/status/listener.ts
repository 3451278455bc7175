/**
 * Serves the state of a running tunnel over HTTP, where `Metrics` in [Host] asks for it: metrics for a monitoring system at any address, and
 * at loopback addresses also a page for a person's browser.
 */
import type { ListenAddress } from "../../config/values.ts";
import { EXIT, NetcombinerError } from "../../errors.ts";
import { jsonReport } from "../../monitor/health.ts";
import { CONTENT_TYPE, renderMetrics } from "../../monitor/metrics.ts";
import type { TunnelReport } from "../../monitor/tunnel-report.ts";
import { type HttpHandler, type HttpRequest, type HttpResponse, type HttpServer, openHttp, plain } from "./http.ts";
import { PAGE, PAGE_POLICY } from "./page.ts";

/** Time in which all answers share one snapshot. */
const FRESH_MS = 200;

/** Listens where the configuration says, or nowhere; a new configuration may say otherwise. */
export class StatusListener {
  readonly #report: () => Promise<TunnelReport>;
  readonly #complain: (text: string) => void;
  #at: ListenAddress | undefined;
  #server: HttpServer | undefined;
  /** Changes are made one after the other. */
  #last: Promise<void> = Promise.resolve();

  /** @param complain called if the system refuses an address, as a tunnel without metrics is better than none */
  constructor(report: () => Promise<TunnelReport>, complain: (text: string) => void) {
    this.#report = report;
    this.#complain = complain;
  }

  listen(at: ListenAddress | undefined): Promise<void> {
    this.#last = this.#last.then(() => this.#change(at));
    return this.#last;
  }

  async #change(at: ListenAddress | undefined): Promise<void> {
    if (Bun.deepEquals(at, this.#at)) return;
    this.#server?.close();
    this.#server = undefined;
    this.#at = at;
    try {
      if (at) this.#server = await openStatus(at, this.#report);
    } catch (error) {
      // The next reload tries again.
      this.#at = undefined;
      this.#complain(error instanceof Error ? error.message : String(error));
    }
  }
}

/** @throws NetcombinerError that names the address when the system refuses it */
export async function openStatus(at: ListenAddress, report: () => Promise<TunnelReport>): Promise<HttpServer> {
  try {
    return await openHttp(at.host, at.port, statusHandler(isLoopback(at.host), shared(report)));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new NetcombinerError(`Metrics: cannot listen at ${at.host} port ${at.port}: ${problem}`, EXIT.UNAVAILABLE, {
      cause: error,
    });
  }
}

export function statusHandler(hasPage: boolean, report: () => Promise<TunnelReport>): HttpHandler {
  return async (request) => {
    if (hasPage && !isLocalHost(request.host)) return plain(421);
    if (hasPage && request.path === "/") return page();
    if (request.path !== "/metrics" && !(hasPage && request.path === "/status.json")) return plain(404);
    return await fromReport(request, report);
  };
}

async function fromReport({ path }: HttpRequest, report: () => Promise<TunnelReport>): Promise<HttpResponse> {
  const found = await report().catch(() => undefined);
  if (!found) return plain(503);
  if (path === "/metrics") return { status: 200, type: CONTENT_TYPE, body: renderMetrics([found]) };
  return { status: 200, type: "application/json; charset=utf-8", body: JSON.stringify(jsonReport(found)) };
}

function page(): HttpResponse {
  return {
    status: 200,
    type: "text/html; charset=utf-8",
    body: PAGE,
    headers: { "Content-Security-Policy": PAGE_POLICY, "X-Frame-Options": "DENY" },
  };
}

/** True if the Host field names this machine. A page elsewhere can have its own name point here (DNS rebinding), but then it asks for that name. */
function isLocalHost(field: string): boolean {
  const [, name = ""] = /^(\[[0-9a-fA-F:.]+\]|[^:]+)(?::\d{1,5})?$/.exec(field) ?? [];
  return name.toLowerCase() === "localhost" || isLoopback(name.replace(/^\[(.*)\]$/, "$1"));
}

function isLoopback(host: string): boolean {
  return /^127(\.\d{1,3}){3}$/.test(host) || host === "::1";
}

/** Returns a function that makes one report at a time, for all who ask meanwhile or shortly after. */
function shared(report: () => Promise<TunnelReport>): () => Promise<TunnelReport> {
  let current: Promise<TunnelReport> | undefined;
  return () => {
    if (current) return current;
    const asked = report();
    const forget = () => setTimeout(() => (current = undefined), FRESH_MS).unref();
    asked.then(forget, forget);
    current = asked;
    return asked;
  };
}
