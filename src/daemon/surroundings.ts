/** The real machine around a daemon: TUN, interface settings, worker, name lookups, log and clock. */
import { lookup } from "node:dns/promises";
import { layout } from "../../ffi/layout.ts";
import { cString, pointerTo, systemLibc } from "../../ffi/libc.ts";
import { monotonicMicros } from "../../ffi/monotonic-clock.ts";
import { adoptTun, openTun } from "../../ffi/tun.ts";
import { sendUnixDatagram } from "../../ffi/unix-datagram.ts";
import { openPipe, wake } from "../../ffi/wake.ts";
import { EXIT, NetcombinerError } from "../errors.ts";
import { configureInterface, deleteInterface, interfaceAddresses } from "../host/host.ts";
import { journalPath } from "../host/journal.ts";
import type { Print } from "../host/runner.ts";
import { HostSystem } from "../host/system.ts";
import type { Surroundings, SystemSetup, TunDevice } from "./daemon.ts";
import type { DataplaneThread } from "./dataplane-client.ts";
import { awaitEnrolment } from "./enrolment-desk.ts";
import { type Inheritance, journalIsStderr } from "./process/handover.ts";
import { HelperClient } from "./process/host-helper.ts";
import { runDirectory } from "./process/locations.ts";
import { journalSink, Log, type LogSink, stderrSink, syslogSink } from "./process/log.ts";
import { Notifier } from "./process/notify.ts";
import { nobodyWaits, readinessOn } from "./process/readiness.ts";
import type { HelperPipes } from "./process/stages.ts";
import type { Lookups } from "./resolve.ts";

const CONFIGURE_TIMEOUT_MS = 10_000;
/** Packets that the kernel keeps until they are read. A host's whole window may come at once; Linux' default of 500 would lose part of it. */
const TX_QUEUE_LENGTH = 5_000;
/** A resolver's own timeout is longer, but the link's next attempt may find another server or route. */
const LOOKUP_TIMEOUT_MS = 5_000;

/**
 * @param setsUp true if the host is set up besides the interface, as `up` does it
 * @param helper reaches the process that does so; without one this process does
 */
export function systemSurroundings(
  interfaceName: string,
  inherited: Inheritance | undefined,
  createThread: () => DataplaneThread,
  setsUp: boolean,
  helper?: HelperPipes,
): Surroundings {
  const log = new Log(logSink(interfaceName, inherited !== undefined), monotonicMicros);
  const readiness = inherited && inherited.readyFd >= 0 ? readinessOn(inherited.readyFd) : nobodyWaits;
  const print: Print = (kind, text) => {
    readiness.progress(kind === "command" ? `[#] ${text}` : text);
    if (kind === "command") log.info(`[#] ${text}`);
    else log.warn(text);
  };
  return {
    system: setsUp ? hostSystem(interfaceName, print, helper) : undefined,
    openTun: () => openDevice(interfaceName, inherited?.tunFd, setsUp),
    configureInterface: async ({ addresses, tunnel }) => {
      const texts = addresses.map(({ address, prefix }) => `${address}/${prefix}`);
      const settings = { addresses: texts, mtu: tunnel.mtu, txQueueLength: TX_QUEUE_LENGTH };
      const timeout = AbortSignal.timeout(CONFIGURE_TIMEOUT_MS);
      const unset = await configureInterface(interfaceName, settings, timeout);
      if (unset.length > 0) log.warn(`the peer may act as a router: cannot set ${unset.join(", ")}`);
    },
    openWakePipe() {
      const { readFd, writeFd } = openPipe();
      // Left to the end of the process: the worker may still be in its poll.
      return { readFd, wake: () => wake(writeFd), close() {} };
    },
    createThread,
    enrol: (configuration, path, signal) => awaitEnrolment(configuration, path, log, signal),
    lookups: systemLookups,
    log,
    notifier: new Notifier(),
    readiness,
    now: monotonicMicros,
  };
}

/** Returns what sets up the host: the helper, or this process where it has none. */
function hostSystem(name: string, print: Print, helper: HelperPipes | undefined): SystemSetup {
  if (helper) return new HelperClient(helper.commandFd, helper.answerFd, print);
  return new HostSystem({ name, journalPath: journalPath(runDirectory(), name), print });
}

function openDevice(name: string, inheritedFd: number | undefined, endsAtOnce: boolean): TunDevice {
  const tun = inheritedFd === undefined ? openTun(name) : adoptTun(inheritedFd);
  if (tun.name !== name) {
    throw new NetcombinerError(`the inherited descriptor is of interface ${tun.name}, not ${name}`, EXIT.USAGE);
  }
  return {
    fd: tun.fd,
    async close() {
      // Linux ends the interface with the last descriptor, which goes with the process; PostDown does not wait for that.
      // FreeBSD keeps it.
      if (layout.name !== "freebsd" && !endsAtOnce) return;
      tun.close();
      await deleteInterface(name, AbortSignal.timeout(CONFIGURE_TIMEOUT_MS)).catch(() => undefined);
    },
  };
}

const systemLookups: Lookups = {
  async host(name) {
    const found = await lookup(name, { all: true, verbatim: true });
    return [...new Set(found.map((entry) => entry.address))];
  },
  interfaceAddresses,
  interfaceIndex(name) {
    const text = cString(name);
    return systemLibc().if_nametoindex(pointerTo(text));
  },
  bindsToInterfaces: layout.name === "linux",
  timeout: LOOKUP_TIMEOUT_MS,
};

function logSink(interfaceName: string, isBackground: boolean): LogSink {
  if (journalIsStderr()) return journalSink(interfaceName);
  if (!isBackground) return stderrSink(interfaceName);
  const path = layout.name === "freebsd" ? "/var/run/log" : "/dev/log";
  return syslogSink(interfaceName, process.pid, (datagram) => sendUnixDatagram(path, datagram));
}
