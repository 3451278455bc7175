/** New keys for a path: of all questions and answers that are not the genuine ones, none is taken. */
import { type Agreement, isRefused, type Session } from "../../src/exchange/exchange.ts";
import { NoiseExchange } from "../../src/exchange/noise-exchange.ts";
import { createOffer } from "../../src/security/offer.ts";
import { KeyPair } from "../../src/security/x25519.ts";
import { counting } from "../support/bytes.ts";
import { SeededRandom } from "../support/random.ts";
import { mutate } from "./mutate.ts";
import { check, type Target } from "./target.ts";

const INTRODUCTION = { index: 77, link: 2, metric: 3, name: "lte", addresses: undefined };
const [A, B] = [1, 2].map((n) => new KeyPair(counting(32, 10 * n))) as [KeyPair, KeyPair];
const EPOCH = 3;

function exchangeOf(keyPair: KeyPair, peer: KeyPair, seed: number): NoiseExchange {
  const identity = { sharedKey: counting(32, 5), keyPair, peerKey: peer.publicKey };
  return new NoiseExchange(createOffer("auto"), identity, counting(8, seed), new SeededRandom(seed).bytes);
}

function sessions(): [Session, Session] {
  const initiation = exchangeOf(A, B, 1).initiate(0, INTRODUCTION);
  const question = exchangeOf(B, A, 2).read(initiation.message);
  if (isRefused(question)) throw new Error("a genuine initiation was refused");
  const { message, agreement } = question.respond(INTRODUCTION);
  return [initiation.complete(message) as Agreement, agreement as Agreement].map(({ session }) => session) as [
    Session,
    Session,
  ];
}

const [ASKING, ANSWERING] = sessions();
const REKEY = ASKING.renew(EPOCH);
const GENUINE = [REKEY.message, ANSWERING.answer(EPOCH, REKEY.message)?.message ?? new Uint8Array(0)];

export const REKEY_TARGET: Target = {
  draw: (random) => mutate(random, GENUINE, 300),
  start: () => (random, input) => {
    const [question, answer] = GENUINE as [Uint8Array, Uint8Array];
    const epoch = random.chance(0.8) ? EPOCH : random.uint32();
    const isQuestion = epoch === EPOCH && Bun.deepEquals(input, question);
    check((ANSWERING.answer(epoch, input) !== undefined) === isQuestion, "answers what was not asked");
    check((REKEY.complete(input) !== undefined) === Bun.deepEquals(input, answer), "takes what is no answer");
  },
};
