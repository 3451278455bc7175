/**
 * The keys of `[Host]` and `[Peer]` and the rules between the keys of one section. Input: the texts of one section by canonical
 * name. Rules between sections are in `sections.ts`. A key left out stays undefined: its default may depend on other keys.
 */
import * as v from "valibot";
import {
  DEFAULT_METHOD,
  DEFAULT_MTU,
  DEFAULT_SECURITY,
  KEEP_ALIVE_BOUNDS,
  LIMIT_BOUNDS,
  METRIC_BOUNDS,
  MTU_BOUNDS,
  MTU_MIN_IPV6,
  PROTOCOL_BOUNDS,
  RETRY_WAIT_BOUNDS,
  TIMEOUT_BOUNDS,
} from "./defaults.ts";
import { COMMAND_KEYS, SYSTEM_KEYS, systemFaults } from "./system-schema.ts";
import { networks } from "./system-values.ts";
import {
  address,
  bitRate,
  cryptoKey,
  duration,
  filePath,
  formatDuration,
  host,
  interfaceAddresses,
  interfaceName,
  linkName,
  listenAddress,
  oneOf,
  peerKey,
  wholeNumber,
  wholeNumberOrZero,
  yesNo,
} from "./values.ts";

/** Keys whose values never appear in a message. */
export const SECRET_KEYS: ReadonlySet<string> = new Set(["PrivateKey", "SharedKey"]);
/** Keys that may be given several times, and what their values are joined with. */
export const LIST_KEYS: ReadonlyMap<string, string> = new Map([
  ...[
    "Address",
    "ClientAddress",
    "LanInterface",
    "PeerNetworks",
    "AllowedIPs",
    "KeepPorts",
    "Forward",
    "OpenNetworks",
  ].map((key) => [key, ", "] as const),
  ...COMMAND_KEYS.map((key) => [key, "\n"] as const),
]);

const HOST_KEYS = {
  PrivateKey: v.optional(cryptoKey("genkey")),
  PrivateKeyFile: v.optional(filePath()),
  SharedKey: v.optional(cryptoKey("genpsk")),
  SharedKeyFile: v.optional(filePath()),
  Security: v.optional(oneOf(["auto", "aes-256-gcm", "chacha20-poly1305", "blake2s", "none"])),
  Scheduling: v.optional(oneOf(["adaptive", "greedy"])),
  Address: v.optional(interfaceAddresses()),
  AllowedIPs: v.optional(networks()),
  MTU: v.optional(wholeNumber(MTU_BOUNDS)),
  LogLevel: v.optional(oneOf(["error", "warn", "info", "debug"])),
  Metrics: v.optional(listenAddress()),
  ...SYSTEM_KEYS,
};

const PEER_KEYS = {
  Name: v.optional(linkName()),
  PublicKey: v.optional(peerKey()),
  Method: v.optional(oneOf(["UDP", "TCP", "IP"])),
  LocalHost: v.optional(host("LocalPort")),
  LocalInterface: v.optional(interfaceName()),
  LocalPort: v.optional(wholeNumber({ min: 0, max: 65_535 })),
  RemoteHost: v.optional(host("RemotePort")),
  RemotePort: v.optional(wholeNumber({ min: 1, max: 65_535 })),
  Protocol: v.optional(wholeNumber(PROTOCOL_BOUNDS)),
  Metric: v.optional(wholeNumber(METRIC_BOUNDS)),
  Congestion: v.optional(oneOf(["rate", "newreno", "none"])),
  Metered: v.optional(yesNo()),
  LimitOut: v.optional(bitRate(LIMIT_BOUNDS)),
  LimitIn: v.optional(bitRate(LIMIT_BOUNDS)),
  KeepAlive: v.optional(duration(KEEP_ALIVE_BOUNDS)),
  Timeout: v.optional(duration(TIMEOUT_BOUNDS)),
  RetryWait: v.optional(duration(RETRY_WAIT_BOUNDS)),
  PublicAddress: v.optional(address()),
  MTU: v.optional(wholeNumberOrZero(MTU_BOUNDS)),
};

export const HOST_KEY_NAMES = Object.keys(HOST_KEYS);
export const PEER_KEY_NAMES = Object.keys(PEER_KEYS);

