import assert from "node:assert/strict";
import { test } from "node:test";

import { Transcript } from "../../../web/src/transcript";

const speaker = { key: "s1", name: "Ann" };

function position(offset, { epoch = "e1", recovered = true } = {}) {
  return { type: "position", topic: "meeting/m/captions", epoch, offset, recovered };
}
function final(offset, segment = offset, text = `line ${offset}`) {
  return { type: "caption", final: true, offset, segment, revision: 9, start_ms: segment * 1000, end_ms: 0, speaker, text };
}
function interim(segment, revision, text, startMs = segment * 1000) {
  return { type: "caption", final: false, segment, revision, start_ms: startMs, end_ms: 0, speaker, text, stable_words: 1 };
}
function texts(transcript) {
  return transcript.lines.map((line) => line.text);
}
function started(offset = 0) {
  const transcript = new Transcript();
  transcript.onPosition(position(offset));
  return transcript;
}

test("a new reader asks for everything", () => {
  assert.equal(new Transcript().position(), undefined);
});

test("the position follows the finals", () => {
  const transcript = started(2);
  transcript.onCaption(final(1));
  assert.deepEqual(transcript.position(), { epoch: "e1", offset: 1 });
});

test("a final that comes twice is shown once", () => {
  const transcript = started();
  transcript.onCaption(final(1));
  assert.equal(transcript.onCaption(final(1)).kind, "none");
  assert.deepEqual(texts(transcript), ["line 1"]);
});

test("a reconnect that replays what is known changes nothing", () => {
  const transcript = started();
  for (const offset of [1, 2, 3]) transcript.onCaption(final(offset));
  transcript.onPosition(position(4));
  for (const offset of [2, 3, 4]) transcript.onCaption(final(offset));
  assert.deepEqual(texts(transcript), ["line 1", "line 2", "line 3", "line 4"]);
});

test("an interim is replaced by the next and by its final", () => {
  const transcript = started();
  transcript.onCaption(interim(1, 1, "hel"));
  assert.equal(transcript.onCaption(interim(1, 2, "hello")).replaces, true);
  assert.equal(transcript.lines[0].final, false);
  transcript.onCaption(final(1));
  assert.deepEqual(texts(transcript), ["line 1"]);
  assert.equal(transcript.lines[0].final, true);
});

test("an older revision and an interim after the final are dropped", () => {
  const transcript = started();
  transcript.onCaption(interim(1, 2, "new"));
  assert.equal(transcript.onCaption(interim(1, 1, "old")).kind, "none");
  transcript.onCaption(final(1));
  assert.equal(transcript.onCaption(interim(1, 99, "late")).kind, "none");
  assert.deepEqual(texts(transcript), ["line 1"]);
});

test("a final without text takes its interim back and still counts", () => {
  const transcript = started();
  transcript.onCaption(interim(1, 1, "noise"));
  assert.deepEqual(transcript.onCaption(final(1, 1, "")), { kind: "removed", segments: [1] });
  assert.deepEqual(texts(transcript), []);
  assert.equal(transcript.position().offset, 1);
});

test("lines stand by start, whatever the order they come in", () => {
  const transcript = started();
  transcript.onCaption(interim(7, 1, "now", 9000));
  transcript.onCaption(final(1, 5));
  const change = transcript.onCaption(final(2, 3));
  assert.equal(change.index, 0);
  assert.deepEqual(texts(transcript), ["line 2", "line 1", "now"]);
});

test("a live final that is missing asks for a new connection and is not skipped", () => {
  const transcript = started();
  transcript.onCaption(final(1));
  assert.equal(transcript.onCaption(final(3)).kind, "gap");
  assert.deepEqual(transcript.position(), { epoch: "e1", offset: 1 });
});

test("numbers may be missing in a replay, which the server vouches for", () => {
  const transcript = started(5);
  transcript.onCaption(final(1));
  assert.equal(transcript.onCaption(final(5)).kind, "shown");
});

