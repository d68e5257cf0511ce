// Sharing sound from the meeting's page: the dialog that asks what, and the bar while it lasts.

import { capture, Level, Recorder, recordingFormat, ShareError } from "./recorder";
import type { SourceKind } from "./recorder";
import { renewToken, storedToken } from "./token";
import { Uplink } from "./uplink";
import type { UplinkState } from "./uplink";

const kNameKey = "qylon.name";
const kLevelEveryMs = 100;
const kClippingDb = -1;

function byId<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

function stateText(state: UplinkState, muted: boolean): string {
  switch (state.kind) {
    case "connecting":
      return "Connecting";
    case "live":
      return muted ? "Muted" : "Sharing";
    case "waiting":
      return `Not connected; what you say is kept. Next try in ${Math.ceil(state.delayMs / 1000)} s`;
    case "token":
      return "Token wanted";
    case "stopped":
      return state.reason === "" ? "" : `Sharing has stopped: ${state.reason}`;
  }
}

/** One shared source, from the permission to its end. */
class Share {
  private readonly sound: MediaStream;
  private readonly recorder: Recorder;
  private readonly uplink: Uplink;
  private readonly level: Level;
  private readonly ticking: number;
  private muted = false;
  private released = false;

  constructor(
    meeting: string,
    private readonly stream: MediaStream,
    kind: SourceKind,
    name: string,
    private readonly onState: (state: UplinkState) => void,
    onEnded: () => void,
  ) {
    const format = recordingFormat();
    this.sound = new MediaStream(stream.getAudioTracks());
    this.level = new Level(this.sound);
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    this.uplink = new Uplink(
      {
        meeting,
        // Nobody else's: numbers that people choose are small.
        track: 1024 + ((crypto.getRandomValues(new Uint16Array(1))[0] ?? 0) % 64_000),
        codec: format.codec,
        label: kind === "tab" ? "Browser tab" : name || "Browser microphone",
        speaker: kind === "tab" ? "" : name,
      },
      {
        open: () => new WebSocket(`${scheme}//${location.host}/v1/uplink`, "qylon.v1") as never,
        setTimeout: (action, delayMs) => window.setTimeout(action, delayMs),
        clearTimeout: (timer) => window.clearTimeout(timer),
        random: Math.random,
        newClock: () => crypto.randomUUID(),
      },
      {
        token: storedToken,
        onState: (state) => void this.onUplink(state),
        onRestart: () => this.record(),
      },
    );
    this.recorder = new Recorder(this.sound, format.type, (bytes) => this.uplink.add(bytes));
    // The device was pulled out, or the browser's own “Stop sharing” was pressed.
    for (const track of stream.getTracks()) track.onended = () => onEnded();
    this.ticking = window.setInterval(() => this.drawLevel(), kLevelEveryMs);
    this.record();
  }

  toggleMute(): boolean {
    this.muted = !this.muted;
    for (const track of this.sound.getAudioTracks()) track.enabled = !this.muted;
    return this.muted;
  }

  async stop(): Promise<void> {
    await this.recorder.stop();
    this.release();
    this.uplink.finish();
  }

  reconnect(): void {
    this.uplink.connect();
  }

  private record(): void {
    this.uplink.begin();
    this.recorder.start();
  }

  private async onUplink(state: UplinkState): Promise<void> {
    if (state.kind === "stopped") this.release();
    this.onState(state);
    if (state.kind !== "token") return;
    await renewToken();
    this.uplink.connect();
  }

  /** When the person stops, and again when the server has everything. */
  private release(): void {
    if (this.released) return;
    this.released = true;
    window.clearInterval(this.ticking);
    for (const track of this.stream.getTracks()) {
      track.onended = null;
      track.stop();
    }
    this.level.close();
  }

  private drawLevel(): void {
    const meter = byId<HTMLMeterElement>("share-level");
    const db = this.level.read();
    meter.value = db;
    byId("share-clipping").hidden = db < kClippingDb;
  }
}

export function setUpShare(meeting: string): { reconnect(): void } {
  const dialog = byId<HTMLDialogElement>("share-dialog");
  const problem = byId("share-problem");
  const name = byId<HTMLInputElement>("share-name");
  const button = byId<HTMLButtonElement>("share");
  const mute = byId<HTMLButtonElement>("mute");
  const text = byId("share-state");
  let share: Share | null = null;
  let shown: UplinkState = { kind: "connecting" };

  const drawState = (state: UplinkState): void => {
    const stopped = state.kind === "stopped";
    if (stopped) share = null;
    shown = state;
    text.textContent = stateText(state, mute.getAttribute("aria-pressed") === "true");
    text.dataset["state"] = state.kind;
    byId("share-controls").hidden = stopped;
    byId("share-bar").hidden = stopped && text.textContent === "";
    button.hidden = !stopped;
    if (stopped) button.focus();
  };
  const stop = (): void => void share?.stop();
  const begin = async (kind: SourceKind): Promise<void> => {
    problem.hidden = true;
    mute.setAttribute("aria-pressed", "false");
    try {
      const person = name.value.trim();
      localStorage.setItem(kNameKey, person);
      recordingFormat();
      share = new Share(meeting, await capture(kind), kind, person, drawState, stop);
    } catch (error) {
      if (!(error instanceof ShareError)) throw error;
      problem.textContent = error.message;
      problem.hidden = false;
      return;
    }
    dialog.close();
    byId("share-bar").hidden = false;
    mute.focus();
  };

  button.onclick = () => {
    problem.hidden = true;
    name.value = localStorage.getItem(kNameKey) ?? "";
    dialog.showModal();
  };
  byId<HTMLFormElement>("share-form").onsubmit = (event) => {
    event.preventDefault();
    void begin("microphone");
  };
  const tab = byId<HTMLButtonElement>("share-tab");
  tab.hidden = navigator.mediaDevices?.getDisplayMedia === undefined;
  tab.onclick = () => void begin("tab");
  byId("share-cancel").onclick = () => dialog.close();
  byId("share-stop").onclick = stop;
  mute.onclick = () => {
    mute.setAttribute("aria-pressed", String(share?.toggleMute() ?? false));
    drawState(shown);
  };
  return { reconnect: () => share?.reconnect() };
}
