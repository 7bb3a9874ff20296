// Bars and lines: the numbers z and h, the pedals, and how far dream and world are apart.

import { APART } from "./parting.js";

const MOST = 1.25; // of the chart's scale, on which two unrelated moments are at 1

/** A canvas that is as sharp as the screen; its context in CSS pixels, cleared. */
function prepared(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = devicePixelRatio || 1;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  const colour = (name) => style.getPropertyValue(`--${name}`);
  return { context, width, height, colour };
}

/** Values in [-1, 1] as bars up and down from the middle; those that do not count are pale. */
export function bars(canvas, values, counts = () => true) {
  const { context, width, height, colour } = prepared(canvas);
  const [each, middle] = [width / values.length, height / 2];
  const thick = Math.max(1, Math.min(10, 0.7 * each));
  context.fillStyle = colour("line");
  context.fillRect(0, middle - 0.5, width, 1);
  values.forEach((value, i) => {
    const length = (middle - 4) * Math.min(1, Math.abs(value));
    context.fillStyle = colour(counts(i) ? "accent" : "pale");
    context.beginPath();
    const top = value > 0 ? middle - length : middle;
    context.roundRect((i + 0.5) * each - thick / 2, top, thick, length, Math.min(2, thick / 2));
    context.fill();
  });
}

/** Steering as a bar from the middle, gas and brake below it. */
export function pedals(canvas, [steering, gas, brake]) {
  const { context, width, height, colour } = prepared(canvas);
  const [thick, middle, half] = [7, width / 2, width / 2 - 6];
  const line = (y, from, to, name) => {
    context.fillStyle = colour(name);
    context.beginPath();
    context.roundRect(Math.min(from, to), y, Math.abs(to - from), thick, thick / 2);
    context.fill();
  };
  const [upper, lower] = [height * 0.28 - thick / 2, height * 0.72 - thick / 2];
  line(upper, middle - half, middle + half, "line");
  line(lower, middle - half, middle - 3, "line");
  line(lower, middle + 3, middle + half, "line");
  line(upper, middle, middle + half * steering, "accent");
  line(lower, middle + 3, middle + 3 + (half - 3) * gas, "accent");
  line(lower, middle - 3, middle - 3 - (half - 3) * brake, "warm");
}

/** How far dream and world are apart, step by step, and where they parted. */
export function apart(canvas, parting) {
  const { context, width, height, colour } = prepared(canvas);
  const x = (step) => (step / (parting.steps - 1)) * width;
  const y = (value) => height - 4 - (Math.min(value, MOST) / MOST) * (height - 22);
  context.fillStyle = colour("line");
  context.globalAlpha = 0.55;
  context.fillRect(0, 0, x(parting.watched), height);
  context.globalAlpha = 1;
  context.strokeStyle = colour("soft");
  context.setLineDash([4, 4]);
  context.beginPath();
  context.moveTo(0, y(APART));
  context.lineTo(width, y(APART));
  context.stroke();
  context.setLineDash([]);
  context.strokeStyle = colour("accent");
  context.lineWidth = 2;
  context.beginPath();
  parting.values.forEach((value, step) => context.lineTo(x(step), y(value)));
  context.stroke();
  context.fillStyle = colour("soft");
  context.font = "12px system-ui, sans-serif";
  context.fillText("sees", 6, 14);
  context.fillText("dreams", x(parting.watched) + 6, 14);
  if (parting.at === null) return;
  context.strokeStyle = context.fillStyle = colour("warm");
  context.beginPath();
  context.moveTo(x(parting.at), 18);
  context.lineTo(x(parting.at), height);
  context.stroke();
  const right = x(parting.at) > width - 60;
  context.textAlign = right ? "right" : "left";
  context.fillText("parted", x(parting.at) + (right ? -5 : 5), height - 8);
  context.textAlign = "left";
}
