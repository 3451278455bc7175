import { beforeEach, describe, expect, test } from "bun:test";
import { createEndpoint, type Endpoint, parseEndpoint } from "../../src/endpoint.ts";
import { type Place, Roaming } from "../../src/path/roaming.ts";
import { CHALLENGE_TOKEN } from "../../src/wire/challenge.ts";
import { counting } from "../support/bytes.ts";

const HOME = parseEndpoint("192.0.2.1", 4000) as Endpoint;
const MOVED = parseEndpoint("192.0.2.1", 5000) as Endpoint;
const STRANGER = parseEndpoint("198.51.100.7", 9) as Endpoint;
const LOCAL = createEndpoint();
const ROUND_RTT = 100_000;
const TOKEN = counting(CHALLENGE_TOKEN, 7);

let place: Place;
let roaming: Roaming;

beforeEach(() => {
  place = { remote: HOME.slice(), local: LOCAL.slice(), socket: 3 };
  roaming = new Roaming(place);
});

function move(to: Endpoint, bytes = 50, now = 0, socket = 4): boolean {
  const asks = roaming.onNewAddress(now, socket, to, LOCAL, bytes);
  if (asks) roaming.token.set(TOKEN);
  return asks;
}

describe("a path whose peer has a new address", () => {
  test("allows anything before", () => {
    expect([roaming.allows(1e9), roaming.isProving, roaming.deadline()]).toEqual([
      true,
      false,
      Number.POSITIVE_INFINITY,
    ]);
    expect(roaming.takeChallenge(0, ROUND_RTT)).toBe(false);
  });

  test("goes there at once, with three times what came from there and no more", () => {
    expect(move(MOVED)).toBe(true);
    expect([place.remote, place.socket]).toEqual([MOVED, 4]);
    expect([roaming.allows(150), roaming.allows(151)]).toEqual([true, false]);
    roaming.onSent(100);
    expect([roaming.allows(50), roaming.allows(51)]).toEqual([true, false]);
    roaming.onReceived(10);
    expect([roaming.allows(80), roaming.allows(81)]).toEqual([true, false]);
  });

  test("is free once the challenge is answered", () => {
    move(MOVED);
    expect(roaming.takeChallenge(0, ROUND_RTT)).toBe(true);
    expect(roaming.takeChallenge(1, ROUND_RTT)).toBe(false);
    expect(roaming.onAnswer(TOKEN.with(7, 0))).toBe(false);
    expect(roaming.allows(1_000)).toBe(false);
    expect(roaming.onAnswer(TOKEN)).toBe(true);
    expect([roaming.allows(1e9), place.remote]).toEqual([true, MOVED]);
    expect(roaming.onAnswer(TOKEN)).toBe(false);
  });

  test("returns to the former address as soon as that is heard from", () => {
    move(STRANGER);
    expect(move(HOME, 50, 1_000, 3)).toBe(false);
    expect([place.remote, place.socket]).toEqual([HOME, 3]);
    expect(roaming.allows(1e9)).toBe(true);
    expect(roaming.onAnswer(TOKEN)).toBe(false);
  });

  test("asks again, ever more patiently, and returns if nobody answers", () => {
    move(STRANGER);
    const times: number[] = [];
    for (let guard = 0; roaming.isProving && guard < 100; guard++) {
      const now = roaming.deadline();
      if (roaming.takeChallenge(now, ROUND_RTT)) times.push(now);
    }
    expect(times).toEqual([0, 150_000, 450_000, 1_050_000]);
    expect([place.remote, place.socket]).toEqual([HOME, 3]);
    move(STRANGER);
    for (let now = 0; roaming.isProving; now = roaming.deadline()) {
      expect(now).toBeLessThanOrEqual(4_000_000);
      roaming.takeChallenge(now, 100 * ROUND_RTT);
    }
  });

  test("that changes again meanwhile still knows the proven one, and starts its account anew", () => {
    move(MOVED, 50);
    roaming.onSent(150);
    move(STRANGER, 20, 10);
    expect([roaming.allows(60), roaming.allows(61)]).toEqual([true, false]);
    move(HOME, 50, 20, 3);
    expect([place.remote, place.socket, roaming.isProving]).toEqual([HOME, 3, false]);
  });
});
