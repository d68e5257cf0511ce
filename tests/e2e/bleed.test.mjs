// Two people's microphones in one room: whoever speaks is heard on both, and is captioned once.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { readJson } from "./support/formats.mjs";
import { Server } from "./support/server.mjs";
import { conversation, durationMs, speechIsInstalled, wordErrorRate, words } from "./support/speech.mjs";
import { Subscriber } from "./support/subscriber.mjs";
import { frame, hello, UplinkSocket } from "./support/uplink_socket.mjs";

const skip = speechIsInstalled() ? false : "the packages with speech are not installed";
const kFrameMs = 20;
const kFrameBytes = 640;

let server;
before(async () => {
  if (!skip) server = await Server.start();
}, { timeout: 120_000 });
after(() => server?.stop());

/** What each microphone hears: its own person's turns, and the other's `gainDb` louder and `lateMs`
 *  later, over the noise of a quiet room. */
function microphones({ pcm, turns }, gainDb, lateMs) {
  const people = [...new Set(turns.map((turn) => turn.speaker))];
  const late = 16 * lateMs;
  const gain = 10 ** (gainDb / 20);
  let random = 1;
  return people.map((person) => {
    const own = new Uint8Array(pcm.length / 2 / 16 + 1);
    for (const turn of turns) if (turn.speaker === person) own.fill(1, turn.startMs, turn.endMs);
    const out = Buffer.alloc(pcm.length);
    for (let i = 0; i < pcm.length / 2; ++i) {
      random = (random * 1103515245 + 12345) % 2147483648;
      let sample = random / 2 ** 28 - 4;
      if (own[Math.floor(i / 16)]) sample += pcm.readInt16LE(2 * i);
      if (i >= late && !own[Math.floor((i - late) / 16)]) sample += gain * pcm.readInt16LE(2 * (i - late));
      out.writeInt16LE(Math.max(-32768, Math.min(32767, Math.round(sample))), 2 * i);
    }
    return { person, pcm: out };
  });
}

/** Both tracks on one connection at twice the pace of the recording. */
async function stream(meeting, tracks) {
  const uplink = new UplinkSocket(server);
  assert.ok(await uplink.opened);
  const greeting = hello(meeting);
  greeting.tracks = tracks.map(({ person }, track) => ({ ...greeting.tracks[0], track, speaker: person }));
  uplink.send(greeting);
  assert.ok(await uplink.next("welcome"));
  const count = Math.floor(tracks[0].pcm.length / kFrameBytes);
  const startMs = performance.now();
  for (let seq = 0; seq < count; ++seq) {
    while ((seq * kFrameMs) / 2 > performance.now() - startMs) await new Promise((resolve) => setTimeout(resolve, kFrameMs));
    tracks.forEach(({ pcm }, track) =>
      uplink.send(frame({
        track, seq, captureUs: seq * kFrameMs * 1000, flags: seq + 1 === count ? 1 : 0,
        payload: pcm.subarray(seq * kFrameBytes, (seq + 1) * kFrameBytes),
      })));
  }
  return uplink;
}

test("every word is captioned once, although both microphones hear it", { skip, timeout: 200_000 }, async () => {
  const recording = conversation(4);
  const meeting = await server.createMeeting("One room");
  const reader = await Subscriber.open(server, meeting);
  const uplink = await stream(meeting, microphones(recording, -12, 60));
  await server.endMeeting(meeting);
  const captions = readJson(await server.export(meeting, "json"));
  for (const turn of recording.turns) {
    const inside = captions.filter((caption) => {
      const middle = (caption.startMs + caption.endMs) / 2;
      return middle > turn.startMs - 300 && middle < turn.endMs + 600;
    });
    assert.deepEqual([...new Set(inside.map((caption) => caption.speaker))], [turn.speaker], JSON.stringify(inside));
  }
  const said = recording.turns.map((turn) => turn.text).join(" ");
  const heard = captions.map((caption) => caption.text).join(" ");
  assert.ok(words(heard).length <= 1.15 * words(said).length, heard);
  assert.ok(wordErrorRate(said, heard) < 0.6, heard);
  assert.ok(durationMs(recording.pcm) > 20_000);
  uplink.socket.close();
  await reader.close();
});
