/**
 * The link emulator, a process of its own: moves Ethernet frames between pairs of TAP interfaces in other namespaces
 * and applies a `LinkModel` to each direction in real time.
 *
 *   bun test/lab/emulator.ts '<JSON list of EmulatedCable>'
 *
 * It writes the line {"id":0} once the interfaces exist, then answers questions (see emulator-protocol.ts), and ends
 * with its standard input.
 */
import { POLL } from "../../ffi/layout.ts";
import { type Libc, pointerTo, systemLibc } from "../../ffi/libc.ts";
import type { Micros } from "../../src/clock.ts";
import { EmulatedDirection } from "./emulated-direction.ts";
import {
  decodeLine,
  type EmulatedCable,
  type EmulatorAnswer,
  type EmulatorCounters,
  type EmulatorQuestion,
} from "./emulator-protocol.ts";
import { FrameStore } from "./frame-store.ts";
import { openTap } from "./tap.ts";

const STDIN = 0;
/** Frames inside all cables together: 400 Mbit/s for over a second. */
const FRAMES = 49_152;
/** Frames taken from one TAP in one turn, so that a flood cannot keep the others waiting. */
const READ_LIMIT = 64;
const POLLFD_SIZE = 8;
const PR_SET_TIMERSLACK = 29;
/** Below this, waiting costs more than turning once more. */
const SHORTEST_SLEEP: Micros = 15;
/** Frames are moved at most this often, and so up to this much late; an idle cable does not feel it. */
const GRAIN: Micros = Number(process.env.NC_LAB_GRAIN ?? 100);
const LONGEST_SLEEP: Micros = 1_000_000;

class Emulator {
  readonly #libc: Libc = systemLibc();
  readonly #directions: EmulatedDirection[];
  readonly #pollfds: DataView;
  /** Seconds and nanoseconds, 64 bits each; the upper halves stay 0. */
  readonly #timespec = new Int32Array(new ArrayBuffer(16));
  readonly #input = new Uint8Array(new ArrayBuffer(65_536));
  #pending = "";
  #isDone = false;

