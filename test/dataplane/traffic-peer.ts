/**
 * One end of a transfer, run as a process inside a namespace. TCP: `listen HOST PORT` prints "ready", then length and
 * digest of what one connection sent; `send HOST PORT BYTES` sends pseudo-random bytes and prints their digest.
 * UDP: `udp-listen` and `udp-send` with a number of datagrams print the digest of all of them in order.
 */
import { createHash } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, createServer } from "node:net";

const [role = "", host = "", port = "", amount = "0"] = process.argv.slice(2);
const hash = createHash("sha256");
let length = 0;

function note(chunk: Uint8Array): void {
  length += chunk.length;
  hash.update(chunk);
}

function print(): void {
  process.stdout.write(`${length} ${hash.digest("hex")}\n`);
}

function pseudoRandom(bytes: number, seed: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let state = seed;
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    out[i] = state >>> 16;
  }
  return out;
}

const roles: Record<string, () => void> = {
  listen: () => {
    const server = createServer((socket) => {
      socket.on("data", note);
      socket.on("end", () => {
        print();
        socket.end();
        server.close();
      });
    });
    server.listen(Number(port), host, () => process.stdout.write("ready\n"));
  },
  send: () => {
    const content = pseudoRandom(Number(amount), 12345);
    note(content);
    print();
    const socket = connect(Number(port), host, () => socket.end(content));
    socket.resume();
  },
  "udp-listen": () => {
    const socket = createSocket("udp4");
    let left = Number(amount);
    socket.on("message", (message) => {
      note(message);
      if (--left > 0) return;
      print();
      socket.close();
    });
    socket.bind(Number(port), host, () => process.stdout.write("ready\n"));
  },
  "udp-send": () => {
    const socket = createSocket("udp4");
    const send = (left: number): void => {
      if (left === 0) {
        print();
        socket.close();
        return;
      }
      const datagram = pseudoRandom(1000, left);
      note(datagram);
      socket.send(datagram, Number(port), host, () => send(left - 1));
    };
    send(Number(amount));
  },
};

roles[role]?.();
