// One subscription that outlives its WebSockets. Knows the protocol, not the page.

import { afterClose, Backoff } from "./backoff";
import { parseMessage } from "./protocol";
import type { CaptionMessage, LevelsMessage, Position, PositionMessage, RevisionMessage, StatusMessage } from "./protocol";

/** The part of WebSocket that is used, so that a test can stand in for it. */
export interface Socket {
  send(text: string): void;
  close(code?: number): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}

/** Timers and sockets of the browser, or of a test. */
export interface Surroundings {
  open(): Socket;
  setTimeout(action: () => void, delayMs: number): number;
  clearTimeout(timer: number): void;
  random(): number;
}

export type ConnectionState =
  | { kind: "connecting" }
  | { kind: "live" }
  | { kind: "waiting"; delayMs: number }
  /** Never opened: the reason may be known to HTTP (no token, no such meeting). */
  | { kind: "refused" }
  | { kind: "token" }
  | { kind: "stopped"; reason: string };

export interface Handlers {
  position(): Position | undefined;
  token(): string;
  onState(state: ConnectionState): void;
  onPosition(message: PositionMessage): void;
  /** False asks for a new connection, because a final is missing. */
  onCaption(message: CaptionMessage): boolean;
  onRevision(message: RevisionMessage): boolean;
  onStatus(message: StatusMessage): void;
  onLevels(message: LevelsMessage): void;
  /** The server does not know the position: forget it. */
  onStartAnew(): void;
}

const kPingEveryMs = 15_000;
/** A ping is answered within this, or the connection is taken for dead. */
const kSilenceMs = 10_000;

export class Connection {
  private socket: Socket | null = null;
  private timer: number | null = null;
  private opened = false;
  private retryAfterMs = 0;
  private reason = "";
  private readonly backoff: Backoff;

  constructor(
    private readonly meeting: string,
    private readonly around: Surroundings,
    private readonly handlers: Handlers,
  ) {
    this.backoff = new Backoff(() => around.random());
  }

  /** Connects now, whatever was planned. Does nothing while a socket is there. */
  connect(): void {
    if (this.socket !== null) return;
    this.plan(null, 0);
    this.opened = false;
    this.retryAfterMs = 0;
    this.reason = "";
    this.handlers.onState({ kind: "connecting" });
    const socket = this.around.open();
    this.socket = socket;
    socket.onopen = () => this.onOpen(socket);
    socket.onmessage = (event) => this.onMessage(socket, event.data);
    socket.onclose = (event) => this.onClose(socket, event.code, event.reason);
  }

  /** Lets go of the socket and connects again after the back-off. */
  private drop(): void {
    const socket = this.socket;
    if (socket === null) return;
    socket.close();
    // A dead connection may take minutes to report its close; that report is ignored.
    this.onClose(socket, 1006, "");
  }

  private onOpen(socket: Socket): void {
    this.opened = true;
    const topic = `meeting/${this.meeting}/`;
    const token = this.handlers.token();
    const from = this.handlers.position();
    socket.send(
      JSON.stringify({
        type: "subscribe",
        topics: [`${topic}captions`, `${topic}status`, `${topic}levels`],
        ...(from === undefined ? {} : { from }),
        ...(token === "" ? {} : { token }),
      }),
    );
    this.plan(() => this.ping(), kPingEveryMs);
  }

  private ping(): void {
    this.socket?.send('{"type":"ping"}');
    this.plan(() => this.drop(), kSilenceMs);
  }

  private onMessage(socket: Socket, data: unknown): void {
    if (socket !== this.socket) return;
    this.plan(() => this.ping(), kPingEveryMs);
    const message = typeof data === "string" ? parseMessage(data) : null;
    if (message === null) return this.drop();
    switch (message.type) {
      case "position":
        this.backoff.reset();
        this.handlers.onState({ kind: "live" });
        return this.handlers.onPosition(message);
      case "caption":
        if (!this.handlers.onCaption(message)) this.drop();
        return;
      case "revision":
        if (!this.handlers.onRevision(message)) this.drop();
        return;
      case "status":
        return this.handlers.onStatus(message);
      case "levels":
        return this.handlers.onLevels(message);
      case "error":
        this.retryAfterMs = message.retry_after_ms ?? 0;
        this.reason = message.message;
        return;
      default:
        return;
    }
  }

  private onClose(socket: Socket, code: number, reason: string): void {
    if (socket !== this.socket) return;
    this.socket = null;
    this.plan(null, 0);
    const next = afterClose(code);
    if (next === "stop") {
      return this.handlers.onState({ kind: "stopped", reason: this.reason || reason || `closed with ${code}` });
    }
    if (next === "ask for token") return this.handlers.onState({ kind: "token" });
    if (next === "start anew") this.handlers.onStartAnew();
    if (!this.opened) this.handlers.onState({ kind: "refused" });
    const delayMs = this.backoff.nextDelayMs(this.retryAfterMs);
    this.handlers.onState({ kind: "waiting", delayMs });
    this.plan(() => this.connect(), delayMs);
  }

  /** One timer at a time: the next ping, the end of patience, or the next attempt. */
  private plan(action: (() => void) | null, delayMs: number): void {
    if (this.timer !== null) this.around.clearTimeout(this.timer);
    this.timer = action === null ? null : this.around.setTimeout(action, delayMs);
  }
}
