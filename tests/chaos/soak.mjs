// Meetings, uplinks and viewers come and go: memory, descriptors and threads stay what they were.

import { readFileSync, readdirSync } from "node:fs";
import { check, Load, sleep, withServer } from "./support.mjs";

const kWarmCycles = 3;
const kGrowthMax = 0.05; // Of the resident memory after the warm-up.

export const what = "churn: memory, descriptors and threads stay flat";

function measure(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)[1]);
  return { rss_kb: field("VmRSS"), threads: field("Threads"), fds: readdirSync(`/proc/${pid}/fd`).length };
}

export async function run({ directory, seed, short, say }) {
  const cycles = kWarmCycles + (short ? 5 : 60);
  return withServer(directory, async (server) => {
    const samples = [];
    for (let i = 0; i < cycles; ++i) {
      const load = new Load(server, directory, {
        viewers: 64, seconds: 3, seed: seed + i, flags: ["--meetings", 4, "--ramp-ms", 200],
      });
      await load.report();
      await sleep(1_500);
      samples.push(measure(server.child.pid));
      say(`cycle ${i + 1} of ${cycles}: ${JSON.stringify(samples.at(-1))}`);
    }
    const [warm, last] = [samples[kWarmCycles - 1], samples.at(-1)];
    const growth = last.rss_kb / warm.rss_kb - 1;
    check(growth <= kGrowthMax, `memory grew by ${(100 * growth).toFixed(1)} %: ${samples.map(({ rss_kb }) => rss_kb)}`);
    check(last.threads <= warm.threads, `threads grew: ${samples.map(({ threads }) => threads)}`);
    check(last.fds <= warm.fds + 2, `descriptors grew: ${samples.map(({ fds }) => fds)}`);
    return { cycles, growth_percent: Number((100 * growth).toFixed(2)), warm, last };
  });
}
