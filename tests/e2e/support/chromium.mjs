// The real browser of the tests that look at pages.

import { existsSync } from "node:fs";

import { chromium } from "playwright-core";

import { speechIsInstalled } from "./speech.mjs";

const kChromium = process.env.QYLON_CHROMIUM ?? "/usr/bin/chromium";

/** Why a test with speech on a page cannot run here; false when it can. */
export const skip = !existsSync(kChromium)
  ? "Chromium is not installed"
  : speechIsInstalled()
    ? false
    : "pocketsphinx-testdata or asterisk-core-sounds-en-g722 is not installed";

export function launchChromium(flags = []) {
  return chromium.launch({
    executablePath: kChromium,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync", ...flags],
  });
}