export const HostSchema = v.pipe(
  v.object(HOST_KEYS),
  v.forward(
    v.partialCheck(
      [["PrivateKey"], ["PrivateKeyFile"]],
      (host) => host.PrivateKey === undefined || host.PrivateKeyFile === undefined,
      "only without PrivateKey, which is given too",
    ),
    ["PrivateKeyFile"],
  ),
  v.forward(
    v.partialCheck(
      [["SharedKey"], ["SharedKeyFile"]],
      (host) => host.SharedKey === undefined || host.SharedKeyFile === undefined,
      "only without SharedKey, which is given too",
    ),
    ["SharedKeyFile"],
  ),
  v.forward(
    v.partialCheck(
      [["PrivateKey"], ["PrivateKeyFile"], ["SharedKey"], ["SharedKeyFile"], ["Security"]],
      ({ PrivateKey, PrivateKeyFile, SharedKey, SharedKeyFile, Security }) =>
        (Security ?? DEFAULT_SECURITY) === "none" ||
        (PrivateKey ?? PrivateKeyFile ?? SharedKey ?? SharedKeyFile) !== undefined,
      'make one with "netcombiner genkey", or set a SharedKey alone, the same at both portals',
    ),
    ["PrivateKey"],
  ),
  v.forward(
    v.partialCheck(
      [["Address"], ["MTU"]],
      (host) => (host.MTU ?? DEFAULT_MTU) >= MTU_MIN_IPV6 || !host.Address?.some((address) => address.family === 6),
      `min ${MTU_MIN_IPV6} with an IPv6 address`,
    ),
    ["MTU"],
  ),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const { value: input } = dataset;
    for (const { key, rule } of systemFaults(input)) {
      addIssue({ message: rule, path: [{ type: "object", origin: "value", input, key, value: input[key] }] });
    }
  }),
);

type PeerOutput = v.InferOutput<v.ObjectSchema<typeof PEER_KEYS, undefined>>;

function methodOf(peer: { readonly Method?: PeerOutput["Method"] }) {
  return peer.Method ?? DEFAULT_METHOD;
}

export const PeerSchema = v.pipe(
  v.object(PEER_KEYS),
  v.forward(
    v.partialCheck(
      [["Method"], ["LocalPort"]],
      (peer) => peer.LocalPort === undefined || methodOf(peer) !== "IP",
      "only with Method UDP or TCP, since IP has no ports",
    ),
    ["LocalPort"],
  ),
  v.forward(
    v.partialCheck(
      [["Method"], ["RemotePort"]],
      (peer) => peer.RemotePort === undefined || methodOf(peer) !== "IP",
      "only with Method UDP or TCP, since IP has no ports",
    ),
    ["RemotePort"],
  ),
  v.forward(
    v.partialCheck(
      [["Method"], ["Protocol"]],
      (peer) => peer.Protocol === undefined || methodOf(peer) === "IP",
      "only with Method IP",
    ),
    ["Protocol"],
  ),
  v.forward(
    v.partialCheck(
      [["RemoteHost"], ["LocalPort"]],
      (peer) => peer.LocalPort !== 0 || peer.RemoteHost !== undefined,
      "min 1 without RemoteHost",
    ),
    ["LocalPort"],
  ),
  v.forward(
    v.partialCheck(
      [["RemoteHost"], ["RemotePort"]],
      (peer) => peer.RemotePort === undefined || peer.RemoteHost !== undefined,
      "only with RemoteHost",
    ),
    ["RemotePort"],
  ),
  v.forward(
    v.partialCheck(
      [["RemoteHost"], ["RetryWait"]],
      (peer) => peer.RetryWait === undefined || peer.RemoteHost !== undefined,
      "only with RemoteHost",
    ),
    ["RetryWait"],
  ),
  v.forward(
    v.partialCheck(
      [["Method"], ["Congestion"]],
      (peer) => methodOf(peer) !== "TCP" || (peer.Congestion ?? "none") === "none",
      "expected none with Method TCP, which has congestion control of its own",
    ),
    ["Congestion"],
  ),
  v.forward(
    v.partialCheck(
      [["KeepAlive"], ["Timeout"]],
      (peer) => peer.KeepAlive === undefined || peer.Timeout === undefined || peer.Timeout > peer.KeepAlive,
      ({ input }) => `must be longer than KeepAlive, ${formatDuration(input.KeepAlive ?? 0)}`,
    ),
    ["Timeout"],
  ),
);

export type HostSection = v.InferOutput<typeof HostSchema>;
export type PeerSection = v.InferOutput<typeof PeerSchema>;
