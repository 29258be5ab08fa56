// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// node losses_test.js TRAINER.js CHAR_LM TEXT: the module of the page and the program compute the same. The losses of
// each step and of each validation agree to 1e-4, and each of them reads what the other has written.

'use strict';

const assert = require('assert'), fs = require('fs'), os = require('os'), path = require('path');
const {execFileSync} = require('child_process');

const [trainer, program, text] = process.argv.slice(2).map((file) => path.resolve(file));
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'minrnn-losses-'));
const kSteps = 20;
const settings = {layers: 1, dim: 48, batch: 8, context: 32, steps: kSteps, learning_rate: 0.003, seed: 7,
                  evaluate_every: 1};

function native(mixer, weights) {
  const log = path.join(folder, 'log.csv');
  const options = {mixer, layers: 1, dim: 48, batch: 8, context: 32, steps: kSteps, 'learning-rate': 0.003, seed: 7,
                   'evaluate-every': 1, data: text, threads: 1, log, checkpoint: weights};
  execFileSync(program, ['train', '--overwrite', ...Object.entries(options).flatMap(([k, v]) => [`--${k}`, `${v}`])]);
  const rows = fs.readFileSync(log, 'utf8').trim().split('\n').slice(1);
  return rows.map((row) => row.split(',').slice(1, 3).map(Number));  // train_loss, validation_loss
}

const loading = require(trainer)({wasmBinary: fs.readFileSync(trainer.replace(/js$/, 'wasm'))});

async function inModule(mixer, weights) {
  const module = await loading;
  const ask = (request) => {
    const answer = JSON.parse(module.ccall('minrnn_answer', 'string', ['string'], [JSON.stringify(request)]));
    assert(!answer.error, answer.error);
    return answer;
  };
  module.FS.writeFile('text.txt', fs.readFileSync(text));
  if (weights) module.FS.writeFile('open.safetensors', fs.readFileSync(weights));
  ask({ask: 'begin', open: Boolean(weights), ...settings, mixer});
  return {ask, best: () => module.FS.readFile('model.safetensors')};
}

function evaluate(weights) {
  const said = execFileSync(program, ['eval', '--checkpoint', weights, '--data', text], {encoding: 'utf8'});
  return Number(/([\d.]+) nats/.exec(said)[1]);
}

async function compare(mixer) {
  const theirs = path.join(folder, 'native.safetensors'), ours = path.join(folder, 'wasm.safetensors');
  const wanted = native(mixer, theirs), {ask, best} = await inModule(mixer);
  let worst = 0;
  for (const [train, validation] of wanted) {
    const step = ask({ask: 'train'}), validated = ask({ask: 'validate'});
    worst = Math.max(worst, Math.abs(step.loss - train), Math.abs(validated.validation - validation));
  }
  assert(worst < 1e-4, `${mixer}: a loss is off by ${worst}`);
  fs.writeFileSync(ours, best());
  const off = Math.abs(evaluate(ours) - evaluate(theirs));
  assert(off < 2e-4, `${mixer}: with the weights of the module the program has a loss that is off by ${off}`);
  const opened = (await inModule(mixer, theirs)).ask({ask: 'validate'}).validation;
  assert(Math.abs(opened - wanted.at(-1)[1]) < 1e-4, `${mixer}: the module reads ${opened} from the program's weights`);
  console.log(`${mixer}: ${kSteps} steps, losses at most ${worst.toExponential(1)} apart`);
}

(async () => {
  try {
    for (const mixer of ['mingru', 'minlstm', 'signed-mingru', 'signed-minlstm', 'gru', 'lstm']) await compare(mixer);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    fs.rmSync(folder, {recursive: true});
  }
})();
