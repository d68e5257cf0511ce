// The messages of docs/PROTOCOL.md, subscriber's side, as this page uses them.

export interface Speaker {
  key: string;
  name: string;
}

export interface Position {
  epoch: string;
  offset: number;
}

export interface CaptionMessage {
  type: "caption";
  final: boolean;
  offset?: number;
  segment: number;
  revision: number;
  start_ms: number;
  end_ms: number;
  speaker: Speaker;
  text: string;
  stable_words?: number;
}

/** Corrects who said what came before; numbered as a final. */
export interface RevisionMessage {
  type: "revision";
  offset: number;
  kind: string;
  speaker: Speaker;
  /** Merge: the key that is no more. */
  from?: string;
  /** Relabel, split: offsets of finals. */
  captions?: number[];
}

export interface PositionMessage extends Position {
  type: "position";
  topic: string;
  recovered: boolean;
}

export interface StatusMessage {
  type: "status";
  state: "created" | "live" | "ending" | "ended";
  position_ms: number;
  lag_ms: number;
  captions: "full" | "thinned" | "finals_only";
  tracks: { track: number; connected: boolean; speaking: boolean }[];
  speakers: Speaker[];
  speaking: string[];
}

export interface LevelsMessage {
  type: "levels";
  levels: {
    track: number;
    rms_dbfs: number;
    peak_dbfs: number;
    lufs: number;
    speech: boolean;
    clipped: boolean;
    silent: boolean;
  }[];
}

export interface ErrorMessage {
  type: "error";
  code: string;
  close?: number;
  message: string;
  retry_after_ms?: number;
}

export type ServerMessage =
  | CaptionMessage
  | RevisionMessage
  | PositionMessage
  | StatusMessage
  | LevelsMessage
  | ErrorMessage
  | { type: "pong" };

/** What the page shows of a meeting, from GET /api/meetings/{id}. */
export interface Meeting {
  id: string;
  title: string;
  state: StatusMessage["state"];
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
}

/** Reads one text frame. Null for what is not an object with a type: the caller reconnects. */
export function parseMessage(text: string): ServerMessage | null {
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message !== "object" || message === null) return null;
    return typeof (message as { type?: unknown }).type === "string" ? (message as ServerMessage) : null;
  } catch {
    return null;
  }
}
