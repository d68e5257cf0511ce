// The journal's disk fails: fdatasync says EIO, then (as root) the disk is full. Captions go on,
// every frame that was ever called durable is in the files of the journal, new streams are refused on
// a full disk, all of it ends by itself when the disk is well again; and a kill in the middle loses nothing acknowledged.

import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { UplinkSocket, hello } from "../e2e/support/uplink_socket.mjs";
import { check, finalsBetween, highest, Load, nowUs, sleep, waitFor, withServer } from "./support.mjs";

const kBrokenMs = 6_000;
const kNoticedMsMax = 40_000;
const kRecoverMsMax = 5_000;
const tools = join(process.env.QYLON_BUILD ?? join(process.env.QYLON_BINARY, ".."), "tests");
const library = join(tools, "libchaos_disk.so");

export const what = "the journal's disk breaks or fills up: no false acknowledgement, no crash, back by itself";

/** Every frame that was ever acknowledged durable lies in the journal's files; how many those are. */
async function checkDurable(server, load) {
  const promised = highest(await load.events(), "durable"); // Before the journal, which only grows.
  const { status, stdout, stderr } = spawnSync(join(tools, "chaos_journal"), [join(server.dataDir, "journal")], { encoding: "utf8" });
  check(status === 0, `chaos_journal: ${stderr}`);
  const runs = stdout.trim().split("\n").map((line) => line.split(" ").map(Number));
  for (const [who, durable] of promised) {
    const track = Number(who.slice("uplink ".length));
    const [, first, end] = runs.find(([of]) => of === track) ?? [track, 0, 0];
    check(first === 0 && end >= durable, `${who}: ${durable} frames were called durable, the journal has ${first} to ${end}`);
  }
  return [...promised.values()].reduce((sum, durable) => sum + durable, 0);
}

/** Kills the server; what it said before it died counts. */
async function killAndCheck(server, load, uplinks) {
  const killedUs = nowUs();
  await server.kill();
  const cut = (events) => events.filter(({ us, who, what }) => what === "closed" && us > killedUs && who.startsWith("uplink"));
  await waitFor(async () => new Set(cut(await load.events()).map(({ who }) => who)).size === uplinks, "the end of every uplink's connection");
  const frames = await checkDurable(server, load);
  const promised = highest(await load.events(), "durable");
  const restartUs = nowUs();
  await server.restart();
  const welcomes = async () => (await load.events()).filter(({ us, what }) => what === "welcome" && us > restartUs);
  await waitFor(async () => new Set((await welcomes()).map(({ who }) => who)).size === uplinks, "a welcome for every uplink");
  for (const { who, n } of await welcomes()) {
    check(n >= promised.get(who), `${who}: ${promised.get(who)} frames were called durable, the server asks for ${n}`);
  }
  return frames;
}

/** Breaks the disk under load with `breakIt`, perhaps kills the server meanwhile, and mends it. */
async function trouble(server, load, { uplinks = 8, breakIt, mend, kill, whileBroken = async () => undefined }) {
  await sleep(3_000);
  const startUs = nowUs();
  await breakIt();
  const said = async () => (await load.events()).some(({ us, what }) => what === "undurable" && us > startUs);
  await waitFor(said, "`durable: null`", kNoticedMsMax); // A segment that is open may have room for a while.
  const brokenUs = nowUs();
  await sleep(kBrokenMs);
  await whileBroken();
  const frames = kill ? await killAndCheck(server, load, uplinks) : await checkDurable(server, load);
  if (kill) await sleep(2_000);
  const untilUs = nowUs();
  await mend();
  const mendedMs = performance.now();
  await waitFor(
    async () => new Set((await load.events()).filter(({ us, what }) => what === "durable" && us > untilUs).map(({ who }) => who)).size === uplinks,
    "an acknowledgement `durable` for every uplink",
    kRecoverMsMax,
  );
  const events = await load.events();
  check(finalsBetween(events, brokenUs, untilUs) > 0, "captions stopped with the disk");
  return { durable_frames_found: frames, recovered_ms: Math.round(performance.now() - mendedMs), captions_meanwhile: finalsBetween(events, brokenUs, untilUs) / 16 };
}

async function eio({ directory, seed, say }) {
  const mark = join(directory, "eio");
  return withServer(
    directory,
    async (server) => {
      const load = new Load(server, directory, { seconds: 86_400, seed });
      await load.started();
      const figures = {};
      for (const kill of [false, true]) {
        figures[kill ? "with_kill" : "alone"] = await trouble(server, load, {
          breakIt: () => writeFile(mark, ""),
          mend: () => rm(mark),
          kill,
        });
      }
      load.stop();
      const report = await load.report();
      say(`EIO: ${JSON.stringify(figures)}, ${report.captions} captions, nothing missing`);
      return figures;
    },
    { env: { LD_PRELOAD: library, QYLON_CHAOS_EIO: mark } },
  );
}

/** What a new stream of `meeting` meets: HTTP status, close code or welcome. */
async function newStream(server, meeting) {
  const uplink = new UplinkSocket(server);
  if (!(await uplink.opened)) return uplink.refused;
  uplink.send(hello(meeting));
  const welcome = await Promise.race([uplink.next("welcome"), uplink.closed]);
  uplink.socket.terminate();
  return welcome;
}

async function full({ directory, seed, say }) {
  const journal = join(directory, "data/journal");
  await mkdir(journal, { recursive: true });
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=512m,mode=0700", "tmpfs", journal]);
  if (mounted.status !== 0) {
    say("disk full: skipped, mounting needs root");
    return "skipped";
  }
  try {
    const ballast = join(journal, "ballast");
    const figures = await withServer(
      directory,
      async (server) => {
        const load = new Load(server, directory, { seconds: 86_400, seed: seed + 1, uplinks: 24 });
        await load.started();
        const late = await server.createMeeting("Late");
        const result = await trouble(server, load, {
          uplinks: 24,
          breakIt: async () => {
            spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=1M", "count=1024"]);
            check(existsSync(ballast), "the ballast was not written");
          },
          mend: () => rm(ballast),
          whileBroken: async () => {
            const { status, headers } = await server.ask("POST", "/api/meetings", { title: "Too late" });
            check(status === 503 && headers.get("retry-after"), `a new meeting on a full disk met ${status}`);
            const answer = await newStream(server, late);
            check(answer === 4006 || answer === 503, `a new stream on a full disk met ${JSON.stringify(answer)}`);
          },
        });
        load.stop();
        await load.report();
        return result;
      },
      // The segment that is open has room for a while: a small one, so that it is soon full.
      { flags: ["--journal-segment-bytes", String(1 << 20), "--free-bytes-min", String(64 << 20)] },
    );
    say(`disk full: ${JSON.stringify(figures)}`);
    return figures;
  } finally {
    spawnSync("umount", ["-l", journal]);
  }
}

export async function run({ directory, seed, say }) {
  const first = await eio({ directory: join(directory, "a"), seed, say });
  const second = await full({ directory: join(directory, "b"), seed, say });
  return { eio: first, full: second };
}
