// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

'use strict';

/** Loss by steps, drawn on a canvas: a training as it goes on, and the validation of those before it, pale. */
class Curve {
  constructor(canvas) {
    this.canvas = canvas;
    this.runs = [];
    this.begin('', 0, null);
    this.pointer = null;
    new ResizeObserver(() => this.draw()).observe(canvas);
    canvas.addEventListener('pointermove', (event) => this.point(event.offsetX));
    canvas.addEventListener('pointerleave', () => this.point(null));
  }

  /** `chance`: the loss of guessing. What was trained on another text is no longer shown. */
  begin(name, chance, text) {
    if (this.validation?.length > 1) this.runs = [...this.runs, {name: this.name, points: this.validation}].slice(-3);
    if (this.text !== text) this.runs = [];
    Object.assign(this, {name, chance, text, train: [], smooth: [], validation: []});
    this.draw();
  }
  addTrain(step, loss) {
    const before = this.smooth.at(-1)?.[1] ?? loss;
    const weight = Math.max(1 / (this.smooth.length + 1), 0.1);
    this.train.push([step, loss]);
    this.smooth.push([step, before + (loss - before) * weight]);
  }
  addValidation(step, loss) {
    this.validation.push([step, loss]);
  }
  trainLoss() {
    return this.smooth.at(-1)?.[1];
  }
  point(x) {
    this.pointer = x;
    this.draw();
  }

