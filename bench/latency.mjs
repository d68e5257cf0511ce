// How long a reader waits: the demo meeting is streamed in real time through the real server and
// `qylon uplink`, and a subscriber notes when each caption arrives.
//
//   first word: from the beginning of an utterance to its first interim
//   final:      from the end of an utterance (as captioned, 0.2 s after its last sound) to its final
//
// Meeting time is tied to the reader's clock by the status message that arrived with least delay.
// Prints also the CPU seconds of the server and its workers per second of meeting.
// Usage: QYLON_BINARY=path node bench/latency.mjs

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { Server } from "../tests/e2e/support/server.mjs";
import { Subscriber } from "../tests/e2e/support/subscriber.mjs";

function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}

function show(what, values) {
  const [p50, p95] = [quantile(values, 0.5), quantile(values, 0.95)];
  console.log(`${what.padEnd(12)} p50 ${p50.toFixed(0)} ms, p95 ${p95.toFixed(0)} ms, of ${values.length}`);
}

/** CPU seconds of `pid` and everything below it, ended children included. */
function cpuSeconds(pid) {
  const fields = (id) => readFileSync(`/proc/${id}/stat`, "utf8").replace(/^.*\) /, "").split(" ");
  const parents = new Map();
  for (const id of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      parents.set(Number(id), fields(id));
    } catch {
      // It has just ended.
    }
  }
  const below = (id) => [id, ...[...parents].filter(([, f]) => Number(f[1]) === id).flatMap(([child]) => below(child))];
  return below(pid).reduce((sum, id) => sum + parents.get(id).slice(11, 15).reduce((a, b) => a + Number(b), 0) / 100, 0);
}

const folder = mkdtempSync(join(tmpdir(), "qylon-latency-"));
const wav = join(folder, "meeting.wav");
execFileSync("python3", [new URL("../demo/make_meeting.py", import.meta.url).pathname, wav]);
const server = await Server.start();
const meeting = await server.createMeeting("Latency");
const reader = await Subscriber.open(server, meeting);
const before = cpuSeconds(server.child.pid);
await server.uplink(wav, meeting, ["--realtime"]);
const lastMs = Math.max(...reader.ofType("status").map((status) => status.position_ms));
await server.endMeeting(meeting);
const cpu = cpuSeconds(server.child.pid) - before;

const zeroMs = Math.min(...reader.ofType("status").filter((s) => s.position_ms > 0).map((s) => s.heardMs - s.position_ms));
const finals = reader.finals.filter((final) => final.text !== "");
const firsts = finals.flatMap((final) => {
  const first = reader.interims.find((interim) => interim.segment === final.segment);
  return first === undefined ? [] : [first.heardMs - zeroMs - final.start_ms];
});
show("first word", firsts);
show("final", finals.map((final) => final.heardMs - zeroMs - final.end_ms));
console.log(`CPU ${(cpu / (lastMs / 1000)).toFixed(2)} s per second of one voice speaking, recogniser included`);
await server.stop();
rmSync(folder, { recursive: true, force: true });
