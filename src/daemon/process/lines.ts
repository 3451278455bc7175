/** Reads lines of text from a descriptor. */

/** Gives the lines that come, until the other end closes; a last line without its end does not count. */
export async function* linesOf(fd: number): AsyncGenerator<string> {
  let pending = "";
  const decoder = new TextDecoder();
  for await (const chunk of Bun.file(fd).stream()) {
    const lines = (pending + decoder.decode(chunk, { stream: true })).split("\n");
    pending = lines.pop() ?? "";
    yield* lines;
  }
}
