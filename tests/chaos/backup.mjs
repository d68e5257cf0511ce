// A backup is taken while the server runs, everything is lost, and it is brought back: once as of a
// moment before somebody deleted a meeting's words, once whole.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Server } from "../e2e/support/server.mjs";
import { check, serverFlags, sleep, waitFor } from "./support.mjs";

export const what = "backup, loss and restore to a moment: counts and hashes are equal";

const tool = fileURLToPath(new URL("../../deploy/backup", import.meta.url));

function backup(...words) {
  const done = spawnSync(tool, words, { encoding: "utf8", timeout: 60_000 });
  check(done.status === 0, `backup ${words[0]}: ${done.stderr}`);
}

function sql(server, text) {
  const connection = `host=${server.dataDir}/postgres/socket user=qylon_owner dbname=qylon`;
  const done = spawnSync("psql", ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", connection, "-c", text], { encoding: "utf8" });
  check(done.status === 0, done.stderr);
  return done.stdout.trim();
}

const speak = (server, meeting, from, to) => sql(server, `
  insert into utterances (meeting, caption_offset, segment, revision, track, start_ms, end_ms,
    speaker_key, speaker_confidence, text, confidence, language, engine)
  select '${meeting}', n, n, 1, 0, n * 1000, n * 1000 + 900, '', 0, 'words ' || n, 1, 'en', 'drill'
  from generate_series(${from}, ${to}) n`);

const digest = (server) => sql(server, `
  select count(*), md5(string_agg(concat(meeting, caption_offset, text), ',' order by meeting, caption_offset))
  from utterances`);

export async function run({ directory, say }) {
  const kept = join(directory, "backup");
  const flags = await serverFlags(directory);
  const server = await Server.start({ dataDir: join(directory, "data"), flags });
  let follower;
  let whole;
  let before;
  let moment;
  try {
    const meeting = await server.createMeeting("Drill");
    speak(server, meeting, 1, 500);
    backup("base", server.dataDir, kept);
    follower = spawn(tool, ["wal", server.dataDir, kept], { stdio: "ignore" });
    speak(server, meeting, 501, 1000);
    before = digest(server);
    await sleep(50);
    moment = sql(server, "select clock_timestamp()");
    await sleep(50);
    sql(server, `delete from utterances where meeting = '${meeting}'`);
    speak(server, await server.createMeeting("After"), 1, 100);
    whole = digest(server);
    // The follower has a change once it has synced it: it is asked for by its position.
    const position = sql(server, "select pg_current_wal_insert_lsn()");
    await waitFor(
      () => sql(server, `select count(*) from pg_stat_replication
        where application_name = 'pg_receivewal' and flush_lsn >= '${position}'`) === "1",
      "the change in the backup",
    );
  } finally {
    follower?.kill("SIGINT");
    if (follower !== undefined && follower.exitCode === null) await once(follower, "close");
    await server.kill();
  }

  const seconds = {};
  for (const [name, at, expected] of [["moment", [moment], before], ["newest", [], whole]]) {
    const dataDir = join(directory, name);
    const startMs = performance.now();
    backup("restore", kept, dataDir, ...at);
    const restored = await Server.start({ dataDir, flags });
    try {
      seconds[name] = Number(((performance.now() - startMs) / 1000).toFixed(1));
      const found = digest(restored);
      check(found === expected, `${name}: ${found} instead of ${expected}`);
      say(`${name}: ${found.split("|")[0]} captions and their hash are back in ${seconds[name]} s`);
    } finally {
      await restored.stop();
    }
  }
  return { restore_s: seconds };
}
