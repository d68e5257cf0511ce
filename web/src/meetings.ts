// The first page: every meeting, newest first.

import { ApiError, callJson } from "./api";
import type { Meeting } from "./protocol";
import { setUpTextSize } from "./text_size";

function byId<T extends HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

interface Page {
  meetings: Meeting[];
  next: string | null;
}

const kRefreshMs = 5000;
const list = byId<HTMLUListElement>("meetings");
const more = byId<HTMLButtonElement>("more");
const message = byId("message");
const dates = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
let next: string | null = null;
let olderShown = false;
let shown = "";

function draw(meeting: Meeting): HTMLLIElement {
  const link = document.createElement("a");
  link.href = `/m/${meeting.id}`;
  link.textContent = meeting.title || "Untitled meeting";
  const state = document.createElement("span");
  state.className = "badge";
  state.dataset["state"] = meeting.state;
  state.textContent = meeting.state;
  const time = document.createElement("time");
  time.dateTime = meeting.created_at;
  time.textContent = dates.format(new Date(meeting.created_at));
  const item = document.createElement("li");
  item.append(link, state, time);
  return item;
}

async function load(before: string | null): Promise<void> {
  const query = before === null ? "" : `&before=${encodeURIComponent(before)}`;
  const page = await callJson<Page>(`/api/meetings?limit=50${query}`);
  // An unchanged page is left alone, so that text in it stays selected.
  const content = JSON.stringify(page);
  if (before === null && content === shown) return;
  shown = content;
  const items = page.meetings.map(draw);
  if (before === null) list.replaceChildren(...items);
  else list.append(...items);
  next = page.next;
  more.hidden = next === null;
  message.textContent = list.childElementCount === 0 ? "No meetings yet." : "";
}

function showError(error: unknown): void {
  message.textContent = error instanceof ApiError ? error.message : "Something went wrong.";
}

/** Focus is kept: a list under a reader's finger does not change. */
async function refresh(): Promise<void> {
  const busy = document.hidden || olderShown || list.contains(document.activeElement);
  if (!busy) await load(null).catch(showError);
  setTimeout(() => void refresh(), kRefreshMs);
}

more.addEventListener("click", () => {
  olderShown = true;
  void load(next).catch(showError);
});

byId<HTMLFormElement>("create").addEventListener("submit", (event) => {
  event.preventDefault();
  const title = byId<HTMLInputElement>("title").value.trim();
  const body = JSON.stringify({ title });
  void callJson<Meeting>("/api/meetings", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
  })
    .then((meeting) => location.assign(`/m/${meeting.id}`))
    .catch(showError);
});

setUpTextSize(byId("smaller"), byId("larger"), () => undefined);
void refresh();
