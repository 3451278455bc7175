/** Which values of a configuration may be shown to others; those of keys that are not named here may not. */

/** Numbers, choices and names that the user made up. */
export const PLAIN_KEYS: readonly string[] = [
  ...[
    "Security",
    "Scheduling",
    "MTU",
    "LogLevel",
    "Role",
    "Table",
    "FwMark",
    "LanInterface",
    "Masquerade",
    "KeepPorts",
  ],
  ...["Name", "Method", "LocalInterface", "LocalPort", "RemotePort", "Protocol", "Metric", "Congestion", "Metered"],
  ...["LimitOut", "LimitIn", "KeepAlive", "Timeout", "RetryWait"],
];

/** Addresses and names of hosts, to be shown with stand-ins. */
export const ADDRESS_KEYS: readonly string[] = [
  ...["Address", "Metrics", "ClientAddress", "PeerNetworks", "Forward"],
  ...["LocalHost", "RemoteHost", "PublicAddress"],
];
