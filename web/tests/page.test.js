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

test("every view dreams without an error and asks only its own host", async (t) => {
  const { page, context, problems, requests } = await visit(served, "?seed=1");
  for (const view of VIEWS) {
    await page.check(`[name=view][value=${view}]`, { force: true });
    await page.waitForFunction((view) => location.search.includes(`view=${view}`), view);
    const first = await picture(page);
    await until(page, 20);
    assert.notDeepEqual(await picture(page, view === "world" ? 1 : 0), first, view);
  }
  await page.click("#play");
  await page.keyboard.press("r");
  await page.waitForFunction(() => /sees the world/.test(document.body.innerText));
  await page.selectOption("#pace", "Infinity");
  await page.click("#play");
  await page.waitForFunction(() => /They parted|ends here/.test(document.body.innerText));
  t.diagnostic(`${await page.textContent("#rate")} steps/s beside the world`);
  assert.deepEqual(problems, []);
  const foreign = requests.filter((url) => !url.startsWith(`${served.origin}/`));
  assert.deepEqual(foreign, []);
  assert.ok(requests.some((url) => url.endsWith(".wasm")));
  await context.close();
});

test("agent and person drive, each takes over from the other, and sliders change z", async (t) => {
  const { page, context } = await visit(served, "?seed=5");
  const driver = () => page.getAttribute("#driver", "aria-pressed");
  await page.selectOption("#pace", "Infinity");
  await until(page, 100);
  assert.equal(await page.locator(".screen .end:visible").count(), 0, "the dream ended");
  assert.ok(Number(await page.textContent("#points")) > 0);
  t.diagnostic(`${await page.textContent("#rate")} steps/s`);

  const pictures = [];
  for (const key of ["ArrowLeft", "ArrowRight"]) {
    await page.keyboard.press("r");
    await page.waitForFunction(() => Number(document.getElementById("seconds").textContent) < 0.5);
    await page.keyboard.down(key);
    assert.equal(await driver(), "false");
    await until(page, 60);
    pictures.push(await picture(page));
    await page.keyboard.up(key);
    await page.keyboard.press("a");
    assert.equal(await driver(), "true");
  }
  const apart = pictures[0].filter((byte, i) => Math.abs(byte - pictures[1][i]) > 30).length;
  assert.ok(apart > 500, `${apart} bytes differ`);
  await page.locator("[data-hold=gas]").dispatchEvent("pointerdown", { pointerId: 1 });
  assert.equal(await driver(), "false");

  await page.locator("#sliders input").first().focus();
  await page.keyboard.press("Home");
  await page.waitForFunction(() => !document.getElementById("undo").disabled);
  assert.equal(await page.textContent("#play"), "Play");
  const [moved, at] = [await picture(page), await seconds(page)];
  await page.click("#undo");
  await page.waitForFunction(() => document.getElementById("undo").disabled);
  assert.notDeepEqual(moved, await picture(page));
  assert.equal(await seconds(page), at);
  await context.close();
});

test("a link leads to the start that it was copied from", async () => {
  const still = { reducedMotion: "reduce" };
  const { page, context } = await visit(served, "?seed=3", still);
  const first = await picture(page);
  await page.keyboard.press("n");
  await page.waitForFunction(() => !location.search.includes("seed=3&"));
  await page.waitForTimeout(500);
  const [other, link] = [await picture(page), new URL(page.url()).search];
  assert.notDeepEqual(other, first);
  await context.close();
  const again = await visit(served, link, still);
  assert.deepEqual(await picture(again.page), other);
  await again.context.close();
});

test("what goes wrong is said, Restart tries again, the last view asked for stays", async () => {
  const { page, context, problems } = await visit(served, "?seed=1");
  assert.deepEqual(problems, []);
  await page.route("**/episodes/*.png", (route) => route.abort());
  await page.check("[name=view][value=world]", { force: true });
  await page.waitForFunction(() => document.getElementById("fault").textContent);
  await page.keyboard.press("a");
  assert.match(await page.textContent("#fault"), /cannot go on/);
  await page.unroute("**/episodes/*.png");
  await page.keyboard.press("r");
  await page.waitForFunction(() => !document.getElementById("fault").textContent);
  await until(page, 20);

  await page.evaluate(() => {
    for (const view of ["two", "dream"]) document.querySelector(`[value=${view}]`).click();
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "r", bubbles: true }));
  });
  await until(page, 20);
  assert.equal(await page.locator(".pane").count(), 1);
  await page.focus("summary");
  await page.keyboard.press(" ");
  assert.equal(await page.locator("details[open]").count(), 1);
  assert.equal(await page.textContent("#play"), "Pause");
  await context.close();
});

test("with one agent there are no two dreams to choose", async () => {
  const { page, context } = await visit(served, "?view=two", {}, async (page) => {
    await page.route("**/index.json", async (route) => {
      const index = await (await route.fetch()).json();
      await route.fulfill({ json: { ...index, agents: index.agents.slice(0, 1) } });
    });
  });
  await until(page, 10);
  assert.equal(await page.locator(".pane").count(), 1);
  assert.equal(await page.isVisible("[name=view][value=two] + span"), false);
  assert.equal(await page.isVisible("#vision"), false);
  await context.close();
});

test("axe finds no fault, and the policy keeps out what is not of this host", async () => {
  const options = { reducedMotion: "reduce" };
  const { page, context, problems } = await visit(served, "?seed=1&view=two", options);
  // The debugger may do what the page's own policy forbids to others.
  await page.evaluate(readFileSync(AXE, "utf8"));
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    for (const width of [1280, 360]) {
      await page.setViewportSize({ width, height: 800 });
      const { violations } = await page.evaluate(() => window.axe.run());
      assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`), []);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(overflow <= width, `${overflow} pixels wide on ${width}`);
    }
  }
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
  assert.ok(problems.every((text) => /Content Security Policy|127\.0\.0\.2/.test(text)), problems);
  await context.close();
});
