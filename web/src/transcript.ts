// What has been said so far, and how far that is known: pure logic, no DOM, no network.
//
// Finals are numbered 1, 2, 3 ... inside an epoch. A final that was seen is never shown again, and a
// hole in the numbers of live finals is noticed, so that a reconnect neither doubles nor loses a line.

import type {
  CaptionMessage,
  Position,
  PositionMessage,
  RevisionMessage,
  Speaker,
} from "./protocol";

export interface Line {
  segment: number;
  final: boolean;
  /** Finals: their number. */
  offset: number;
  revision: number;
  startMs: number;
  speaker: Speaker;
  text: string;
  /** Interims: how many leading words will hardly change. */
  stableWords: number;
}

/** What changed, for whoever draws. */
export type Change =
  | { kind: "none" }
  | { kind: "cleared" }
  | { kind: "shown"; line: Line; index: number; replaces: boolean }
  | { kind: "removed"; segments: number[] }
  /** These lines have another speaker, or their speaker another name. */
  | { kind: "relabelled"; lines: Line[] }
  /** A live final is missing: reconnect from position(). */
  | { kind: "gap" };

const nothing: Change = { kind: "none" };

/** Whether a correction is about a line. A kind that is not known is about none. */
function concerns(message: RevisionMessage, line: Line): boolean {
  switch (message.kind) {
    case "relabel":
    case "split":
      return line.final && (message.captions ?? []).includes(line.offset);
    case "merge":
      return line.speaker.key === message.from;
    case "rename":
      return line.speaker.key === message.speaker.key;
    default:
      return false;
  }
}

export class Transcript {
  /** By start, then segment. */
  readonly lines: Line[] = [];
  private epoch = "";
  private offset = 0;
  private replayUntil = 0;
  /** Segments that have their final; a late interim of theirs is dropped. */
  private readonly settled = new Set<number>();

  /** What to ask for on the next connection; nothing before the first position. */
  position(): Position | undefined {
    return this.epoch === "" ? undefined : { epoch: this.epoch, offset: this.offset };
  }

  /** True while finals come that were said before the connection was made. */
  replaying(): boolean {
    return this.offset < this.replayUntil;
  }

  onPosition(message: PositionMessage): Change {
    this.replayUntil = message.offset;
    if (!message.recovered || (this.epoch !== "" && this.epoch !== message.epoch)) {
      this.forget();
      this.epoch = message.epoch;
      return { kind: "cleared" };
    }
    this.epoch = message.epoch;
    return this.dropInterims();
  }

  onCaption(message: CaptionMessage): Change {
    return message.final ? this.onFinal(message) : this.onInterim(message);
  }

  onRevision(message: RevisionMessage): Change {
    const counted = this.count(message.offset);
    if (counted !== "next") return counted === "gap" ? { kind: "gap" } : nothing;
    const lines = this.lines.filter((line) => concerns(message, line));
    for (const line of lines) line.speaker = message.speaker;
    return lines.length > 0 ? { kind: "relabelled", lines } : nothing;
  }

  /** Interims are only true while connected. */
  dropInterims(): Change {
    const segments = this.lines.filter((line) => !line.final).map((line) => line.segment);
    if (segments.length === 0) return nothing;
    for (const segment of segments) this.remove(segment);
    return { kind: "removed", segments };
  }

  /** Starts anew, as after close code 4004. */
  forget(): void {
    this.lines.length = 0;
    this.settled.clear();
    this.epoch = "";
    this.offset = 0;
  }

  /** Whether what has this number is due. */
  private count(offset: number): "next" | "known" | "gap" {
    if (offset <= this.offset) return "known";
    // In the replay the server vouches for completeness; afterwards every number must come.
    if (offset > this.offset + 1 && offset > this.replayUntil) return "gap";
    this.offset = offset;
    return "next";
  }

  private onFinal(message: CaptionMessage): Change {
    const counted = this.count(message.offset ?? 0);
    if (counted !== "next") return counted === "gap" ? { kind: "gap" } : nothing;
    this.settled.add(message.segment);
    if (message.text !== "") return this.show(message);
    return this.remove(message.segment) ? { kind: "removed", segments: [message.segment] } : nothing;
  }

  private onInterim(message: CaptionMessage): Change {
    if (this.settled.has(message.segment)) return nothing;
    const shown = this.lines[this.find(message.segment)];
    if (shown !== undefined && shown.revision >= message.revision) return nothing;
    if (message.text !== "") return this.show(message);
    return this.remove(message.segment) ? { kind: "removed", segments: [message.segment] } : nothing;
  }

  private show(message: CaptionMessage): Change {
    const line: Line = {
      segment: message.segment,
      final: message.final,
      offset: message.offset ?? 0,
      revision: message.revision,
      startMs: message.start_ms,
      speaker: message.speaker,
      text: message.text,
      stableWords: message.final ? 0 : message.stable_words ?? 0,
    };
    const replaces = this.remove(line.segment);
    const index = this.place(line);
    this.lines.splice(index, 0, line);
    return { kind: "shown", line, index, replaces };
  }

  /** Where `line` belongs. Almost always last, so the search begins there. */
  private place(line: Line): number {
    let index = this.lines.length;
    for (; index > 0; --index) {
      const before = this.lines[index - 1] as Line;
      if (before.startMs < line.startMs) break;
      if (before.startMs === line.startMs && before.segment < line.segment) break;
    }
    return index;
  }

  /** Searched from the end, where almost every change is. -1 when it is not there. */
  private find(segment: number): number {
    let index = this.lines.length - 1;
    while (index >= 0 && this.lines[index]?.segment !== segment) --index;
    return index;
  }

  private remove(segment: number): boolean {
    const index = this.find(segment);
    if (index >= 0) this.lines.splice(index, 1);
    return index >= 0;
  }
}
