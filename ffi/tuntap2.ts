/**
 * The interface of the npm package tuntap2 (0.9, https://github.com/PupilTong/node-tuntap2) on top of this folder, for
 * programs written against it: `Tun` and `Tap` are Duplex streams, one packet or frame a chunk. It is for convenience;
 * the tunnel itself uses `tun.ts`. Needs Linux: the package knows no other system either.
 *
 *     const tun = new Tun();
 *     tun.mtu = 1400;
 *     tun.ipv4 = "10.0.0.100/24";
 *     tun.on("data", (packet) => ...);
 *     tun.isUp = true;
 *     tun.release();
 */
import { closeSync, read, write } from "node:fs";
import { networkInterfaces } from "node:os";
import { Duplex } from "node:stream";
import { parseEndpoint } from "../src/endpoint.ts";
import { EXIT, NetcombinerError } from "../src/errors.ts";
import { interfaceMtu, isInterfaceUp } from "./interfaces.ts";
import { layout } from "./layout.ts";
import { systemLibc } from "./libc.ts";
import { LINUX } from "./linux/constants.ts";
import { addAddress, changeLink, deleteLink, removeAddress } from "./linux/netlink.ts";
import { openLinuxTap, openLinuxTun } from "./linux/tun.ts";

type Mode = "tun" | "tap";

/** Largest packet or frame. */
const CHUNK = 65_536 + 64;

class TunTap extends Duplex {
  readonly #mode: Mode;
  readonly #fd: number;
  readonly #name: string;
  /** The addresses set last, which the next replace: a device has one address of each family here. */
  readonly #addresses = new Map<4 | 6, string>();
  #isReading = false;
  #isReleased = false;
  /** Reads and writes in the thread pool; the descriptor must stay theirs until the last is back. */
  #pending = 0;

  constructor(mode: Mode) {
    super({ allowHalfOpen: true, decodeStrings: true });
    if (layout.name !== "linux") throw new NetcombinerError(`${mode} devices here need Linux`, EXIT.UNAVAILABLE);
    const libc = systemLibc();
    const opened = mode === "tun" ? openLinuxTun(libc, "", "none") : openLinuxTap(libc, "");
    // Reads wait in the thread pool, as in the package; non-blocking ones would have to be polled.
    libc.fcntl(opened.fd, LINUX.F_SETFL, LINUX.O_RDWR);
    this.#mode = mode;
    this.#fd = opened.fd;
    this.#name = opened.name;
  }

  get name(): string {
    return this.#name;
  }

  get isTun(): boolean {
    return this.#mode === "tun";
  }

  get isTap(): boolean {
    return this.#mode === "tap";
  }

  get isUp(): boolean {
    return isInterfaceUp(this.#name);
  }

  set isUp(up: boolean) {
    changeLink(systemLibc(), this.#name, { isUp: up });
  }

  /** Sets `isUp` to true. */
  up(): void {
    this.isUp = true;
  }

  down(): void {
    this.isUp = false;
  }

  /** Bytes. */
  get mtu(): number {
    return interfaceMtu(this.#name);
  }

  set mtu(bytes: number) {
    changeLink(systemLibc(), this.#name, { mtu: bytes });
  }

  /** "00:11:22:33:44:55"; a TUN device has none to set. Only told of an interface that is up and has an address. */
  get mac(): string {
    return networkInterfaces()[this.#name]?.[0]?.mac ?? "00:00:00:00:00:00";
  }

  set mac(text: string) {
    if (this.isTun) throw new NetcombinerError("the mac of a Tun cannot be set", EXIT.USAGE);
    if (!/^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i.test(text)) throw new NetcombinerError(`incorrect mac: ${text}`, EXIT.USAGE);
    const mac = Uint8Array.from(text.split(":"), (byte) => Number.parseInt(byte, 16));
    changeLink(systemLibc(), this.#name, { mac });
  }

  /** "10.0.0.100/24", empty while there is none. */
  get ipv4(): string {
    return this.#addresses.get(4) ?? "";
  }

  set ipv4(text: string) {
    this.#setAddress(4, text);
  }

  /** "abcd:1:2:3::1/64", empty while there is none. */
  get ipv6(): string {
    return this.#addresses.get(6) ?? "";
  }

  set ipv6(text: string) {
    this.#setAddress(6, text);
  }

  /** Closes the device, and with it the interface. */
  release(done?: (error?: Error | null) => void): void {
    if (done) this.once("close", () => done());
    this.destroy();
  }

  override _read(): void {
    if (this.#isReading || this.#isReleased) return;
    this.#isReading = true;
    this.#pending++;
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    read(this.#fd, chunk, 0, CHUNK, null, (error, length) => {
      this.#isReading = false;
      if (this.#settle()) return;
      if (error) this.#retry(error);
      else this.push(Buffer.from(chunk.subarray(0, length)));
    });
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    this.#pending++;
    write(this.#fd, chunk, 0, chunk.length, null, (error) => {
      this.#settle();
      done(error);
    });
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#isReleased = true;
    try {
      // A read that waits in the thread pool comes back only when its interface is gone.
      deleteLink(systemLibc(), this.#name);
    } catch {
      // Somebody deleted it before.
    }
    if (this.#pending === 0) closeSync(this.#fd);
    done(error);
  }

  #retry(error: NodeJS.ErrnoException): void {
    if (error.code === "EINTR" || error.code === "EAGAIN") this._read();
    else this.destroy(error);
  }

  /**
   * Counts an operation that is back.
   * @returns whether the device has been released
   */
  #settle(): boolean {
    this.#pending--;
    if (this.#isReleased && this.#pending === 0) closeSync(this.#fd);
    return this.#isReleased;
  }

  #setAddress(family: 4 | 6, text: string): void {
    const [host = "", length = "", ...rest] = text.split("/");
    const address = parseEndpoint(host);
    const prefix = Number(length);
    const isFamily = address !== undefined && address[0] === family;
    if (!isFamily || rest.length > 0 || !/^\d+$/.test(length) || prefix > (family === 4 ? 32 : 128)) {
      throw new NetcombinerError(`incorrect IPv${family} address: ${text}`, EXIT.USAGE);
    }
    const [oldHost = "", oldPrefix] = (this.#addresses.get(family) ?? "").split("/");
    const old = parseEndpoint(oldHost);
    if (old) removeAddress(systemLibc(), this.#name, old, Number(oldPrefix));
    addAddress(systemLibc(), this.#name, address, prefix);
    this.#addresses.set(family, text);
  }
}

/** A new TUN interface with a name of the kernel's choice; chunks are IP packets. */
export class Tun extends TunTap {
  constructor() {
    super("tun");
  }
}

/** A new TAP interface with a name of the kernel's choice; chunks are Ethernet frames. */
export class Tap extends TunTap {
  constructor() {
    super("tap");
  }
}
