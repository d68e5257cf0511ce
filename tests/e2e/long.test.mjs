// A meeting of several minutes and several people, from data that lie beside the repository.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";

import { readJson } from "./support/formats.mjs";
import { Server } from "./support/server.mjs";
import { wordErrorRate } from "./support/speech.mjs";

const base = `${process.env.QYLON_SHARED_DATA ?? ""}/speaker/dev/meetings/dev01`;
const skip = existsSync(`${base}.clean.opus`) ? false : "the shared data are not there";

test("a simulated meeting of minutes keeps its words and tells its voices apart", { skip, timeout: 500_000 }, async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  const utterances = JSON.parse(readFileSync(`${base}.utts.json`, "utf8"));
  const meeting = await server.createMeeting("Simulated");
  const result = await server.uplink(`${base}.clean.opus`, meeting);
  assert.equal(result.code, 0, result.stderr + result.stdout);
  await server.endMeeting(meeting);
  const captions = readJson(await server.export(meeting, "json"));
  const reference = utterances.filter((u) => u.complete !== false).map((u) => u.text).join(" ");
  const rate = wordErrorRate(reference, captions.map((c) => c.text).join(" "));
  // LibriSpeech readers through pocketsphinx's stock model: 61 % of words wrong on test-other.
  assert.ok(rate <= 0.75, `${(rate * 100).toFixed(1)} % of the words are wrong`);
  const voices = new Set(captions.map((c) => c.speaker)).size;
  const people = new Set(utterances.map((u) => u.spk)).size;
  assert.ok(voices >= 2 && voices <= people * 3, `${voices} voices for ${people} people`);
});
