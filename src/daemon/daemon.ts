/**
 * The control plane of one tunnel: it reads the configuration, sets up the interface, starts the data plane and stays
 * to answer signals, the control socket and questions for addresses, until the tunnel ends.
 */
import type { Micros } from "../clock.ts";
import type { Configuration } from "../config/configuration.ts";
import { loadConfiguration } from "../config/load.ts";
import { EXIT, type ExitCode, NetcombinerError } from "../errors.ts";
import type { TunnelReport } from "../monitor/tunnel-report.ts";
import { type Answer, type Commands, openControl } from "./control/server.ts";
import { tunnelCommands } from "./control/tunnel-commands.ts";
import { DataplaneClient, type DataplaneThread, type ResponderWanted, type Stopped } from "./dataplane-client.ts";
import { socketPath } from "./process/locations.ts";
import type { Log } from "./process/log.ts";
import type { Notifier } from "./process/notify.ts";
import { version } from "./process/program-version.ts";
import type { Readiness } from "./process/readiness.ts";
import { planReload } from "./reload-plan.ts";
import { type Lookups, resolveLink } from "./resolve.ts";
import { SpeedResponder } from "./speed/responder.ts";
import { StatusListener } from "./status/listener.ts";

/** Time the data plane has to say goodbye. */
const WAITING = "waiting for the local portal: netcombiner join with the token of netcombiner init";
const STOP_TIMEOUT_MS = 2_000;

/** An open TUN device. */
export interface TunDevice {
  readonly fd: number;
  /** Ends the interface. */
  close(): void | Promise<void>;
}

/** The changes of `up` to the host besides the interface, and their undoing. */
export interface SystemSetup {
  /** Undoes what an earlier run left behind. */
  heal(): Promise<unknown>;
  /** Does what comes before the interface is configured. */
  prepare(configuration: Configuration): Promise<void>;
  /** Does what comes once the tunnel runs. */
  configure(configuration: Configuration): Promise<void>;
  /** Undoes `configure`, while the interface still exists. */
  restore(): Promise<void>;
  /** Undoes `prepare`, once the interface is gone. */
  finish(): Promise<void>;
}

/** The machine around the daemon; tests bring their own. */
export interface Surroundings {
  openTun(): TunDevice;
  /** Sets MTU and addresses and brings the interface up. @throws NetcombinerError */
  configureInterface(configuration: Configuration): void | Promise<void>;
  openWakePipe(): { readonly readFd: number; wake(): void; close(): void };
  createThread(): DataplaneThread;
  readonly lookups: Lookups;
  /** Undefined for a tunnel that makes its interface and nothing else. */
  readonly system?: SystemSetup | undefined;
  /** Resolves when a local portal has enrolled and its key is in the file; rejects where none can. */
  enrol?(configuration: Configuration, path: string, signal: AbortSignal): Promise<void>;
  readonly log: Log;
  readonly notifier: Notifier;
  readonly readiness: Readiness;
  /** Gives up the rights that only the start needs. */
  confine?(): void;
  /** Returns the monotonic time, µs. */
  now(): Micros;
}

export interface DaemonOptions {
  readonly interface: string;
  readonly configurationPath: string;
  /** Folder of the control socket. */
  readonly runDirectory?: string;
  /** True for a trial of the links, which serves no metrics. */
  readonly isTrial?: boolean;
}

/** One running tunnel. `run` does everything; the other methods are for signals and the control socket. */
export class Daemon {
  readonly #options: DaemonOptions;
  readonly #around: Surroundings;
  readonly #speedResponder = new SpeedResponder();
  readonly #end = Promise.withResolvers<Stopped>();
  #configuration: Configuration | undefined;
  #dataplane: DataplaneClient | undefined;
  #startedAt = 0;
  /** The reason why there is nothing to show or to reload yet. */
  #notRunning = "the tunnel is not running yet";
  readonly #status: StatusListener;

