// The server and its senders die at the same moment, and the senders do not come back: what was
// acknowledged is in the recording all the same, and its words are captions.

import { oggOpusMs } from "../e2e/support/formats.mjs";
import { check, highest, Load, random, sleep, withServer } from "./support.mjs";

export const what = "server and senders die together: what was acknowledged is kept";

export async function run({ directory, seed, short, say }) {
  const next = random(seed);
  const rounds = short ? 4 : 40;
  return withServer(directory, async (server) => {
    let worstMs = 0;
    for (let i = 0; i < rounds; ++i) {
      const load = new Load(server, directory, { uplinks: 4, viewers: 2, seconds: 600, seed: seed + i });
      await load.started();
      await sleep(3000 + next() * 4000);
      load.child.kill("SIGKILL");
      await server.kill();
      const durable = highest(await load.events(), "durable");
      check(durable.size === 4, "not every sender was acknowledged");
      await server.restart();
      const [meeting] = load.meetings;
      await server.endMeeting(meeting);
      for (const [who, frames] of durable) {
        const track = who.split(" ")[1];
        const audio = await server.ask("GET", `/api/meetings/${meeting}/tracks/${track}/audio`);
        check(audio.status === 200, `the recording of ${who}: ${audio.status}`);
        const missingMs = frames * 20 - oggOpusMs(audio.bytes);
        worstMs = Math.max(worstMs, missingMs);
        check(missingMs <= 0, `round ${i + 1}, ${who}: the last ${missingMs} ms of acknowledged sound are not recorded`);
      }
      const { captions } = JSON.parse(await server.export(meeting, "json"));
      const heard = Math.max(...highest(await load.events(), "final").values());
      check(captions.length >= heard, `${heard} captions were seen, ${captions.length} are left`);
      say(`round ${i + 1} of ${rounds}: ${captions.length} captions, nothing missing`);
    }
    return { rounds, missing_ms_max: worstMs };
  });
}
