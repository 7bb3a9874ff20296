import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { open, picture, seconds, until, visit } from "./browser.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const VIEWS = ["dream", "two", "world"];

let served;
before(async () => (served = await open()));
after(() => served.close());

test("every view dreams without an error and asks only its own host", async () => {
  for (const view of VIEWS) {
    const { page, context, problems, requests } = await visit(served, `?seed=1&view=${view}`);
    const first = await picture(page);
    await until(page, 20);
    assert.notDeepEqual(await picture(page), first, `${view} stands still`);
    assert.deepEqual(problems, []);
    const foreign = requests.filter((url) => !url.startsWith(`${served.origin}/`));
    assert.deepEqual(foreign, []);
    assert.ok(requests.some((url) => url.endsWith(".wasm")));
    await context.close();
  }
});

test("the policy of the page keeps out scripts and hosts that are not its own", async () => {
  const { page, context, problems } = await visit(served, "?seed=1");
  const broken = await page.evaluate(async () => {
    const broken = [];
    addEventListener("securitypolicyviolation", (event) => broken.push(event.violatedDirective));
    await fetch("http://127.0.0.2:9/").catch(() => {});
    const script = document.createElement("script");
    script.textContent = "window.injected = true";
    document.body.append(script);
    const image = new Image();
    image.src = "http://127.0.0.2:9/picture.png";
    await new Promise((resolve) => setTimeout(resolve, 200));
    return [...broken, window.injected];
  });
  assert.deepEqual(broken, ["connect-src", "script-src-elem", "img-src", undefined]);
  assert.ok(problems.every((text) => /Content Security Policy|127\.0\.0\.2/.test(text)));
  await context.close();
});

test("the same link begins with the same picture, another start with another", async () => {
  const still = { reducedMotion: "reduce" };
  const pictures = [];
  for (const seed of [3, 3, 4]) {
    const { page, context } = await visit(served, `?seed=${seed}`, still);
    pictures.push(await picture(page));
    await context.close();
  }
  assert.deepEqual(pictures[0], pictures[1]);
  assert.notDeepEqual(pictures[0], pictures[2]);
});

test("the agent drives 100 steps of a dream, and it does not end", async (t) => {
  const { page, context } = await visit(served, "?seed=2");
  await page.selectOption("#pace", "Infinity");
  await until(page, 100);
  assert.equal(await page.locator(".screen .end:visible").count(), 0);
  assert.ok(Number(await page.textContent("#points")) > 0);
  await page.waitForFunction(() => Number(document.getElementById("rate").textContent) > 0);
  t.diagnostic(`${await page.textContent("#rate")} steps/s`);
  await context.close();
});

test("keys take the wheel and change the picture", async () => {
  const pictures = [];
  for (const key of ["ArrowLeft", "ArrowRight"]) {
    const { page, context } = await visit(served, "?seed=5", { reducedMotion: "reduce" });
    await page.keyboard.down(key);
    await page.keyboard.press(" ");
    await until(page, 40);
    await page.keyboard.press(" ");
    assert.equal(await page.getAttribute("#driver", "aria-pressed"), "false");
    pictures.push(await picture(page));
    await context.close();
  }
  const apart = pictures[0].filter((byte, i) => Math.abs(byte - pictures[1][i]) > 30).length;
  assert.ok(apart > 500, `${apart} bytes differ`);
});

test("a held button steers, and the agent takes over again", async () => {
  const { page, context } = await visit(served, "?seed=5", { hasTouch: true });
  await page.locator('[data-hold="gas"]').dispatchEvent("pointerdown", { pointerId: 1 });
  assert.equal(await page.getAttribute("#driver", "aria-pressed"), "false");
  await page.keyboard.press("a");
  assert.equal(await page.getAttribute("#driver", "aria-pressed"), "true");
  await context.close();
});

test("a slider pauses the dream and changes its picture, and z can be put back", async () => {
  const { page, context } = await visit(served, "?seed=6");
  await until(page, 10);
  const slider = page.locator("#sliders input").first();
  await slider.focus();
  await page.keyboard.press("Home");
  await page.waitForFunction(() => !document.getElementById("undo").disabled);
  assert.equal(await page.textContent("#play"), "Play");
  const [moved, at] = [await picture(page), await seconds(page)];
  await page.click("#undo");
  await page.waitForFunction(() => document.getElementById("undo").disabled);
  const back = await picture(page);
  assert.notDeepEqual(moved, back);
  assert.equal(await seconds(page), at);
  await context.close();
});

test("dream and world are alike while M sees, and the page tells when they part", async () => {
  const { page, context } = await visit(served, "?seed=1&view=world");
  await page.selectOption("#pace", "Infinity");
  await until(page, 30);
  assert.match(await page.textContent("#parted"), /sees the world/);
  await page.waitForFunction(() =>
    /parted|ends here/.test(document.querySelector("main").textContent.replace(/\s+/g, " ")),
  );
  await context.close();
});

test("axe finds no fault of accessibility, light or dark, wide or narrow", async () => {
  for (const colorScheme of ["light", "dark"]) {
    for (const width of [1280, 360]) {
      const options = { colorScheme, viewport: { width, height: 800 }, reducedMotion: "reduce" };
      const { page, context } = await visit(served, "?seed=1&view=two", options);
      // Where the policy of the page lets no script in, the debugger does.
      await page.evaluate(readFileSync(AXE, "utf8"));
      const { violations } = await page.evaluate(() => window.axe.run());
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), []);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(overflow <= width, `${overflow} pixels wide on ${width}`);
      await context.close();
    }
  }
});
