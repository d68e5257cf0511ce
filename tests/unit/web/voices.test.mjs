import assert from "node:assert/strict";
import { test } from "node:test";

import { clockTime, kVoices, nameOf, voiceOf } from "../../../web/src/voices";

test("the first twelve voices have twelve colours", () => {
  const colours = new Set(Array.from({ length: kVoices }, (_, i) => voiceOf(`s${i}`)));
  assert.equal(colours.size, kVoices);
});

test("a colour depends on the key alone and is always one of twelve", () => {
  for (const key of ["s1", "t1", "", "anything", "s99999999999999999999", "\u{1F399}"]) {
    assert.equal(voiceOf(key), voiceOf(key));
    assert.ok(Number.isInteger(voiceOf(key)) && voiceOf(key) >= 0 && voiceOf(key) < kVoices, key);
  }
  assert.notEqual(voiceOf("s1"), voiceOf("t1"));
});

test("times read as a clock", () => {
  assert.equal(clockTime(0), "0:00");
  assert.equal(clockTime(81_230), "1:21");
  assert.equal(clockTime(3_681_999), "1:01:21");
  assert.equal(clockTime(-5), "0:00");
});

test("a speaker without a name goes by the key", () => {
  assert.equal(nameOf({ key: "s2", name: "" }), "s2");
  assert.equal(nameOf({ key: "", name: "" }), "Unknown");
});
