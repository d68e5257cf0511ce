// ./dev chaos [NAME] [--short] [--seed N] [--kills N]: every scenario, one after another; `kill` with
// 200 kills, 5 when short, or N.

import { withDirectory } from "./support.mjs";

const scenarios = ["kill", "sender", "database", "disk", "worker", "drain", "backup", "network", "soak"];

const words = process.argv.slice(2);
const short = words.includes("--short");
const numberAfter = (word, otherwise) => (words.includes(word) ? Number(words[words.indexOf(word) + 1]) : otherwise);
const seed = numberAfter("--seed", Math.floor(Math.random() * 1_000_000));
const kills = numberAfter("--kills", short ? 5 : 200);
const name = words.find((word, i) => !word.startsWith("--") && !["--seed", "--kills"].includes(words[i - 1]));
const chosen = scenarios.filter((scenario) => name === undefined || scenario === name);
if (chosen.length === 0) {
  console.error(`no scenario is named ${name}; there are: ${scenarios.join(", ")}`);
  process.exit(2);
}

let failed = 0;
for (const scenario of chosen) {
  const { run, what } = await import(`./${scenario}.mjs`);
  console.log(`== ${scenario}: ${what} (--seed ${seed})`);
  const startMs = performance.now();
  try {
    const say = (text) => console.log(`   ${text}`);
    const figures = await withDirectory((directory) => run({ directory, seed, short, kills, say }));
    console.log(`   ${JSON.stringify(figures)}`);
    console.log(`   kept, ${((performance.now() - startMs) / 1000).toFixed(0)} s`);
  } catch (error) {
    ++failed;
    console.log(`   BROKEN (again with: ./dev chaos ${scenario}${short ? " --short" : ""} --seed ${seed})`);
    console.log(error.stack.replace(/^/gm, "   "));
  }
}
process.exit(failed === 0 ? 0 : 1);
