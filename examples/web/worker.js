// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// Trains, validates and writes, one piece of work after the other, and looks for messages of the page between two of
// them. The module of trainer.cpp stands before this text, as createTrainer.

'use strict';

const kSample = 400;  // characters
const kPace = 90;     // characters a second that are written while it trains, as one can read them

let module = null;
let running = false;
let turn = 0;   // of `run`: one that comes while another sleeps takes its place
let stopAt = 0;  // the step at which it pauses
let every = 50;
let facts = null;
let sampling = {temperature: 0.8, prompt: ''};
let left = 0;   // characters of the sample that is being written
let owed = 0;   // characters that the pace allows
let at = 0;     // the step
let speed = 0;  // characters a second, of the last steps

function ask(request) {
  const answer = JSON.parse(module.ccall('minrnn_answer', 'string', ['string'], [JSON.stringify(request)]));
  if (answer.error) throw new Error(answer.error);
  return answer;
}

const nextMessage = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function validate() {
  postMessage({what: 'validated', ...ask({ask: 'validate'})});
}

function write(count) {
  if (left === 0) {
    left = kSample;
    postMessage({what: 'sample', step: at, ...sampling});
    ask({ask: 'write', count: 0, ...sampling});
  }
  count = Math.min(count, left);
  left -= count;
  const {bytes} = ask({ask: 'write', count, temperature: sampling.temperature});
  postMessage({what: 'wrote', bytes: Uint8Array.from(bytes), last: left === 0});
}

function train() {
  const losses = [], began = performance.now();
  let milliseconds = 0;
  do {
    const {step, loss} = ask({ask: 'train'});
    at = step;
    losses.push([step, loss]);
    milliseconds = performance.now() - began;
  } while (milliseconds < 60 && at % every !== 0);
  const now = losses.length * facts.step_characters / milliseconds * 1000;
  speed = speed === 0 ? now : speed + (now - speed) * Math.min(1, milliseconds / 2000);
  postMessage({what: 'trained', losses, speed});
  if (at % every === 0) validate();
  owed = Math.min(owed + (performance.now() - began) * kPace / 1000, kPace);
  if (owed >= 1) write(Math.floor(owed));
  owed -= Math.floor(owed);
}

async function run() {
  if (running) return;
  const own = ++turn;
  running = true;
  while (running && own === turn && at !== stopAt) {
    train();
    await nextMessage(0);
  }
  if (own !== turn) return;
  running = false;
  if (at === stopAt) {
    stopAt = -1;
    postMessage({what: 'done'});
  }
  await finishWriting();
}

// While it does not train, the sample that has begun.
async function finishWriting() {
  while (left > 0 && !running) {
    write(2);
    await nextMessage(2000 / kPace);
  }
}
async function writeAnew() {
  const isWriting = left > 0 && !running;
  left = 0;
  write(1);
  if (!isWriting) await finishWriting();
}

const todo = {
  async load({wasm}) {
    module = await createTrainer({wasmBinary: wasm, locateFile: (name) => name});
    postMessage({what: 'ready', ...ask({ask: 'mixers'})});
  },
  begin({request, text, weights, andRun}) {
    running = false;
    module.FS.writeFile('text.txt', text);
    if (weights) module.FS.writeFile('open.safetensors', weights);
    facts = ask({ask: 'begin', open: Boolean(weights), ...request});
    [stopAt, every, at, left, owed, speed] = [request.steps, request.evaluate_every, 0, 0, 0, 0];
    postMessage({what: 'begun', ...facts});
    validate();
    if (andRun) handle({data: {what: 'run'}});
  },
  run,
  pause() {
    running = false;
  },
  sampling(settings) {
    sampling = {temperature: settings.temperature, prompt: settings.prompt};
  },
  write: writeAnew,
  save() {
    postMessage({what: 'saved', bytes: module.FS.readFile('model.safetensors')});
  },
};

async function handle({data}) {
  try {
    await todo[data.what](data);
  } catch (error) {
    running = false;
    postMessage({what: 'failed', during: data.what, reason: error.message ?? String(error)});
  }
}
onmessage = handle;
