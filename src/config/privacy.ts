/** Lists the keys whose values may be shown to others, as in a bug report. All other values are hidden. */

/** Keys with numbers, choices and names that the user chose. */
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

/** Keys with addresses and host names, which are shown as placeholders. */
export const ADDRESS_KEYS: readonly string[] = [
  ...["Address", "Metrics", "ClientAddress", "PeerNetworks", "AllowedIPs", "Forward", "OpenNetworks"],
  ...["LocalHost", "RemoteHost", "PublicAddress"],
];
