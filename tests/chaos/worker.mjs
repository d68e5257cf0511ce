// The recogniser's processes are killed and crash: another takes over, captions go on.

import { children, check, finalsBetween, kill, Load, nowUs, random, sleep, waitFor, withServer } from "./support.mjs";

export const what = "recogniser processes are killed and crash: captions go on";

/** The zygote's children, or all children of the server that are not PostgreSQL. */
function workers(server) {
  const zygotes = children(server.child.pid).filter((pid) => !children(server.child.pid, /postgres/).includes(pid));
  const pids = zygotes.flatMap((pid) => children(pid));
  return pids.length > 0 && pids;
}

export async function run({ directory, seed, short, say }) {
  const rounds = short ? 8 : 100;
  const next = random(seed);
  return withServer(directory, async (server) => {
    const load = new Load(server, directory, { seconds: 86_400, seed });
    await load.started();
    await sleep(3_000);
    const startUs = nowUs();
    for (let i = 0; i < rounds; ++i) {
      const signal = ["SIGSEGV", "SIGKILL", "SIGABRT"][Math.floor(next() * 3)];
      for (const pid of await waitFor(() => workers(server), "a recogniser process", 5_000)) {
        kill(pid, signal);
      }
      await sleep(500 + next() * 3_000);
    }
    const untilUs = nowUs();
    await sleep(4_000);
    const finals = finalsBetween(await load.events(), startUs, untilUs) / 16;
    check(finals >= rounds, `only ${finals} captions while ${rounds} processes were killed`);
    load.stop();
    const report = await load.report();
    say(`${rounds} kills, ${finals} captions meanwhile`);
    return { rounds, captions: report.captions };
  });
}