  /** Steps of 1, 2 or 5 times a power of ten, about so many of them. */
  static ticks(from, to, count) {
    const rough = (to - from) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough);
    const ticks = [];
    for (let i = Math.ceil(from / step - 1e-9) + 0; i * step <= to * (1 + 1e-9); ++i) ticks.push(i * step + 0);
    return ticks;
  }

  draw() {
    const width = this.canvas.clientWidth, height = this.canvas.clientHeight, scale = window.devicePixelRatio || 1;
    if (width === 0 || height === 0) return;
    this.canvas.width = Math.round(width * scale);
    this.canvas.height = Math.round(height * scale);
    const context = this.canvas.getContext('2d');
    context.scale(scale, scale);
    const style = getComputedStyle(document.documentElement);
    this.colour = (name) => style.getPropertyValue('--' + name).trim();
    this.context = context;

    const all = [...this.runs.map((run) => run.points), this.train, this.validation].flat();
    const most = Math.max(this.chance, ...this.validation.map((p) => p[1]), 1) * 1.04;
    const least = Math.min(...all.map((p) => p[1]), most);
    this.range = {from: Math.max(0, Math.floor((least - 0.15) * 2) / 2), to: most,
                  steps: Math.max(this.shownSteps(all), 20)};
    this.box = {left: 38, right: width - 12, top: 10, bottom: height - 36};
    this.drawAxes();
    this.drawCurves();
    this.drawPointer();
  }
  /** What has been read so far, rounded up, so that the beginning is not lost in an empty axis. */
  shownSteps(all) {
    const last = all.reduce((most, p) => Math.max(most, p[0]), 0);
    return [50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000].find((n) => n >= last) ?? last * 1.1;
  }
  x(step) {
    return this.box.left + (this.box.right - this.box.left) * step / this.range.steps;
  }
  y(loss) {
    const {from, to} = this.range;
    return this.box.bottom + (this.box.top - this.box.bottom) * (Math.min(loss, to) - from) / (to - from);
  }

  drawAxes() {
    const {context, box, range} = this;
    context.font = '12px system-ui, sans-serif';
    context.fillStyle = this.colour('soft');
    context.strokeStyle = this.colour('line');
    context.lineWidth = 1;
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    for (const loss of Curve.ticks(range.from, range.to, 5)) {
      const y = Math.round(this.y(loss)) + 0.5;
      this.line([[box.left, y], [box.right, y]]);
      context.fillText(Number(loss.toFixed(2)).toString(), box.left - 8, y);
    }
    context.textAlign = 'center';
    context.textBaseline = 'top';
    for (const step of Curve.ticks(0, range.steps, Math.min(6, (box.right - box.left) / 70)))
      context.fillText(step.toLocaleString('en'), Math.min(this.x(step), box.right - 10), box.bottom + 8);
    context.textAlign = 'right';
    context.fillText('steps', box.right, box.bottom + 22);
    if (this.chance > 0) {
      const y = Math.round(this.y(this.chance)) + 0.5;
      context.setLineDash([2, 4]);
      context.strokeStyle = this.colour('ghost');
      this.line([[box.left, y], [box.right, y]]);
      context.setLineDash([]);
      context.fillText('pure guessing', box.right, y + 5);
    }
  }

  line(points) {
    this.context.beginPath();
    points.forEach(([x, y], i) => i === 0 ? this.context.moveTo(x, y) : this.context.lineTo(x, y));
    this.context.stroke();
  }
  curve(points, colour, width, alpha = 1) {
    const {context} = this, thin = Math.max(1, Math.floor(points.length / (2 * (this.box.right - this.box.left))));
    Object.assign(context, {strokeStyle: colour, lineWidth: width, globalAlpha: alpha, lineJoin: 'round'});
    const kept = points.filter((_, i) => i % thin === 0 || i === points.length - 1);
    this.line(kept.map(([step, loss]) => [this.x(step), this.y(loss)]));
    context.globalAlpha = 1;
  }

  drawCurves() {
    const {context} = this;
    for (const run of this.runs) {
      this.curve(run.points, this.colour('ghost'), 1.5, 0.7);
      const [step, loss] = run.points.at(-1);
      Object.assign(context, {fillStyle: this.colour('ghost'), textBaseline: 'middle', textAlign: 'left'});
      const room = this.box.right - this.x(step) > 90;
      if (!room) context.textAlign = 'right';
      context.fillText(run.name, this.x(step) + (room ? 6 : -6), this.y(loss) - (room ? 0 : 10));
    }
    this.curve(this.train, this.colour('train'), 1, 0.28);
    this.curve(this.smooth, this.colour('train'), 2);
    this.curve(this.validation, this.colour('validation'), 2);
    context.fillStyle = this.colour('validation');
    if (this.validation.length > 0 && this.validation.length < 60)
      for (const [step, loss] of this.validation) this.dot(step, loss, 2.5);
    this.drawKey();
  }
  dot(step, loss, radius) {
    this.context.beginPath();
    this.context.arc(this.x(step), this.y(loss), radius, 0, 7);
    this.context.fill();
  }
  drawKey() {
    const {context, box} = this;
    let x = box.left;
    Object.assign(context, {textAlign: 'left', textBaseline: 'middle', lineWidth: 2.5});
    for (const name of ['train', 'validation']) {
      context.strokeStyle = this.colour(name);
      this.line([[x, box.bottom + 29], [x + 18, box.bottom + 29]]);
      context.fillStyle = this.colour('ink');
      const text = name === 'train' ? 'training' : 'validation';
      context.fillText(text, x + 24, box.bottom + 29);
      x += 44 + context.measureText(text).width;
    }
  }

  drawPointer() {
    if (this.pointer === null || this.smooth.length === 0) return;
    const {context, box, pointer} = this;
    const nearest = (points) =>
      points.reduce((best, p) => Math.abs(this.x(p[0]) - pointer) < Math.abs(this.x(best[0]) - pointer) ? p : best);
    const train = nearest(this.smooth), x = Math.round(this.x(train[0])) + 0.5;
    Object.assign(context, {strokeStyle: this.colour('ghost'), lineWidth: 1});
    this.line([[x, box.top], [x, box.bottom]]);
    const lines = [[`step ${train[0].toLocaleString('en')}`, 'ink'], [`training ${train[1].toFixed(3)}`, 'train']];
    context.fillStyle = this.colour('train');
    this.dot(...train, 4);
    if (this.validation.length > 0) {
      const validation = nearest(this.validation);
      lines.push([`validation ${validation[1].toFixed(3)}`, 'validation']);
      context.fillStyle = this.colour('validation');
      this.dot(...validation, 4);
    }
    const width = Math.max(...lines.map(([text]) => context.measureText(text).width)) + 20;
    const left = x + 12 + width > box.right ? x - 12 - width : x + 12, top = box.top + 26;
    Object.assign(context, {fillStyle: this.colour('card'), strokeStyle: this.colour('line')});
    context.beginPath();
    context.roundRect(left, top, width, 18 * lines.length + 12, 8);
    context.fill();
    context.stroke();
    lines.forEach(([text, colour], i) => {
      Object.assign(context, {fillStyle: this.colour(colour), textAlign: 'left', textBaseline: 'middle'});
      context.fillText(text, left + 10, top + 15 + 18 * i);
    });
  }
}
