// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// node page_test.js minrnn.html CHROMIUM [FOLDER]: a visitor's way through the page, from a file and without a network.
// Leaves screenshots in the folder.

'use strict';

const assert = require('assert'), fs = require('fs'), path = require('path');
const {pathToFileURL} = require('url');
const {Browser} = require('./browser.js');

const [file, chromium, folder] = process.argv.slice(2);
const state = (...names) => `${JSON.stringify(names)}.includes(document.body?.dataset.state)`;
const stepAbove = (n) => `Number(document.querySelector('#step').textContent.replace(/,/g, '')) >= ${n}`;

async function trains(page) {
  await page.until(state('ready'));
  await page.set('#size', '1,64');
  await page.set('#steps', '500');
  await page.click('#start');
  await page.until(stepAbove(20), 120);
  const first = Number(await page.text('#validation-loss'));
  assert(first > 2.5, `the first validation loss is ${first}`);
  await page.until(stepAbove(150), 300);
  const later = Number(await page.text('#validation-loss')), train = Number(await page.text('#train-loss'));
  assert(later < first - 1 && train < first - 1, `the losses fall from ${first} to ${train} and ${later} alone`);
  assert(Number((await page.text('#speed')).replace(/,/g, '')) > 100, 'it shows its speed');
  assert((await page.text('#samples article pre')).length > 5, 'it writes while it trains');
  assert.match(await page.evaluate(`document.querySelector('#curve').ariaLabel`), /step \d+ training .* validation/);
}

async function savesAndOpens(page, browser) {
  await page.click('#start');
  assert(await page.evaluate(state('paused')));
  const best = await page.text('#validation-loss');
  await browser.send('Browser.setDownloadBehavior', {behavior: 'allow', downloadPath: browser.folder});
  await page.click('#save');
  const saved = path.join(browser.folder, 'minrnn.safetensors');
  for (let i = 0; i < 100 && !fs.existsSync(saved); ++i) await new Promise((done) => setTimeout(done, 100));
  const bytes = fs.readFileSync(saved), header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))));
  assert.equal(header.__metadata__.program, 'char_lm');
  assert.equal(header.__metadata__.mixer, 'mingru');
  await page.click('#reset');
  await page.choose('#weights-file', saved);
  await page.until(state('paused'));
  await page.until(`document.querySelector('#validation-loss').textContent === '${best}'`);
  await page.until(`document.querySelector('#samples pre')?.textContent.length > 30`);
  await page.click('#reset');
}

async function takesTexts(page) {
  await page.set('#pasted', 'too short');
  await page.click('#start');
  await page.until(`document.querySelector('#status.error')?.textContent.includes('too short')`);
  await new Promise((done) => setTimeout(done, 300));
  assert(await page.evaluate(state('ready')) && await page.text('#step') === '0', 'nothing is trained then');
  await page.set('#mixer', 'gru');
  await page.evaluate(`{
    const files = new DataTransfer();
    const sentence = 'Zwölf Boxkämpfer jagen Viktor quer über den großen Deich. ';
    files.items.add(new File([sentence.repeat(200)], 'satz.txt'));
    dispatchEvent(new DragEvent('drop', {dataTransfer: files, cancelable: true}));
  }`);
  await page.until(`document.querySelector('#text-name').textContent === 'satz.txt'`);
  await page.set('#prompt', 'Zwölf');
  await page.set('#temperature', '0');
  await page.click('#start');
  await page.until(stepAbove(100), 300);
  await page.click('#start');
  await page.click('#write');
  // What it was writing before it was paused may stand there first.
  await page.until(`[...document.querySelectorAll('#samples pre')].some(({textContent: text}) =>
    text.startsWith('Zwölf Boxkämpfer jagen Viktor quer über den großen Deich.') && text.length >= 300)`);
}

async function fits(page) {
  await page.click('#reset');
  await page.click('#default-text');
  await page.set('#mixer', 'mingru');
  await page.set('#prompt', '');
  await page.set('#temperature', '0.8');
  await page.click('#start');
  await page.until(stepAbove(folder ? 400 : 30), 300);
  for (const width of [1400, 390])
    for (const theme of ['light', 'dark']) {
      const name = path.join(folder ?? page.browser.folder, `${theme}-${width}.png`);
      await page.screenshot(name, width, 880, theme);
      const over = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      assert(over <= 0, `at ${width} pixels it is ${over} too wide`);
    }
}

(async () => {
  const browser = new Browser(chromium), complaints = [];
  try {
    const page = await browser.open(pathToFileURL(path.resolve(file)).href, complaints);
    const began = Date.now();
    for (const part of [trains, savesAndOpens, takesTexts, fits]) {
      await part(page, browser);
      console.log(`${part.name}: ok, ${Math.round((Date.now() - began) / 1000)} s`);
    }
    assert.deepEqual(complaints, []);
  } catch (error) {
    console.error(error.message, complaints);
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
})();
