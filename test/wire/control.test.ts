import { describe, expect, test } from "bun:test";
import { ABANDON_SIZE, abandonCount, writeAbandon } from "../../src/wire/abandon.ts";
import { CHALLENGE_SIZE, challengeToken, isChallengeAnswer, writeChallenge } from "../../src/wire/challenge.ts";
import { CLOSE_REASON, CLOSE_SIZE, closeReason, writeClose } from "../../src/wire/close.ts";
import { bucketOf, sequenceOf } from "../../src/wire/data.ts";
import { HOLD_SIZE, holdTime, writeHold } from "../../src/wire/hold.ts";
import { MESSAGE, messageAt } from "../../src/wire/message-types.ts";
import { PROBE_SIZE, writePadding, writeProbe } from "../../src/wire/probe.ts";
import { isRekeyAnswer, REKEY_SIZE, rekeyEpoch, rekeySize, writeRekey } from "../../src/wire/rekey.ts";

/** Bytes that no message writes, so that a test sees what it wrote. */
const UNTOUCHED = 0xee;

/** Lets `write` write at offset 1; expects the known bytes, nothing beyond them, and the offset behind them. */
function expectBytes(known: string, write: (view: DataView, bytes: Uint8Array, at: number) => number): DataView {
  const bytes = new Uint8Array(known.length / 2 + 2).fill(UNTOUCHED);
  const view = new DataView(bytes.buffer);
  const end = write(view, bytes, 1);
  expect([bytes.toHex(), end]).toEqual([`ee${known}ee`, bytes.length - 1]);
  return view;
}

describe("PROBE and PAD", () => {
  test("are a byte, and zeros to the end", () => {
    const view = expectBytes("30", writeProbeAt);
    expect([messageAt(view, 1), PROBE_SIZE]).toEqual([MESSAGE.PROBE, 1]);
    const padding = expectBytes("000000", (_view, bytes, at) => writePadding(bytes, at, 3));
    expect(messageAt(padding, 1)).toBe(MESSAGE.PAD);
  });
});

function writeProbeAt(view: DataView, _bytes: Uint8Array, at: number): number {
  return writeProbe(view, at);
}

describe("CLOSE", () => {
  test.each([
    [CLOSE_REASON.SHUTDOWN, "4001"],
    [CLOSE_REASON.REMOVED, "4002"],
  ])("writes reason %p as known and reads it back", (reason, known) => {
    const view = expectBytes(known, (each, _bytes, at) => writeClose(each, at, reason));
    expect([messageAt(view, 1), closeReason(view, 1), CLOSE_SIZE]).toEqual([MESSAGE.CLOSE, reason, 2]);
  });
});

describe("HOLD", () => {
  test.each([
    [0, "500000", 0],
    [1, "500001", 64],
    [64, "500001", 64],
    [500_000, "501e85", 500_000],
    [1e9, "50ffff", 500_000],
  ])("writes %p µs rounded up to the unit, and reads no more than the longest back", (time, known, read) => {
    const view = expectBytes(known, (each, _bytes, at) => writeHold(each, at, time));
    expect([messageAt(view, 1), holdTime(view, 1), HOLD_SIZE]).toEqual([MESSAGE.HOLD, read, 3]);
  });
});

describe("ABANDON", () => {
  test("writes the known bytes and reads them back", () => {
    const view = expectBytes("600abc12345607", (each, _bytes, at) => writeAbandon(each, at, 0x0abc, 0x123456, 7));
    expect([messageAt(view, 1), ABANDON_SIZE]).toEqual([MESSAGE.ABANDON, 7]);
    expect([bucketOf(view, 1), sequenceOf(view, 1), abandonCount(view, 1)]).toEqual([0x0abc, 0x123456, 7]);
  });
});

describe("CHALLENGE", () => {
  const token = Uint8Array.fromHex("0102030405060708");

  test.each([
    [false, "b00102030405060708"],
    [true, "b10102030405060708"],
  ])("writes the known bytes and reads them back (answer: %p)", (isAnswer, known) => {
    const view = expectBytes(known, (each, bytes, at) => writeChallenge(each, bytes, at, token, isAnswer));
    expect([messageAt(view, 1), isChallengeAnswer(view, 1), CHALLENGE_SIZE]).toEqual([MESSAGE.CHALLENGE, isAnswer, 9]);
    expect(challengeToken(new Uint8Array(view.buffer), 1)).toEqual(token);
  });
});

describe("REKEY", () => {
  const message = Uint8Array.fromHex("c0ffee");

  test.each([
    [false, "800102030403c0ffee"],
    [true, "880102030403c0ffee"],
  ])("writes the known bytes and reads them back (answer: %p)", (isAnswer, known) => {
    const view = expectBytes(known, (each, bytes, at) => writeRekey(each, bytes, at, isAnswer, 0x01020304, message));
    expect([messageAt(view, 1), isRekeyAnswer(view, 1), rekeyEpoch(view, 1)]).toEqual([
      MESSAGE.REKEY,
      isAnswer,
      0x01020304,
    ]);
    expect(rekeySize(view, 1, view.byteLength)).toBe(REKEY_SIZE + message.length);
  });

  test("has no size where it is cut short, at every length", () => {
    const bytes = Uint8Array.fromHex("800102030403c0ffee");
    for (let end = 1; end < bytes.length; end++) expect(rekeySize(new DataView(bytes.buffer), 0, end)).toBe(-1);
  });
});