test("replaying ends with the position's offset", () => {
  const transcript = started(2);
  transcript.onCaption(final(1));
  assert.equal(transcript.replaying(), true);
  transcript.onCaption(final(2));
  assert.equal(transcript.replaying(), false);
});

test("recovered:false clears and begins the new epoch", () => {
  const transcript = started();
  transcript.onCaption(final(1));
  assert.equal(transcript.onPosition(position(1, { epoch: "e2", recovered: false })).kind, "cleared");
  transcript.onCaption(final(1, 1, "anew"));
  assert.deepEqual(texts(transcript), ["anew"]);
  assert.deepEqual(transcript.position(), { epoch: "e2", offset: 1 });
});

test("another epoch clears even when the server forgets to say so", () => {
  const transcript = started();
  transcript.onCaption(final(1));
  assert.equal(transcript.onPosition(position(1, { epoch: "e2" })).kind, "cleared");
});

test("a reconnect drops the interims, which may have changed meanwhile", () => {
  const transcript = started();
  transcript.onCaption(final(1));
  transcript.onCaption(interim(2, 5, "half a sen"));
  assert.deepEqual(transcript.onPosition(position(1)), { kind: "removed", segments: [2] });
  transcript.onCaption(interim(2, 1, "after the restart"));
  assert.deepEqual(texts(transcript), ["line 1", "after the restart"]);
});

function revision(offset, kind, rest = {}) {
  return { type: "revision", offset, kind, speaker: { key: "s2", name: "Ben" }, ...rest };
}
function names(transcript) {
  return transcript.lines.map((line) => line.speaker.name);
}

test("a revision gives lines another speaker", () => {
  const transcript = started();
  for (const offset of [1, 2, 3]) transcript.onCaption(final(offset));
  const change = transcript.onRevision(revision(4, "relabel", { captions: [1, 3] }));
  assert.deepEqual(change.lines.map((line) => line.offset), [1, 3]);
  assert.deepEqual(names(transcript), ["Ben", "Ann", "Ben"]);
  assert.equal(transcript.position().offset, 4);
});

test("a merge takes all lines of a speaker, also the interim", () => {
  const transcript = started();
  transcript.onCaption(final(1));
  transcript.onCaption(interim(2, 1, "so"));
  transcript.onRevision(revision(2, "merge", { from: "s1" }));
  assert.deepEqual(names(transcript), ["Ben", "Ben"]);
});

test("a rename concerns the speaker with the key", () => {
  const transcript = started();
  transcript.onCaption(final(1));
  assert.equal(transcript.onRevision(revision(2, "rename")).kind, "none");
  transcript.onRevision({ ...revision(3, "rename"), speaker: { key: "s1", name: "Anna" } });
  assert.deepEqual(names(transcript), ["Anna"]);
});

test("a revision counts as a final does: twice is once, and a gap is noticed", () => {
  const transcript = started();
  transcript.onCaption(final(1));
  transcript.onRevision(revision(2, "merge", { from: "s1" }));
  assert.equal(transcript.onRevision(revision(2, "merge", { from: "s1" })).kind, "none");
  assert.equal(transcript.onRevision(revision(4, "merge", { from: "s1" })).kind, "gap");
  assert.equal(transcript.onRevision(revision(3, "of a later version")).kind, "none");
  assert.equal(transcript.position().offset, 3);
});

test("any cut and any overlap of a replay show every line once", () => {
  // Every way to cut ten finals into two connections, with every overlap of the second one.
  for (let seen = 0; seen <= 10; ++seen) {
    for (let from = 0; from <= seen; ++from) {
      const transcript = started();
      for (let offset = 1; offset <= seen; ++offset) transcript.onCaption(final(offset));
      transcript.onCaption(interim(seen + 1, 1, "cut"));
      transcript.onPosition(position(10));
      for (let offset = from + 1; offset <= 10; ++offset) transcript.onCaption(final(offset));
      assert.deepEqual(texts(transcript), Array.from({ length: 10 }, (_, i) => `line ${i + 1}`));
    }
  }
});
