/** The result of an exchange for one path: a key for each direction, and what makes their use unique. */
export interface PathKeys {
  /** 32 bytes each. */
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
  /** Receiver index in the datagrams sent, and in those received. */
  readonly sendIndex: number;
  readonly receiveIndex: number;
  /** The run of the peer, whose sequences are one space over all paths. */
  readonly peerRun: string;
}
