// The page of one meeting: live captions.

import { ApiError, callJson } from "./api";
import { Connection } from "./connection";
import type { ConnectionState, Surroundings } from "./connection";
import { setUpExports } from "./exports";
import { Follower } from "./follow";
import { Announcer, LineList } from "./lines";
import type { CaptionMessage, Meeting, PositionMessage, RevisionMessage } from "./protocol";
import { setUpShare } from "./share";
import { linkSecret, openWithTicket } from "./shared_link";
import { StatusLine } from "./status_line";
import { setUpTextSize } from "./text_size";
import { renewToken, storedToken } from "./token";
import { Transcript } from "./transcript";
import type { Change } from "./transcript";

function byId<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

const meeting = location.pathname.split("/")[2] ?? "";
/** Not empty: this page may watch, and nothing else. */
const secret = linkSecret();
const transcript = new Transcript();
const lines = new LineList(byId("lines"));
const announcer = new Announcer(byId("announcer"));
const follower = new Follower(byId("captions"), byId("jump"));
const status = new StatusLine({
  state: byId("state"),
  detail: byId("detail"),
  speaking: byId("speaking"),
  level: byId("level"),
});
const empty = byId("empty");
let checking = false;

function show(change: Change): void {
  lines.apply(change);
  empty.hidden = transcript.lines.length > 0;
  if (change.kind !== "none") follower.keep();
}

function onCaption(message: CaptionMessage): boolean {
  const replayed = transcript.replaying();
  const change = transcript.onCaption(message);
  if (change.kind === "gap") return false;
  show(change);
  if (change.kind === "shown" && change.line.final && !replayed) announcer.say(change.line);
  return true;
}

function onRevision(message: RevisionMessage): boolean {
  const change = transcript.onRevision(message);
  if (change.kind === "gap") return false;
  show(change);
  return true;
}

/** A click on a name renames the speaker everywhere: the server tells every reader, this one too. */
async function rename(name: HTMLElement): Promise<void> {
  if (secret !== "") return;
  const key = name.closest<HTMLElement>(".line")?.dataset["speaker"] ?? "";
  const wanted = window.prompt("Who is this?", name.textContent ?? "")?.trim() ?? "";
  if (key === "" || wanted === "" || wanted === name.textContent) return;
  const speaker = `/api/meetings/${encodeURIComponent(meeting)}/speakers/${encodeURIComponent(key)}`;
  try {
    await callJson(speaker, { method: "PUT", body: JSON.stringify({ name: wanted }) });
  } catch (error) {
    window.alert(error instanceof ApiError ? error.message : "The speaker could not be renamed.");
  }
}

/** Draws what GET knows. False when there is nothing to connect to. */
async function loadMeeting(): Promise<boolean> {
  if (secret !== "") return true;
  try {
    const found = await callJson<Meeting>(`/api/meetings/${encodeURIComponent(meeting)}`);
    byId("title").textContent = found.title || "Untitled meeting";
    document.title = `${found.title || "Meeting"} - Qylon`;
    status.onMeeting(found);
    return true;
  } catch (error) {
    const gone = error instanceof ApiError && (error.status === 404 || error.status === 400);
    if (gone) status.onConnection({ kind: "stopped", reason: error.message });
    return !gone;
  }
}

/** HTTP knows why a WebSocket could not be opened; a WebSocket does not say. */
async function findOutWhy(): Promise<void> {
  if (checking) return;
  checking = true;
  await loadMeeting();
  checking = false;
}

async function onState(state: ConnectionState): Promise<void> {
  status.onConnection(state);
  if (state.kind === "refused") void findOutWhy();
  if (state.kind === "waiting") show(transcript.dropInterims());
  if (state.kind === "token") {
    await renewToken();
    connection.connect();
  }
}

const surroundings: Surroundings = {
  open: () => {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const url = `${scheme}//${location.host}/v1/subscribe`;
    return secret === "" ? (new WebSocket(url, "qylon.v1") as never) : openWithTicket(url, secret);
  },
  setTimeout: (action, delayMs) => window.setTimeout(action, delayMs),
  clearTimeout: (timer) => window.clearTimeout(timer),
  random: Math.random,
};

const connection = new Connection(meeting, surroundings, {
  position: () => transcript.position(),
  token: storedToken,
  onState: (state) => void onState(state),
  onPosition: (message: PositionMessage) => show(transcript.onPosition(message)),
  onCaption,
  onRevision,
  onStatus: (message) => status.onStatus(message),
  onLevels: (message) => status.onLevels(message),
  onStartAnew: () => {
    transcript.forget();
    show({ kind: "cleared" });
  },
});

byId("uplink-command").textContent =
  `qylon uplink mic --server ${location.origin} --meeting ${meeting}`;
setUpTextSize(byId("smaller"), byId("larger"), () => follower.keep());
if (secret === "") setUpExports(meeting, byId("exports"));
for (const id of ["exports", "share"]) byId(id).hidden = secret !== "";
byId("lines").addEventListener("click", (event) => {
  const name = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("button.name") : null;
  if (name !== null) void rename(name);
});
const share = secret === "" ? setUpShare(meeting) : null;
window.addEventListener("online", () => {
  connection.connect();
  share?.reconnect();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && started) connection.connect();
});

let started = false;
void loadMeeting().then((there) => {
  started = there;
  if (there) connection.connect();
});
