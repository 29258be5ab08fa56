// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

'use strict';

const $ = (id) => document.getElementById(id);
const curve = new Curve($('curve'));
const kMostText = 64 << 20;  // bytes
const kNotes = {
  'mingru': 'minGRU: gates that see the input alone, so that all steps are trained at once.',
  'minlstm': 'minLSTM: as minGRU, with a forget gate and an input gate, which add up to 1.',
  'signed-mingru': 'minGRU whose memory may change its sign: it can alternate.',
  'signed-minlstm': 'minLSTM whose memory may change its sign.',
  'gru': 'The classic GRU: each step waits for the one before.',
  'lstm': 'The classic LSTM: each step waits for the one before.',
};

let text = null;       // {name, bytes}
let weights = null;    // bytes of a file that the next training begins with
let worker = null;
let state = 'loading';  // ready, training, paused, done, broken
let plannedSteps = 0;
let evaluated = null;

/* What is embedded in this page. */

async function embedded(id) {
  const bytes = Uint8Array.from(atob($(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/* State */

function say(message, isError = false) {
  $('status').textContent = message;
  $('status').classList.toggle('error', isError);
}
function become(next, message) {
  state = document.body.dataset.state = next;
  const begun = ['training', 'paused', 'done'].includes(state);
  $('start').textContent = {training: 'Pause', paused: 'Go on', done: 'Go on'}[state] ?? 'Start';
  $('start').disabled = state === 'loading' || state === 'broken';
  $('reset').disabled = !begun;
  $('save').disabled = !begun;
  $('write').disabled = !begun;
  if (message !== undefined) say(message);
}
const number = (n) => n.toLocaleString('en');
const shownLoss = (loss) => loss === null || loss === undefined ? '–' : loss.toFixed(3);

/* Text */

function takeText(name, bytes) {
  if (bytes.length > kMostText) return say(`${name} has more than 64 MiB`, true);
  text = {name, bytes};
  const seen = new Uint8Array(256);
  for (const byte of bytes) seen[byte] = 1;
  $('text-name').textContent = name;
  $('text-size').textContent = `${number(bytes.length)} characters of ${seen.reduce((a, b) => a + b)} kinds`;
  tellOfReset();
}
function tellOfReset() {
  if (['training', 'paused', 'done'].includes(state)) say('What you have changed applies after Reset.');
}
async function takeFile(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  if (!file.name.endsWith('.safetensors')) return takeText(file.name, bytes);
  weights = {name: file.name, bytes};
  reset();
  begin(false);
}

/* Training */

function settings() {
  const [layers, dim] = $('size').value.split(',').map(Number);
  const read = (id) => {
    if (!$(id).checkValidity() || $(id).value === '') {
      $(id).closest('details').open = true;
      $(id).reportValidity();
      throw new Error(`${$(id).closest('label').textContent.trim()}: please choose another number`);
    }
    return Number($(id).value);
  };
  return {
    mixer: $('mixer').value, layers, dim, batch: read('batch'), context: read('context'),
    steps: Number($('steps').value), learning_rate: read('learning-rate'), seed: read('seed'), evaluate_every: 50,
  };
}
function begin(andRun) {
  const request = settings();
  plannedSteps = request.steps;
  evaluated = null;
  sendSampling();
  worker.postMessage({what: 'begin', request, text: text.bytes, weights: weights?.bytes, andRun});
}
function reset() {
  worker.postMessage({what: 'pause'});
  for (const id of ['train-loss', 'validation-loss', 'speed', 'parameters']) $(id).textContent = '–';
  $('step').textContent = '0';
  $('progress').value = 0;
  $('samples').replaceChildren();
  become('ready', '');
}
function start() {
  if (state === 'training') {
    worker.postMessage({what: 'pause'});
    return become('paused', 'Paused.');
  }
  if (state === 'ready') {
    weights = null;
    begin(true);
  } else {
    worker.postMessage({what: 'run'});
  }
  become('training', state === 'done' ? 'Training on, at the last learning rate.' : 'Training …');
}
function sendSampling() {
  $('temperature-value').textContent = $('temperature').value;
  worker?.postMessage({what: 'sampling', temperature: Number($('temperature').value), prompt: $('prompt').value});
}

/* What it writes */

const kMostSamples = 40;
let sample = null, decoder = null;

function beginSample({step, temperature, prompt}) {
  document.querySelector('#samples .now')?.classList.remove('now');
  $('samples').querySelector('.empty')?.remove();
  sample = document.createElement('article');
  sample.className = 'now';
  const title = document.createElement('h3'), body = document.createElement('pre');
  const loss = evaluated === null ? '' : ` · loss ${shownLoss(evaluated)}`;
  title.textContent = `step ${number(step)}${loss} · temperature ${temperature}`;
  const begins = document.createElement('span');
  begins.className = 'prompt';
  begins.textContent = prompt;
  body.append(begins, document.createTextNode(''));
  sample.append(title, body);
  $('samples').prepend(sample);
  while ($('samples').childElementCount > kMostSamples) $('samples').lastElementChild.remove();
  decoder = new TextDecoder();
}
function addToSample({bytes, last}) {
  sample.lastElementChild.lastChild.data += decoder.decode(bytes, {stream: !last});
  if (last) sample.classList.remove('now');
}

/* What the worker says */

const heard = {
  ready({mixers}) {
    $('mixer').replaceChildren(...mixers.map((name) => new Option(name, name)));
    $('mixer').dispatchEvent(new Event('change'));
    become('ready', '');
  },
  begun(facts) {
    const name = `${facts.mixer} ${facts.layers} × ${facts.dim}`;
    curve.begin(name, Math.log(facts.vocabulary), text);
    $('parameters').textContent = number(facts.parameters);
    if (weights === null) return;
    $('mixer').value = facts.mixer;
    become('paused', `${weights.name}: ${name}. Let it write, or train it on.`);
    worker.postMessage({what: 'write'});
  },
  trained({losses, speed}) {
    for (const [step, loss] of losses) curve.addTrain(step, loss);
    const [step] = losses.at(-1);
    $('step').textContent = number(step);
    $('train-loss').textContent = shownLoss(curve.trainLoss());
    $('speed').textContent = number(Math.round(speed));
    $('progress').value = step / plannedSteps;
    requestAnimationFrame(() => curve.draw());
  },
  validated({step, validation}) {
    evaluated = validation;
    curve.addValidation(step, validation);
    $('validation-loss').textContent = shownLoss(validation);
    const train = curve.trainLoss() === undefined ? '' : `training ${shownLoss(curve.trainLoss())}, `;
    const losses = `${train}validation ${shownLoss(validation)}`;
    $('curve').setAttribute('aria-label', `The loss by steps: at step ${step} ${losses}`);
    curve.draw();
  },
  sample: beginSample,
  wrote: addToSample,
  done() {
    become('done', `Done: ${number(plannedSteps)} steps.`);
  },
  saved({bytes}) {
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([bytes]));
    link.download = 'minrnn.safetensors';
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  },
  failed({during, reason}) {
    const next = {load: 'broken', begin: 'ready', run: 'paused'}[during];
    if (next) become(next);
    say(during === 'load' ? `This browser cannot run it: ${reason}` : reason, true);
  },
};

async function load() {
  const source = new Blob([$('worker-source').textContent], {type: 'text/javascript'});
  worker = new Worker(URL.createObjectURL(source));
  worker.onmessage = ({data}) => heard[data.what](data);
  worker.onerror = (event) => heard.failed({during: 'load', reason: event.message});
  const [wasm, builtIn] = await Promise.all([embedded('module'), embedded('text')]);
  const useDefault = () => takeText('The source of minrnn, its own headers', builtIn);
  $('default-text').onclick = () => {
    $('pasted').value = '';
    useDefault();
  };
  useDefault();
  worker.postMessage({what: 'load', wasm});
}

/* What a visitor does */

const reporting = (action) => async (event) => {
  try {
    await action(event);
  } catch (error) {
    say(error.message, true);
  }
};
$('start').onclick = reporting(start);
$('reset').onclick = reporting(() => reset());
$('save').onclick = () => worker.postMessage({what: 'save'});
$('write').onclick = () => {
  sendSampling();
  worker.postMessage({what: 'write'});
};
$('temperature').oninput = sendSampling;
$('prompt').oninput = sendSampling;
$('prompt').onkeydown = (event) => event.key === 'Enter' && !$('write').disabled && $('write').click();
$('mixer').onchange = () => {
  $('mixer-note').textContent = kNotes[$('mixer').value] ?? '';
  tellOfReset();
};
for (const id of ['size', 'steps', 'batch', 'context', 'seed', 'learning-rate']) $(id).onchange = tellOfReset;
$('pasted').oninput = () => {
  if ($('pasted').value === '') return $('default-text').click();
  takeText('Your text', new TextEncoder().encode($('pasted').value));
};
for (const kind of ['text', 'weights']) {
  $(`open-${kind}`).onclick = () => $(`${kind}-file`).click();
  $(`${kind}-file`).onchange = reporting(async ({target}) => {
    const [file] = target.files;
    target.value = '';
    if (file) await takeFile(file);
  });
}
let entered = 0;
const dragging = (change) => (event) => {
  if (!event.dataTransfer?.types.includes('Files')) return;
  event.preventDefault();
  entered = Math.max(0, entered + change);
  $('drop').hidden = entered === 0;
};
addEventListener('dragenter', dragging(1));
addEventListener('dragleave', dragging(-1));
addEventListener('dragover', dragging(0));
addEventListener('drop', reporting(async (event) => {
  dragging(-entered)(event);
  const [file] = event.dataTransfer.files;
  if (file) await takeFile(file);
}));

function showTheme(theme) {
  document.documentElement.dataset.theme = theme;
  curve.draw();
}
const dark = matchMedia('(prefers-color-scheme: dark)');
showTheme(dark.matches ? 'dark' : 'light');
dark.onchange = () => showTheme(dark.matches ? 'dark' : 'light');
$('theme').onclick = () => showTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');

load().catch((error) => heard.failed({during: 'load', reason: error.message}));
