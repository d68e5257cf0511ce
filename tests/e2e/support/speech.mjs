// Real speech with known words, put together into meetings, and the scoring of what came back.

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";

export const kRateHz = 16000;
const kTestData = "/usr/share/pocketsphinx/test/data";

const kPrompts = "/usr/share/asterisk/sounds/en_US_f_Allison";

/** Debian's pocketsphinx-testdata: a man who reads a novel. */
const kReader = [
  ["librivox/sense_and_sensibility_01_austen_64kb-0870.wav", "and mister john dashwood had then leisure to consider how much there might be prudently in his power to do for them"],
  ["librivox/sense_and_sensibility_01_austen_64kb-0880.wav", "he was not an ill disposed young man"],
  ["librivox/sense_and_sensibility_01_austen_64kb-0890.wav", "unless to be rather cold hearted and rather selfish is to be ill disposed"],
  ["librivox/sense_and_sensibility_01_austen_64kb-0920.wav", "had he married a more amiable woman he might have been made still more respectable than he was"],
  ["librivox/sense_and_sensibility_01_austen_64kb-0930.wav", "he might even have been made amiable himself"],
];
/** Debian's asterisk-core-sounds-en-g722: the woman of the telephone exchange. */
const kOperator = [
  ["queue-youarenext.g722", "your call is now first in line and will be answered by the next available representative"],
  ["agent-user.g722", "agent login please enter your agent number followed by the pound key"],
  ["confbridge-begin-glorious-c.g722", "the conference will begin when our glorious leader arrives"],
];

export function speechIsInstalled() {
  return existsSync(`${kTestData}/${kReader[0][0]}`) && existsSync(`${kPrompts}/${kOperator[0][0]}`);
}

/** Samples of a G.722 file, decoded by GStreamer. */
function readG722(path) {
  const result = spawnSync("gst-launch-1.0", [
    "-q", "filesrc", `location=${path}`, "blocksize=160", "do-timestamp=true",
    "!", "audio/G722,rate=(int)16000,channels=(int)1", "!", "avdec_g722", "!", "audioconvert",
    "!", "audio/x-raw,format=S16LE,rate=16000,channels=1,layout=interleaved", "!", "fdsink", "fd=1",
  ]);
  if (result.status !== 0) throw new Error(`gst-launch-1.0 cannot decode ${path}: ${result.stderr}`);
  return result.stdout;
}

function readClip(file) {
  return file.endsWith(".g722") ? readG722(`${kPrompts}/${file}`) : readWav(`${kTestData}/${file}`);
}

/** Samples of a 16 kHz mono 16-bit WAV file, as little-endian bytes. */
export function readWav(path) {
  const file = readFileSync(path);
  for (let at = 12; at + 8 <= file.length; ) {
    const size = file.readUInt32LE(at + 4);
    if (file.toString("latin1", at, at + 4) === "data") return file.subarray(at + 8, at + 8 + size);
    at += 8 + size + (size % 2);
  }
  throw new Error(`${path} has no data chunk`);
}

export async function writeWav(path, pcm) {
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + pcm.length, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20); // PCM
  header.writeUInt16LE(1, 22); // mono
  header.writeUInt32LE(kRateHz, 24);
  header.writeUInt32LE(kRateHz * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(pcm.length, 40);
  await writeFile(path, Buffer.concat([header, pcm]));
}

export const durationMs = (pcm) => (pcm.length / 2 / kRateHz) * 1000;

function silence(ms) {
  return Buffer.alloc(2 * Math.round((kRateHz * ms) / 1000));
}

function joined(clips, pauseMs) {
  const parts = [];
  const turns = [];
  let atMs = 0;
  const add = (pcm) => {
    parts.push(pcm);
    atMs += durationMs(pcm);
  };
  add(silence(pauseMs));
  for (const { speaker, file, text } of clips) {
    const pcm = readClip(file);
    const startMs = atMs;
    add(pcm);
    turns.push({ speaker, text, startMs, endMs: atMs });
    add(silence(pauseMs));
  }
  return { pcm: Buffer.concat(parts), turns };
}

/** About 25 s of the reader alone. */
export function readerAlone(pauseMs = 800) {
  return joined(kReader.map(([file, text]) => ({ speaker: "reader", file, text })), pauseMs);
}

/** Reader and operator take turns on one track: seven turns are 43 s, four are 25 s. */
export function conversation(turnCount = 7, pauseMs = 900) {
  const all = [kReader[0], kOperator[0], kReader[1], kOperator[1], kReader[2], kOperator[2], kReader[3]];
  const turns = all.slice(0, turnCount);
  return joined(
    turns.map((clip) => ({ speaker: kOperator.includes(clip) ? "operator" : "reader", file: clip[0], text: clip[1] })),
    pauseMs,
  );
}

export function words(text) {
  return text
    .toLowerCase()
    .replace(/[^a-z' ]+/g, " ")
    .split(" ")
    .filter((word) => word !== "");
}

/** Word error rate: edits over reference words. */
export function wordErrorRate(reference, hypothesis) {
  const wanted = words(reference);
  const heard = words(hypothesis);
  let row = Array.from({ length: heard.length + 1 }, (_, i) => i);
  for (let i = 1; i <= wanted.length; ++i) {
    const next = [i];
    for (let j = 1; j <= heard.length; ++j) {
      const substitution = row[j - 1] + (wanted[i - 1] === heard[j - 1] ? 0 : 1);
      next.push(Math.min(substitution, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[heard.length] / wanted.length;
}

/** Which reference speaker each label stands for, by the time they share; and the share of reference
 *  speech time that bears the right label. */
export function speakerAgreement(turns, captions) {
  const shared = new Map();
  let total = 0;
  for (const turn of turns) {
    for (const caption of captions) {
      const ms = Math.min(turn.endMs, caption.end_ms) - Math.max(turn.startMs, caption.start_ms);
      if (ms <= 0) continue;
      const key = `${caption.speaker.key} ${turn.speaker}`;
      shared.set(key, (shared.get(key) ?? 0) + ms);
      total += ms;
    }
  }
  const best = new Map();
  for (const [pair, ms] of shared) {
    const key = pair.split(" ")[0];
    if (ms > (best.get(key)?.ms ?? 0)) best.set(key, { speaker: pair.split(" ")[1], ms });
  }
  const right = [...best.values()].reduce((sum, { ms }) => sum + ms, 0);
  return { share: total > 0 ? right / total : 0, speakers: new Set([...best.values()].map((b) => b.speaker)) };
}