  constructor(cables: readonly EmulatedCable[]) {
    const frames = new FrameStore(FRAMES);
    this.#directions = cables.flatMap(({ ends: [a, b], shapes, seed }) => {
      const fdA = openTap(a.namespace, a.interface);
      const fdB = openTap(b.namespace, b.interface);
      return [
        new EmulatedDirection(fdA, fdB, shapes[0], 2 * seed, this.#libc, frames),
        new EmulatedDirection(fdB, fdA, shapes[1], 2 * seed + 1, this.#libc, frames),
      ];
    });
    const descriptors = [STDIN, ...this.#directions.map((direction) => direction.from)];
    this.#pollfds = new DataView(new ArrayBuffer(descriptors.length * POLLFD_SIZE));
    descriptors.forEach((fd, i) => {
      this.#pollfds.setInt32(i * POLLFD_SIZE, fd, true);
      this.#pollfds.setInt16(i * POLLFD_SIZE + 4, POLL.IN, true);
    });
    // The default slack of 50 us would be added to every release.
    this.#libc.prctl?.(PR_SET_TIMERSLACK, 1, 0, 0, 0);
  }

  /** Moves frames until the standard input ends. */
  run(): void {
    this.#answer({ id: 0 });
    const pollfds = pointerTo(this.#pollfds);
    const timespec = pointerTo(this.#timespec);
    while (!this.#isDone) {
      const turn = microsNow();
      this.#setTimeout(this.#untilNext(turn));
      if (this.#libc.ppoll(pollfds, this.#directions.length + 1, timespec, 0) > 0) this.#readAll();
      const now = microsNow();
      for (const direction of this.#directions) {
        direction.model.advance(now, direction);
        direction.attack(now);
      }
      this.#rest(turn, timespec);
    }
  }

  #untilNext(now: Micros): Micros {
    let next = Number.POSITIVE_INFINITY;
    for (const direction of this.#directions) next = Math.min(next, direction.model.next(), direction.attacker.due);
    return Math.min(next - now, LONGEST_SLEEP);
  }

  /** Under load, waits until a grain has passed since `turn` began, so that frames are moved several at a time. */
  #rest(turn: Micros, timespec: number): void {
    const left = turn + GRAIN - microsNow();
    if (left < SHORTEST_SLEEP) return;
    this.#setTimeout(left);
    this.#libc.ppoll(0, 0, timespec, 0);
  }

  #setTimeout(wait: Micros): void {
    this.#timespec[2] = wait < SHORTEST_SLEEP ? 0 : Math.min(999_999_999, Math.ceil(wait * 1_000));
  }

  #readAll(): void {
    const now = microsNow();
    for (let i = 0; i < this.#directions.length; i++) {
      const direction = this.#directions[i] as EmulatedDirection;
      if (this.#isReady(i + 1)) direction.read(now, READ_LIMIT);
    }
    if (this.#isReady(0)) this.#readQuestions();
  }

  #isReady(index: number): boolean {
    return this.#pollfds.getInt16(index * POLLFD_SIZE + 6, true) !== 0;
  }

  #readQuestions(): void {
    const length = this.#libc.read(STDIN, pointerTo(this.#input), this.#input.length);
    if (length <= 0) {
      this.#isDone = true;
      return;
    }
    const lines = (this.#pending + new TextDecoder().decode(this.#input.subarray(0, length))).split("\n");
    this.#pending = lines.pop() ?? "";
    for (const line of lines) this.#handle(decodeLine<EmulatorQuestion>(line));
  }

  #handle(question: EmulatorQuestion): void {
    const { id } = question;
    if (question.op === "counters") {
      this.#answer({ id, counters: this.#counters() });
      return;
    }
    const direction = this.#directions[2 * question.cable + question.direction];
    if (!direction) {
      this.#answer({ id, error: `there is no cable ${question.cable}` });
      return;
    }
    const now = microsNow();
    if (question.op === "cut") direction.model.cut(now, direction);
    else if (question.op === "restore") direction.model.uncut(now, direction);
    else if (question.op === "attack") direction.attacker.start(now, question.perSecond, question.count);
    else if (question.op === "change") direction.model.change(now, withTraceFrom(now, question.shape), direction);
    this.#answer({ id });
  }

  #counters(): EmulatorCounters {
    const { user, system } = process.cpuUsage();
    const counters = this.#directions.map((direction) => direction.counters());
    return {
      cables: Array.from({ length: counters.length / 2 }, (_, i) => [at(counters, 2 * i), at(counters, 2 * i + 1)]),
      cpuMicros: user + system,
      ageMicros: microsNow(),
    };
  }

  #answer(answer: EmulatorAnswer): void {
    const bytes = new TextEncoder().encode(`${JSON.stringify(answer)}\n`);
    const stable = new Uint8Array(new ArrayBuffer(bytes.length));
    stable.set(bytes);
    for (let sent = 0; sent < stable.length; ) {
      const written = this.#libc.write(1, pointerTo(stable, sent), stable.length - sent);
      if (written < 0) {
        this.#isDone = true;
        return;
      }
      sent += written;
    }
  }
}

/** Microseconds since this process began. */
function microsNow(): Micros {
  return Bun.nanoseconds() / 1_000;
}

function withTraceFrom(now: Micros, shape: EmulatedCable["shapes"][0]): EmulatedCable["shapes"][0] {
  if (!shape.trace) return shape;
  return { ...shape, trace: shape.trace.map(([time, rate]) => [now + time, rate] as const) };
}

function at<T>(list: readonly T[], index: number): T {
  return list[index] as T;
}

if (import.meta.main) {
  const emulator = new Emulator(decodeLine<EmulatedCable[]>(process.argv[2] ?? "[]"));
  emulator.run();
  process.exit(0);
}
