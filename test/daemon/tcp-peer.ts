/**
 * One end of a TCP transfer, run as a process inside a namespace: `listen HOST PORT` prints "ready", then length and
 * digest of what one connection sent; `send HOST PORT BYTES` sends pseudo-random bytes and prints their digest.
 */
import { createHash } from "node:crypto";
import { connect, createServer } from "node:net";

const [role, host, port, bytes] = process.argv.slice(2);

if (role === "listen") {
  const server = createServer((socket) => {
    const hash = createHash("sha256");
    let length = 0;
    socket.on("data", (chunk) => {
      length += chunk.length;
      hash.update(chunk);
    });
    socket.on("end", () => {
      process.stdout.write(`${length} ${hash.digest("hex")}\n`);
      socket.end();
      server.close();
    });
  });
  server.listen(Number(port), host, () => process.stdout.write("ready\n"));
} else {
  const content = new Uint8Array(Number(bytes));
  let state = 12345;
  for (let i = 0; i < content.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    content[i] = state >>> 16;
  }
  process.stdout.write(`${content.length} ${createHash("sha256").update(content).digest("hex")}\n`);
  const socket = connect(Number(port), host, () => socket.end(content));
  socket.resume();
}
