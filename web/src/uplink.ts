// One sound source on its way to the server, over WebSockets that come and go. Knows the protocol
// (docs/PROTOCOL.md, "Uplink"), not the browser's recorder.

import { afterClose, Backoff } from "./backoff";
import type { ConnectionState, Socket, Surroundings } from "./connection";

export interface UplinkSocket extends Socket {
  readonly bufferedAmount: number;
  send(data: string | Uint8Array): void;
}

export interface UplinkSurroundings extends Surroundings {
  open(): UplinkSocket;
  newClock(): string;
}

export type UplinkState = Exclude<ConnectionState, { kind: "refused" }>;

export interface UplinkHandlers {
  token(): string;
  onState(state: UplinkState): void;
  /** The server lacks the beginning of the stream: record anew, and call begin(). */
  onRestart(): void;
}

export interface Source {
  meeting: string;
  track: number;
  codec: string;
  label: string;
  speaker: string;
}

const kPieceBytesMax = 32_768;
/** What is kept for a reconnect: a minute of Opus at 128 kbit/s is 1 MB. */
const kKeptBytesMax = 4 << 20;
const kSocketBytesMax = 256 << 10;
const kPingEveryMs = 10_000;
/** A finished stream waits so long for the server to say that it has everything. */
const kFarewellMs = 5_000;

interface Piece {
  seq: number;
  last: boolean;
  bytes: Uint8Array;
}

interface Heard {
  type?: string;
  message?: string;
  retry_after_ms?: number;
  next_seq?: number;
  durable?: number | null;
  tracks?: { next_seq: number }[];
}

/** The binary frame: version, flags, track, seq, capture time, payload; integers big-endian. */
export function encodeFrame(track: number, piece: Piece): Uint8Array {
  const frame = new Uint8Array(20 + piece.bytes.length);
  const view = new DataView(frame.buffer);
  view.setUint8(0, 1);
  view.setUint8(1, piece.last ? 1 : 0);
  view.setUint16(2, track);
  view.setBigUint64(4, BigInt(piece.seq));
  frame.set(piece.bytes, 20); // The stream's times are its own; the capture time of its begin is 0.
  return frame;
}

export class Uplink {
  private socket: UplinkSocket | null = null;
  private timer: number | null = null;
  private welcomed = false;
  private reason = "";
  private retryAfterMs = 0;
  private readonly backoff: Backoff;
  private clock = "";
  private kept: Piece[] = [];
  private keptBytes = 0;
  private nextSeq = 0;
  private sentSeq = 0;
  private finished = false;
  private over = false;

  constructor(
    private readonly source: Source,
    private readonly around: UplinkSurroundings,
    private readonly handlers: UplinkHandlers,
  ) {
    this.backoff = new Backoff(() => around.random());
  }

  /** A new recording begins: what add() gets from now on is its stream from the first byte. */
  begin(): void {
    this.clock = this.around.newClock();
    this.kept = [];
    this.keptBytes = 0;
    this.nextSeq = 0;
    this.sentSeq = 0;
    this.letGo();
    this.connect();
  }

  /** The next bytes of the recording. */
  add(bytes: Uint8Array): void {
    if (this.over || this.finished) return;
    for (let at = 0; at < bytes.length; at += kPieceBytesMax) {
      this.keep({ seq: this.nextSeq++, last: false, bytes: bytes.subarray(at, at + kPieceBytesMax) });
    }
    // A server that was away too long hears a new recording instead of an endless past.
    if (this.keptBytes > kKeptBytesMax) return this.handlers.onRestart();
    this.flush();
  }

  /** The recording is whole: says so, waits for the server to have it, and stops. */
  finish(): void {
    if (this.over || this.finished) return;
    this.finished = true;
    this.keep({ seq: this.nextSeq++, last: true, bytes: new Uint8Array() });
    this.flush();
    this.plan(() => this.stop("", 1000), kFarewellMs);
  }

