// Raw qylon.v1 uplinks: right ones, and wrong ones on purpose.

import { randomUUID } from "node:crypto";
import WebSocket from "ws";

export function hello(meeting, changes = {}) {
  const { track: trackChanges = {}, ...rest } = changes;
  return {
    type: "hello",
    meeting,
    clock: { id: randomUUID() },
    tracks: [{ track: 0, codec: "pcm_s16le", sample_rate_hz: 16000, channels: 1, ...trackChanges }],
    ...rest,
  };
}

/** One binary frame of docs/PROTOCOL.md, all integers big-endian. */
export function frame({ version = 1, flags = 0, track = 0, seq = 0, captureUs = 0, payload = Buffer.alloc(640) } = {}) {
  const header = Buffer.alloc(20);
  header.writeUInt8(version, 0);
  header.writeUInt8(flags, 1);
  header.writeUInt16BE(track, 2);
  header.writeBigUInt64BE(BigInt(seq), 4);
  header.writeBigUInt64BE(BigInt(captureUs), 12);
  return Buffer.concat([header, payload]);
}

export class UplinkSocket {
  /** With the server's token; nothing is awaited, for a refusal is an answer too. */
  constructor(server, { path = "/v1/uplink", protocols = ["qylon.v1"], headers = {} } = {}) {
    this.messages = [];
    this.waiting = [];
    this.socket = new WebSocket(server.url.replace("http", "ws") + path, protocols, {
      headers: { ...server.authorization, ...headers },
      perMessageDeflate: false,
      skipUTF8Validation: true,
    });
    this.refused = new Promise((resolve) =>
      this.socket.on("unexpected-response", (_, response) => {
        resolve(response.statusCode);
        this.socket.terminate();
      }),
    );
    this.closed = new Promise((resolve) => this.socket.on("close", (code) => resolve(code)));
    // False when there was no upgrade.
    this.opened = new Promise((resolve) => {
      this.socket.on("open", () => resolve(true));
      this.socket.on("close", () => resolve(false));
    });
    this.socket.on("error", () => undefined);
    this.socket.on("message", (data) => {
      this.messages.push(JSON.parse(data.toString("utf8")));
      this.waiting = this.waiting.filter((check) => !check());
    });
  }

  send(message) {
    this.socket.send(Buffer.isBuffer(message) || typeof message === "string" ? message : JSON.stringify(message));
  }

  /** The first message of `type`; undefined when the connection closes before one comes. */
  async next(type) {
    const arrived = new Promise((resolve) => {
      const check = () => {
        const found = this.messages.find((message) => message.type === type);
        if (found !== undefined) resolve(found);
        return found !== undefined;
      };
      if (!check()) this.waiting.push(check);
    });
    return Promise.race([arrived, this.closed.then(() => this.messages.find((m) => m.type === type))]);
  }
}

/** Sends `pcm` (16 kHz, mono, s16le) in frames of 20 ms at the pace of its recording, over and over,
 *  until finish(), and keeps count of what the server says it has. */
export class GoodStream {
  static kFrameBytes = 640;
  static kFrameMs = 20;

  constructor(server, meeting, pcm) {
    this.pcm = pcm;
    this.sent = 0;
    this.uplink = new UplinkSocket(server);
    this.done = this.stream(meeting);
  }

  payload(seq) {
    const whole = Math.floor(this.pcm.length / GoodStream.kFrameBytes);
    const at = (seq % whole) * GoodStream.kFrameBytes;
    return this.pcm.subarray(at, at + GoodStream.kFrameBytes);
  }

  async stream(meeting) {
    if (!(await this.uplink.opened)) throw new Error("the good stream was not let in");
    this.uplink.send(hello(meeting));
    if (!(await this.uplink.next("welcome"))) throw new Error("the good stream got no welcome");
    const startMs = performance.now();
    while (!this.finishing) {
      // Whatever is due by now, so that a late timer does not slow the stream down.
      while (this.sent * GoodStream.kFrameMs <= performance.now() - startMs) this.sendFrame(0);
      await new Promise((resolve) => setTimeout(resolve, GoodStream.kFrameMs));
    }
    this.sendFrame(1);
  }

  sendFrame(flags) {
    const seq = this.sent++;
    this.uplink.send(frame({ flags, seq, captureUs: seq * GoodStream.kFrameMs * 1000, payload: this.payload(seq) }));
  }

  /** Ends the stream and waits until every frame is on the server's disk. */
  async finish(timeoutMs = 20_000) {
    this.finishing = true;
    await this.done;
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const ack = this.uplink.messages.filter((message) => message.type === "ack").at(-1);
      if (ack?.durable === this.sent) return ack;
      if (performance.now() > deadline) {
        throw new Error(`of ${this.sent} frames the server acknowledged ${JSON.stringify(ack)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
