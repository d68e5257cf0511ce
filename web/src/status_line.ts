// The line that says how things stand: connection, delay, who speaks, level.

import type { ConnectionState } from "./connection";
import type { LevelsMessage, Meeting, StatusMessage } from "./protocol";
import { nameOf } from "./voices";

const kLevelFloorDb = -60;

export interface StatusParts {
  state: HTMLElement;
  detail: HTMLElement;
  speaking: HTMLElement;
  level: HTMLMeterElement;
}

function connectionText(state: ConnectionState): string {
  switch (state.kind) {
    case "connecting":
      return "Connecting";
    case "waiting":
    case "refused":
      return "Reconnecting";
    case "token":
      return "Token wanted";
    case "stopped":
      return "Stopped";
    case "live":
      return "";
  }
}

const kMeetingText: Record<StatusMessage["state"], string> = {
  created: "Not started",
  live: "Live",
  ending: "Ending",
  ended: "Ended",
};

export class StatusLine {
  private connection: ConnectionState = { kind: "connecting" };
  private meetingState: StatusMessage["state"] = "created";
  private lagMs = 0;
  private captions: StatusMessage["captions"] = "full";

  constructor(private readonly parts: StatusParts) {}

  onMeeting(meeting: Meeting): void {
    this.meetingState = meeting.state;
    this.draw();
  }

  onConnection(state: ConnectionState): void {
    this.connection = state;
    if (state.kind !== "live") this.showSpeaking([]);
    this.draw();
  }

  onStatus(status: StatusMessage): void {
    this.meetingState = status.state;
    this.lagMs = status.lag_ms;
    this.captions = status.captions;
    const names = new Map(status.speakers.map((speaker) => [speaker.key, nameOf(speaker)]));
    this.showSpeaking(status.speaking.map((key) => names.get(key) ?? key));
    this.draw();
  }

  onLevels(levels: LevelsMessage): void {
    const loudest = Math.max(kLevelFloorDb, ...levels.levels.map((level) => level.rms_dbfs));
    this.parts.level.value = loudest;
  }

  private showSpeaking(names: string[]): void {
    this.parts.speaking.textContent = names.length > 0 ? `${names.join(", ")} speaking` : "";
    if (names.length === 0) this.parts.level.value = kLevelFloorDb;
  }

  /** The state alone is announced, so its text changes only when the state does. */
  private draw(): void {
    const text = connectionText(this.connection) || kMeetingText[this.meetingState];
    if (this.parts.state.textContent !== text) this.parts.state.textContent = text;
    this.parts.state.dataset["state"] = text.toLowerCase().replace(" ", "-");
    this.parts.detail.textContent = this.detail();
    this.parts.level.hidden = this.meetingState !== "live" || this.connection.kind !== "live";
  }

  private detail(): string {
    if (this.connection.kind === "stopped") return this.connection.reason;
    if (this.connection.kind === "waiting") {
      return `next try in ${Math.ceil(this.connection.delayMs / 1000)} s`;
    }
    if (this.connection.kind !== "live" || this.meetingState !== "live") return "";
    const thinned = this.captions === "full" ? "" : ", words come when they are sure";
    return `${(this.lagMs / 1000).toFixed(1)} s behind${thinned}`;
  }
}
