/** Text streams of child processes, a line at a time. */

/** Calls `take` for each full line; @returns when the stream ends */
export async function readLines(stream: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let pending = "";
  for await (const chunk of stream) {
    const lines = (pending + decoder.decode(chunk, { stream: true })).split("\n");
    pending = lines.pop() ?? "";
    for (const line of lines) take(line);
  }
  if (pending !== "") take(pending);
}