  constructor(options: DaemonOptions, surroundings: Surroundings) {
    this.#options = options;
    this.#around = surroundings;
    this.#status = new StatusListener(
      () => this.#report(),
      (text) => surroundings.log.error(text),
    );
  }

  /**
   * Runs the tunnel to its end and takes everything down again. Never rejects: a fault is logged, reported to the process that
   * waits for readiness, and shows in the exit code.
   */
  async run(): Promise<ExitCode> {
    const { log, readiness } = this.#around;
    await using cleanup = new AsyncDisposableStack();
    try {
      await this.#start(cleanup);
      readiness.ready();
      const stopped = await this.#end.promise;
      this.#around.notifier.stopping(stopped.reason);
      return this.#explain(stopped);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log.error(message);
      readiness.failed(error);
      return error instanceof NetcombinerError ? error.exitCode : EXIT.SOFTWARE;
    }
  }

  /** Ends `run` and logs the reason. */
  stop(reason: string): void {
    this.#end.resolve({ type: "stopped", cause: "asked", reason });
  }

  /** Reads the configuration again. Links that did not change keep running; a faulty file changes nothing. */
  reload(): Answer {
    const { log, notifier } = this.#around;
    const [current, dataplane] = [this.#configuration, this.#dataplane];
    if (!current || !dataplane) return { ok: false, error: this.#notRunning };
    notifier.reloading();
    try {
      const plan = planReload(current, loadConfiguration(this.#options.configurationPath));
      for (const link of plan.removed) dataplane.removeLink(link.settings.id);
      for (const link of plan.added) dataplane.addLink(link);
      this.#configuration = plan.configuration;
      log.level = plan.configuration.logLevel;
      void this.#status.listen(plan.configuration.metrics);
      const counts = { kept: plan.kept.length, added: plan.added.length, removed: plan.removed.length };
      log.info(`reloaded: links kept ${counts.kept}, added ${counts.added}, removed ${counts.removed}`);
      if (plan.needsRestart.length > 0) {
        log.warn(`reloaded: ${plan.needsRestart.join(", ")} changed in [Host] and will take effect after a restart`);
      }
      return { ok: true, ...counts, needsRestart: plan.needsRestart };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      log.error(`not reloaded, all stays as it is:\n${message}`);
      return { ok: false, error: message };
    } finally {
      notifier.ready(this.#summary());
    }
  }

  async #start(cleanup: AsyncDisposableStack): Promise<void> {
    const { interface: name, configurationPath, runDirectory } = this.#options;
    const { log, notifier } = this.#around;
    const found = loadConfiguration(configurationPath);
    log.level = found.logLevel;
    const control = await openControl(socketPath(name, runDirectory), name, this.#commands());
    cleanup.defer(() => control.close());
    const { system } = this.#around;
    await system?.heal();
    const configuration = found.awaitsPeer ? await this.#enrolled(found) : found;
    if (!configuration) return;
    if (system) cleanup.defer(() => this.#attempt(system.finish()));
    const tun = this.#around.openTun();
    cleanup.defer(() => tun.close());
    await system?.prepare(configuration);
    await this.#around.configureInterface(configuration);
    await this.#startDataplane(configuration, tun.fd, cleanup);
    if (system) cleanup.defer(() => this.#attempt(system.restore()));
    await system?.configure(configuration);
    this.#configuration = configuration;
    this.#startedAt = this.#around.now();
    await this.#status.listen(this.#options.isTrial ? undefined : configuration.metrics);
    cleanup.defer(() => this.#status.listen(undefined));
    this.#around.confine?.();
    log.info(this.#summary());
    notifier.ready(this.#summary());
  }

  /** Waits for the local portal to join. Returns the configuration with its key, or undefined if this was asked to end before. */
  async #enrolled(configuration: Configuration): Promise<Configuration | undefined> {
    const { log, notifier, readiness, enrol } = this.#around;
    const { interface: name, configurationPath, isTrial } = this.#options;
    if (isTrial || !enrol)
      throw new NetcombinerError("PublicKey = join: the local portal has not joined yet", EXIT.CONFIG);
    const stop = new AbortController();
    const joined = enrol(configuration, configurationPath, stop.signal);
    this.#notRunning = WAITING;
    log.info(WAITING);
    notifier.ready(WAITING);
    readiness.progress(`${name}: ${WAITING}`);
    // Whoever started this waits no longer than for the rest of the start.
    readiness.ready();
    const ended = await Promise.race([joined, this.#end.promise]);
    stop.abort();
    if (ended) return undefined;
    return loadConfiguration(configurationPath);
  }

  /** Tries one undoing at the end; a step that fails stays in the journal. */
  async #attempt(undoing: Promise<void>): Promise<void> {
    await undoing.catch((error: unknown) => {
      this.#around.log.error(error instanceof Error ? error.message : String(error));
    });
  }

  async #startDataplane(configuration: Configuration, tunFd: number, cleanup: AsyncDisposableStack): Promise<void> {
    const pipe = this.#around.openWakePipe();
    cleanup.defer(() => pipe.close());
    const { lookups, log } = this.#around;
    const dataplane = new DataplaneClient(this.#around.createThread(), pipe.wake, {
      log: ({ level, text, key }) => log.log(level, text, key),
      resolve: ({ transport, attempt }) => {
        const role = transport.remoteHost === undefined ? "listen" : "initiate";
        return resolveLink(transport, role, attempt, lookups);
      },
      responderWanted: (wanted) => void this.#offerResponder(wanted),
    });
    cleanup.defer(() => this.#speedResponder.close());
    cleanup.defer(() => dataplane.stop(STOP_TIMEOUT_MS).then(() => undefined));
    dataplane.start({
      type: "start",
      interface: this.#options.interface,
      tunFd,
      wakeFd: pipe.readFd,
      tunnel: configuration.tunnel,
      mark: configuration.system.fwMark,
      links: configuration.links.map(({ settings, transport }) => ({ settings, transport })),
    });
    const early = await Promise.race([dataplane.ready, dataplane.stopped, this.#end.promise]);
    if (early) throw new NetcombinerError(`the tunnel did not start: ${early.reason}`, EXIT.OS);
    this.#dataplane = dataplane;
    void dataplane.stopped.then((stopped) => this.#end.resolve(stopped));
  }

  #explain({ cause, reason }: Stopped): ExitCode {
    const { log } = this.#around;
    if (cause === "fault") {
      log.error(`the data plane ended: ${reason}`);
      return EXIT.SOFTWARE;
    }
    log.info(cause === "interface-gone" ? `the interface is gone, so is the tunnel: ${reason}` : `ending: ${reason}`);
    return EXIT.OK;
  }

  #summary(): string {
    const links = this.#configuration?.links ?? [];
    return `${this.#options.interface} is up with ${links.length} ${links.length === 1 ? "link" : "links"}`;
  }

  #commands(): Commands {
    return {
      status: () => {
        const { interface: name, configurationPath } = this.#options;
        return { ok: true, interface: name, pid: process.pid, configuration: configurationPath };
      },
      show: () => this.#show(),
      log: () => ({ ok: true, lines: this.#around.log.recent }),
      reload: () => this.reload(),
      ...tunnelCommands(() => {
        const [dataplane, configuration] = [this.#dataplane, this.#configuration];
        return dataplane && configuration && { dataplane, links: configuration.links };
      }),
      down: () => {
        // The answer is on its way first.
        setImmediate(() => this.stop("asked by netcombiner down"));
        return { ok: true, pid: process.pid };
      },
    };
  }

  /** Opens the responder that the peer wants. Never rejects: where this end cannot listen, the peer gets no answer. */
  async #offerResponder(wanted: ResponderWanted): Promise<void> {
    const { log } = this.#around;
    const addresses = this.#configuration?.addresses ?? [];
    const address = (addresses.find(({ family }) => family === 4) ?? addresses[0])?.address;
    try {
      const responder = await this.#speedResponder.open(wanted, address);
      this.#dataplane?.offerResponder(wanted.token, responder);
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      log.log("warn", `cannot take part in the speed test that the peer asks for: ${problem}`, "speed test");
    }
  }

  async #show(): Promise<Answer> {
    return { ok: true, ...(await this.#report()) };
  }

  async #report(): Promise<TunnelReport> {
    if (!this.#dataplane) throw new Error(this.#notRunning);
    const snapshot = await this.#dataplane.snapshot();
    const uptime = Math.floor((this.#around.now() - this.#startedAt) / 1_000_000);
    const { interface: name } = this.#options;
    return { interface: name, version: version(), pid: process.pid, uptime, snapshot };
  }
}
