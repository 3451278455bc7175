// @hot
/**
 * The nonce of a datagram: receiver index (32 bits) and packet number (64 bits). Keys belong to one path, one direction and one
 * exchange, and packet numbers of a path only grow, across exchanges too: none comes twice under a key.
 *
 *     0                4                              12
 *     | receiver index | packet number                |
 */
const HIGH = 0x1_0000_0000;

export class Nonce {
  readonly bytes = new Uint8Array(new ArrayBuffer(12));
  readonly #view = new DataView(this.bytes.buffer);

  /** @param index by which the receiver of these datagrams knows the path */
  constructor(index: number) {
    this.#view.setUint32(0, index);
  }

  set(packetNumber: number): void {
    this.#view.setUint32(4, Math.floor(packetNumber / HIGH));
    this.#view.setUint32(8, packetNumber >>> 0);
  }
}
