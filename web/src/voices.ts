// How a speaker looks: the same key has the same colour on every screen.

import type { Speaker } from "./protocol";

/** Classes voice-0 ... voice-11 in style.css. */
export const kVoices = 12;

/** "s2" (voice 2) and "t2" (track 2) stay apart; the first twelve of each kind do not collide. */
export function voiceOf(key: string): number {
  const number = /^[a-z](\d{1,9})$/.exec(key)?.[1];
  if (number !== undefined) return (Number(number) + (key.startsWith("t") ? 6 : 0)) % kVoices;
  let hash = 0;
  for (const character of key) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % kVoices;
}

export function nameOf(speaker: Speaker): string {
  return speaker.name || speaker.key || "Unknown";
}

/** 81230 -> "1:21", 3681000 -> "1:01:21". */
export function clockTime(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return hours > 0
    ? `${hours}:${two(minutes % 60)}:${two(seconds % 60)}`
    : `${minutes}:${two(seconds % 60)}`;
}
