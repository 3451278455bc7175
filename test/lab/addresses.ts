/** The address plan of the lab: documentation and private ranges, the same in every topology. */

export type Family = 4 | 6;

interface Plan {
  /** The one public address of the remote portal, and its router's. */
  readonly remote: string;
  readonly remoteRouter: string;
  readonly server: string;
  readonly serverRouter: string;
  /** The client's own address, routed through the tunnel, and the local portal's on the same network. */
  readonly client: string;
  readonly clientRouter: string;
  readonly clientNetwork: string;
  /** Inner addresses of the portals, as in section 3.3 of the dissertation. */
  readonly innerLocal: string;
  readonly innerRemote: string;
  /** Bits of a network that several hosts share, and of one address. */
  readonly networkBits: number;
  readonly hostBits: number;
  /** Returns the local portal's address on link `i`, and its router's. */
  wan(i: number): string;
  wanRouter(i: number): string;
  /** Returns an address of the client whose traffic goes through link `i` alone, without the tunnel. */
  direct(i: number): string;
}

export const PLAN: Readonly<Record<Family, Plan>> = {
  4: {
    remote: "198.18.0.2",
    remoteRouter: "198.18.0.1",
    server: "198.18.1.2",
    serverRouter: "198.18.1.1",
    client: "192.168.50.2",
    clientRouter: "192.168.50.1",
    clientNetwork: "192.168.50.0/24",
    innerLocal: "172.19.152.3",
    innerRemote: "172.19.152.2",
    networkBits: 24,
    hostBits: 32,
    wan: (i) => `10.77.${i}.2`,
    wanRouter: (i) => `10.77.${i}.1`,
    direct: (i) => `192.168.${60 + i}.2`,
  },
  6: {
    remote: "fd18::2",
    remoteRouter: "fd18::1",
    server: "fd19::2",
    serverRouter: "fd19::1",
    client: "fd50::2",
    clientRouter: "fd50::1",
    clientNetwork: "fd50::/64",
    innerLocal: "fd47::3",
    innerRemote: "fd47::2",
    networkBits: 64,
    hostBits: 128,
    wan: (i) => `fd77:0:0:${i}::2`,
    wanRouter: (i) => `fd77:0:0:${i}::1`,
    direct: (i) => `fd60:0:0:${i}::2`,
  },
};

/** On a subnet that all links share, the local portal's links are neighbours and have one router. */
export const SHARED_SUBNET = {
  wan: (i: number) => `10.77.0.${2 + i}`,
  router: "10.77.0.1",
} as const;

export const FAMILIES: readonly Family[] = [4, 6];
