import assert from "node:assert/strict";
import { test } from "node:test";

import { encodeFrame, Uplink } from "../../../web/src/uplink";

/** Sockets and timers that the test moves by hand. */
class World {
  sockets = [];
  timers = new Map();
  states = [];
  restarts = 0;
  clocks = 0;
  next = 1;

  constructor(source = {}) {
    this.uplink = new Uplink(
      { meeting: "m", track: 1025, codec: "webm", label: "Mic", speaker: "", ...source },
      {
        open: () => {
          const socket = { bufferedAmount: 0, sent: [], closed: undefined, send: (data) => socket.sent.push(data), close: (code) => (socket.closed = code ?? 0) };
          this.sockets.push(socket);
          return socket;
        },
        setTimeout: (action, delayMs) => {
          this.timers.set(this.next, { action, delayMs });
          return this.next++;
        },
        clearTimeout: (timer) => this.timers.delete(timer),
        random: () => 0.5,
        newClock: () => `clock-${++this.clocks}`,
      },
      { token: () => "", onState: (state) => this.states.push(state), onRestart: () => ++this.restarts },
    );
    this.uplink.begin();
  }
  get socket() {
    return this.sockets.at(-1);
  }
  get state() {
    return this.states.at(-1);
  }
  say(message) {
    this.socket.onmessage({ data: JSON.stringify(message) });
  }
  welcome(nextSeq = 0) {
    this.socket.onopen();
    this.say({ type: "welcome", tracks: [{ track: 1025, next_seq: nextSeq }] });
  }
  ack(nextSeq, durable) {
    this.say({ type: "ack", track: 1025, next_seq: nextSeq, durable });
  }
  /** Sequence numbers of the frames of the newest socket. */
  get seqs() {
    return this.socket.sent.filter((data) => typeof data !== "string").map((frame) => Number(new DataView(frame.buffer).getBigUint64(4)));
  }
  fire() {
    assert.equal(this.timers.size, 1);
    const [[timer, { action }]] = this.timers;
    this.timers.delete(timer);
    action();
  }
}

const bytes = (text) => new TextEncoder().encode(text);

// docs/PROTOCOL.md, "Uplink", the table of the binary frame.
test("a frame is big-endian: version, flags, track, seq, capture time, payload", () => {
  const frame = encodeFrame(0x0102, { seq: 0x0304, last: true, bytes: bytes("ab") });
  assert.deepEqual([...frame], [1, 1, 1, 2, 0, 0, 0, 0, 0, 0, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 97, 98]);
});

test("the hello names the stream; a name makes it one person's", () => {
  const world = new World({ speaker: "Ann" });
  world.socket.onopen();
  assert.deepEqual(JSON.parse(world.socket.sent[0]), {
    type: "hello", meeting: "m", clock: { id: "clock-1" },
    tracks: [{ track: 1025, codec: "webm", label: "Mic", speaker: "Ann" }],
  });
});

test("what is recorded before the welcome is sent after it", () => {
  const world = new World();
  world.uplink.add(bytes("a"));
  assert.deepEqual(world.seqs, []);
  world.welcome();
  world.uplink.add(bytes("b"));
  assert.deepEqual(world.seqs, [0, 1]);
  assert.equal(world.state.kind, "live");
});

test("pieces are at most 32 KiB", () => {
  const world = new World();
  world.welcome();
  world.uplink.add(new Uint8Array(70_000));
  assert.deepEqual(world.socket.sent.slice(1).map((frame) => frame.length - 20), [32_768, 32_768, 4_464]);
});

test("a reconnect sends again from where the server is, on the same clock", () => {
  const world = new World();
  world.welcome();
  for (const text of ["a", "b", "c", "d"]) world.uplink.add(bytes(text));
  world.ack(3, 1);
  world.socket.onclose({ code: 1006, reason: "" });
  assert.equal(world.state.kind, "waiting");
  world.uplink.add(bytes("e"));
  world.fire();
  world.welcome(2);
  assert.deepEqual(world.seqs, [2, 3, 4]);
  assert.equal(JSON.parse(world.socket.sent[0]).clock.id, "clock-1");
  assert.equal(world.restarts, 0);
});

test("a server that has lost what is no longer kept hears a new recording", () => {
  const world = new World();
  world.welcome();
  for (const text of ["a", "b"]) world.uplink.add(bytes(text));
  world.ack(2, 1);
  world.socket.onclose({ code: 1006, reason: "" });
  world.fire();
  world.welcome(0);
  assert.equal(world.restarts, 1);
  world.uplink.begin();
  world.uplink.add(bytes("new"));
  world.welcome(0);
  assert.deepEqual(world.seqs, [0]);
  assert.equal(JSON.parse(world.socket.sent[0]).clock.id, "clock-2");
});

test("a stream that the server cannot take up in its middle is recorded anew", () => {
  const world = new World();
  world.welcome();
  world.socket.onclose({ code: 4004, reason: "" });
  assert.equal(world.restarts, 0);
  world.fire();
  assert.equal(world.restarts, 1);
});

test("what is kept for an absent server is bounded", () => {
  const world = new World();
  for (let i = 0; i < 128; ++i) world.uplink.add(new Uint8Array(32_768));
  assert.equal(world.restarts, 0);
  world.uplink.add(new Uint8Array(1));
  assert.equal(world.restarts, 1);
});

test("a slow network holds pieces back", () => {
  const world = new World();
  world.welcome();
  world.socket.bufferedAmount = 1 << 20;
  world.uplink.add(bytes("a"));
  assert.deepEqual(world.seqs, []);
  world.socket.bufferedAmount = 0;
  world.ack(0, 0);
  assert.deepEqual(world.seqs, [0]);
});

test("finishing says so and waits for the server to have it all", () => {
  const world = new World();
  world.welcome();
  world.uplink.add(bytes("a"));
  world.uplink.finish();
  assert.equal(world.socket.sent.at(-1)[1], 1);
  assert.equal(world.state.kind, "live");
  world.ack(2, 2);
  assert.deepEqual(world.state, { kind: "stopped", reason: "" });
  assert.equal(world.sockets[0].closed, 1000);
});

test("the server's reason is told when it wants no more", () => {
  const world = new World();
  world.welcome();
  world.say({ type: "error", code: "conflict", close: 4506, message: "the meeting has ended" });
  world.socket.onclose({ code: 4506, reason: "" });
  assert.deepEqual(world.state, { kind: "stopped", reason: "the meeting has ended" });
  assert.equal(world.timers.size, 0);
});

test("a token is asked for, and then it connects again", () => {
  const world = new World();
  world.socket.onopen();
  world.socket.onclose({ code: 4500, reason: "" });
  assert.equal(world.state.kind, "token");
  world.uplink.connect();
  assert.equal(world.sockets.length, 2);
});
