import assert from "node:assert/strict";
import { test } from "node:test";

import { afterClose, Backoff } from "../../../web/src/backoff";
import { Connection } from "../../../web/src/connection";

/** Sockets and timers that the test moves by hand. */
class World {
  sockets = [];
  timers = new Map();
  states = [];
  captions = [];
  takesCaptions = true;
  known = undefined;
  token = "";
  anew = 0;
  next = 1;

  constructor() {
    this.connection = new Connection(
      "m",
      {
        open: () => {
          const socket = { sent: [], closed: false, send: (text) => socket.sent.push(JSON.parse(text)), close: () => (socket.closed = true) };
          this.sockets.push(socket);
          return socket;
        },
        setTimeout: (action, delayMs) => {
          this.timers.set(this.next, { action, delayMs });
          return this.next++;
        },
        clearTimeout: (timer) => this.timers.delete(timer),
        random: () => 0.5,
      },
      {
        position: () => this.known,
        token: () => this.token,
        onState: (state) => this.states.push(state),
        onPosition: () => undefined,
        onCaption: (message) => (this.captions.push(message), this.takesCaptions),
        onStatus: () => undefined,
        onLevels: () => undefined,
        onStartAnew: () => ++this.anew,
      },
    );
    this.connection.connect();
  }
  get socket() {
    return this.sockets.at(-1);
  }
  say(message, socket = this.socket) {
    socket.onmessage({ data: typeof message === "string" ? message : JSON.stringify(message) });
  }
  goLive() {
    this.socket.onopen();
    this.say({ type: "position", topic: "", epoch: "e", offset: 0, recovered: true });
  }
  /** Fires the only timer there may be. */
  fire() {
    assert.equal(this.timers.size, 1);
    const [[timer, { action, delayMs }]] = this.timers;
    this.timers.delete(timer);
    action();
    return delayMs;
  }
}

test("the first message subscribes to the meeting's topics from the known position", () => {
  const world = new World();
  world.known = { epoch: "e", offset: 7 };
  world.token = "qyl_x";
  world.socket.onopen();
  assert.deepEqual(world.socket.sent, [
    { type: "subscribe", topics: ["meeting/m/captions", "meeting/m/status", "meeting/m/levels"], from: { epoch: "e", offset: 7 }, token: "qyl_x" },
  ]);
});

test("neither position nor token is sent when there is none", () => {
  const world = new World();
  world.socket.onopen();
  assert.deepEqual(Object.keys(world.socket.sent[0]), ["type", "topics"]);
});

test("a lost connection is made again after half of 250 ms, then of 500", () => {
  const world = new World();
  world.socket.onclose({ code: 1006, reason: "" });
  assert.equal(world.fire(), 125);
  world.socket.onclose({ code: 1006, reason: "" });
  assert.equal(world.fire(), 250);
  assert.equal(world.sockets.length, 3);
});

test("a position resets the back-off", () => {
  const world = new World();
  for (let i = 0; i < 6; ++i) {
    world.socket.onclose({ code: 1006, reason: "" });
    world.fire();
  }
  world.goLive();
  world.socket.onclose({ code: 1006, reason: "" });
  assert.equal(world.fire(), 125);
});

test("retry_after_ms is waited for", () => {
  const world = new World();
  world.goLive();
  world.say({ type: "error", code: "unavailable", close: 4000, message: "draining", retry_after_ms: 7000 });
  world.socket.onclose({ code: 4000, reason: "" });
  assert.equal(world.fire(), 7000);
});

test("a final close code stops with the server's words", () => {
  const world = new World();
  world.goLive();
  world.say({ type: "error", code: "not_found", close: 4507, message: "there is no such meeting" });
  world.socket.onclose({ code: 4507, reason: "" });
  assert.deepEqual(world.states.at(-1), { kind: "stopped", reason: "there is no such meeting" });
  assert.equal(world.timers.size, 0);
});

test("4500 asks for a token and does not try again by itself", () => {
  const world = new World();
  world.socket.onopen();
  world.socket.onclose({ code: 4500, reason: "" });
  assert.deepEqual(world.states.at(-1), { kind: "token" });
  assert.equal(world.timers.size, 0);
});

test("4004 forgets the position and reconnects", () => {
  const world = new World();
  world.goLive();
  world.socket.onclose({ code: 4004, reason: "" });
  assert.equal(world.anew, 1);
  assert.equal(world.timers.size, 1);
});

test("a connection that never opened is said, for HTTP may know why", () => {
  const world = new World();
  world.socket.onclose({ code: 1006, reason: "" });
  assert.deepEqual(world.states.map((state) => state.kind), ["connecting", "refused", "waiting"]);
});

test("a missing final drops the socket and ignores what still comes from it", () => {
  const world = new World();
  world.goLive();
  const old = world.socket;
  world.takesCaptions = false;
  world.say({ type: "caption", final: true, offset: 3 });
  assert.equal(old.closed, true);
  world.say({ type: "caption", final: true, offset: 4 }, old);
  old.onclose({ code: 1000, reason: "" });
  assert.equal(world.captions.length, 1);
  world.fire();
  assert.equal(world.sockets.length, 2);
});

test("silence is asked about after 15 s and ends the connection 10 s later", () => {
  const world = new World();
  world.goLive();
  assert.equal(world.fire(), 15_000);
  assert.deepEqual(world.socket.sent.at(-1), { type: "ping" });
  const silent = world.socket;
  assert.equal(world.fire(), 10_000);
  assert.equal(silent.closed, true);
  assert.equal(world.states.at(-1).kind, "waiting");
});

test("a pong keeps the connection", () => {
  const world = new World();
  world.goLive();
  world.fire();
  world.say({ type: "pong" });
  assert.equal(world.fire(), 15_000);
  assert.equal(world.socket.closed, false);
});

test("a broken message drops the connection", () => {
  for (const broken of ["{", "null", "[]", "{}"]) {
    const world = new World();
    world.goLive();
    world.say(broken);
    assert.equal(world.socket.closed, true, broken);
  }
});

test("connecting while a socket is there does nothing", () => {
  const world = new World();
  world.connection.connect();
  assert.equal(world.sockets.length, 1);
});

test("the back-off stays between nothing and 15 s for ever", () => {
  const longest = new Backoff(() => 0.999999);
  const delays = Array.from({ length: 100 }, () => longest.nextDelayMs());
  assert.deepEqual(delays.slice(0, 8), [250, 500, 1000, 2000, 4000, 8000, 15_000, 15_000]);
  assert.equal(delays.at(-1), 15_000);
  assert.equal(new Backoff(() => 0).nextDelayMs(), 0);
});

test("close codes mean what the protocol says", () => {
  assert.equal(afterClose(1000), "reconnect");
  assert.equal(afterClose(1006), "reconnect");
  assert.equal(afterClose(4001), "reconnect");
  assert.equal(afterClose(4499), "reconnect");
  assert.equal(afterClose(4004), "start anew");
  assert.equal(afterClose(4500), "ask for token");
  assert.equal(afterClose(4507), "stop");
  assert.equal(afterClose(4999), "stop");
});
