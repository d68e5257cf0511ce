// Links to the transcript's files and the tracks' recordings.

import { ApiError, callJson, download, hasToken } from "./api";

const kFormats: readonly (readonly [string, string])[] = [
  ["txt", "Text"],
  ["srt", "SubRip subtitles"],
  ["vtt", "WebVTT subtitles"],
  ["json", "JSON with word times"],
  ["csv", "CSV table"],
  ["rttm", "RTTM speaker turns"],
];

interface Track {
  track: number;
  label: string;
  speaker: string;
}

function addLink(list: HTMLElement, href: string, text: string, name: string): void {
  const link = document.createElement("a");
  link.href = href;
  link.download = name;
  link.textContent = text;
  link.addEventListener("click", (event) => {
    if (!hasToken()) return;
    event.preventDefault();
    void download(link).catch((error: unknown) => {
      link.textContent = `${text} (${error instanceof ApiError ? error.message : "failed"})`;
    });
  });
  const item = document.createElement("li");
  item.append(link);
  list.append(item);
}

/** Fills the menu; the recordings are looked up each time it opens, for they come later. */
export function setUpExports(meeting: string, menu: HTMLDetailsElement): void {
  const files = menu.querySelector(".files") as HTMLElement;
  const recordings = menu.querySelector(".recordings") as HTMLElement;
  const base = `/api/meetings/${meeting}`;
  for (const [format, text] of kFormats) {
    addLink(files, `${base}/export?format=${format}`, text, `meeting.${format}`);
  }
  menu.addEventListener("toggle", () => {
    if (menu.open) void showRecordings(base, recordings);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary")?.focus();
  });
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target as Node)) menu.open = false;
  });
}

async function showRecordings(base: string, list: HTMLElement): Promise<void> {
  const { tracks } = await callJson<{ tracks: Track[] }>(`${base}/tracks`).catch(() => ({
    tracks: [] as Track[],
  }));
  list.replaceChildren();
  for (const { track, label, speaker } of tracks) {
    const name = speaker || label || `Track ${track}`;
    addLink(list, `${base}/tracks/${track}/audio`, `Recording: ${name}`, `track-${track}.opus`);
  }
}
