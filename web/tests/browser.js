// The built page on a server of its own, and a real browser that looks at it.

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import { preview } from "vite";

const ROOT = new URL("..", import.meta.url).pathname;
const BROWSERS = ["chromium", "chromium-browser", "google-chrome"]; // as in tests/test_web.py
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Serve dist on a free port of this machine, and start a browser. */
export async function open() {
  const executablePath = process.env.CHROMIUM || onPath(BROWSERS);
  const server = await preview({
    root: ROOT,
    logLevel: "silent",
    preview: { host: "127.0.0.1", port: 0 },
  });
  const { port } = server.httpServer.address();
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  return {
    origin: `http://127.0.0.1:${port}`,
    browser,
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** The first of some programs that lies on PATH. */
function onPath(names) {
  const folders = process.env.PATH.split(delimiter);
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
}

/** The page at an address, its dream begun; what went wrong there, and what it asked for.
 * `prepare(page)` comes before. */
export async function visit({ browser, origin }, search, options = {}, prepare = async () => {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  const problems = [];
  const requests = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  context.on("request", (request) => requests.push(request.url()));
  await prepare(page);
  await page.goto(`${origin}/${search}`);
  await page.waitForFunction(() => {
    const canvas = document.querySelector(".screen canvas");
    return canvas?.getContext("2d").getImageData(32, 32, 1, 1).data[3]; // drawn
  });
  await page.waitForFunction(() => document.getElementById("says").textContent === "");
  return { page, context, problems, requests };
}

/** The bytes of the picture of pane i. */
export function picture(page, i = 0) {
  return page.evaluate((i) => {
    const canvas = document.querySelectorAll(".screen canvas")[i];
    return [...canvas.getContext("2d").getImageData(0, 0, 64, 64).data];
  }, i);
}

export const seconds = async (page) => Number(await page.textContent("#seconds"));

/** Wait until the view is this many steps old. */
export function until(page, steps) {
  return page.waitForFunction(
    (least) => Number(document.getElementById("seconds").textContent) >= least,
    steps / 50,
  );
}