  /** Connects now, whatever was planned. Does nothing while a socket is there. */
  connect(): void {
    if (this.socket !== null || this.over) return;
    this.plan(null, 0);
    this.welcomed = false;
    this.reason = "";
    this.retryAfterMs = 0;
    this.handlers.onState({ kind: "connecting" });
    const socket = this.around.open();
    this.socket = socket;
    socket.onopen = () => this.onOpen(socket);
    socket.onmessage = (event) => this.onMessage(socket, event.data);
    socket.onclose = (event) => this.onClose(socket, event.code, event.reason);
  }

  private keep(piece: Piece): void {
    this.kept.push(piece);
    this.keptBytes += piece.bytes.length;
  }

  private onOpen(socket: UplinkSocket): void {
    const { meeting, track, codec, label, speaker } = this.source;
    const token = this.handlers.token();
    socket.send(
      JSON.stringify({
        type: "hello",
        meeting,
        clock: { id: this.clock },
        tracks: [{ track, codec, label, ...(speaker === "" ? {} : { speaker }) }],
        ...(token === "" ? {} : { token }),
      }),
    );
  }

  private onMessage(socket: UplinkSocket, data: unknown): void {
    if (socket !== this.socket || typeof data !== "string") return;
    const message = JSON.parse(data) as Heard;
    if (message.type === "welcome") return this.onWelcome(message.tracks?.[0]?.next_seq ?? 0);
    if (message.type === "ack") return this.onAck(message.next_seq ?? 0, message.durable ?? null);
    if (message.type !== "error") return;
    this.reason = message.message ?? "";
    this.retryAfterMs = message.retry_after_ms ?? 0;
  }

  private onWelcome(nextSeq: number): void {
    const first = this.kept[0]?.seq ?? this.nextSeq;
    if (nextSeq < first || nextSeq > this.nextSeq) return this.handlers.onRestart();
    this.backoff.reset();
    this.welcomed = true;
    this.sentSeq = nextSeq;
    this.handlers.onState({ kind: "live" });
    this.plan(() => this.ping(), kPingEveryMs);
    this.flush();
  }

  private onAck(nextSeq: number, durable: number | null): void {
    while (this.kept[0] !== undefined && durable !== null && this.kept[0].seq < durable) {
      this.keptBytes -= this.kept[0].bytes.length;
      this.kept.shift();
    }
    if (this.finished && nextSeq >= this.nextSeq) return this.stop("", 1000);
    this.flush();
  }

  private flush(): void {
    const socket = this.socket;
    if (socket === null || !this.welcomed) return;
    for (const piece of this.kept) {
      if (piece.seq < this.sentSeq) continue;
      if (socket.bufferedAmount > kSocketBytesMax) return;
      socket.send(encodeFrame(this.source.track, piece));
      this.sentSeq = piece.seq + 1;
    }
  }

  private ping(): void {
    this.socket?.send('{"type":"ping"}');
    this.flush();
    this.plan(() => this.ping(), kPingEveryMs);
  }

  private onClose(socket: UplinkSocket, code: number, reason: string): void {
    if (socket !== this.socket) return;
    this.socket = null;
    this.plan(null, 0);
    if (this.finished) return this.stop("", 1000);
    const next = afterClose(code);
    if (next === "stop") return this.stop(this.reason || reason || `closed with ${code}`, code);
    if (next === "ask for token") return this.handlers.onState({ kind: "token" });
    const delayMs = this.backoff.nextDelayMs(this.retryAfterMs);
    this.handlers.onState({ kind: "waiting", delayMs });
    const isLost = next === "start anew"; // The server was restarted: its decoder lacks the header.
    this.plan(() => (isLost ? this.handlers.onRestart() : this.connect()), delayMs);
  }

  private stop(reason: string, code: number): void {
    if (this.over) return;
    this.over = true;
    this.letGo(code < 4000 ? code : undefined);
    this.plan(null, 0);
    this.handlers.onState({ kind: "stopped", reason });
  }

  private letGo(code?: number): void {
    const socket = this.socket;
    this.socket = null;
    this.welcomed = false;
    socket?.close(code);
  }

  /** One timer at a time: the next ping, the next attempt, or the end of patience. */
  private plan(action: (() => void) | null, delayMs: number): void {
    if (this.timer !== null) this.around.clearTimeout(this.timer);
    this.timer = action === null ? null : this.around.setTimeout(action, delayMs);
  }
}
