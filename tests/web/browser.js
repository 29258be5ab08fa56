// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// A page in headless Chromium, driven by the DevTools protocol over pipes: nothing but Node is needed.

'use strict';

const {spawn} = require('child_process'), fs = require('fs'), os = require('os'), path = require('path');

class Browser {
  constructor(program) {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'minrnn-web-'));
    this.process = spawn(program, ['--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run',
      '--remote-debugging-pipe', `--user-data-dir=${this.folder}`, 'about:blank'],
      {stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe']});
    this.waiting = new Map();
    this.listeners = [];
    this.next = 1;
    let rest = '';
    this.process.stdio[4].setEncoding('utf8').on('data', (data) => {
      const messages = (rest + data).split('\0');
      rest = messages.pop();
      for (const message of messages) this.hear(JSON.parse(message));
    });
  }

  hear(message) {
    if (!message.id) return this.listeners.forEach((listener) => listener(message));
    const {resolve, reject, method} = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.error) reject(new Error(`${method}: ${message.error.message}`));
    else resolve(message.result);
  }
  send(method, params = {}, sessionId = undefined) {
    const id = this.next++;
    this.process.stdio[3].write(JSON.stringify({id, method, params, sessionId}) + '\0');
    return new Promise((resolve, reject) => this.waiting.set(id, {resolve, reject, method}));
  }

  /** What goes wrong in the page, and what it asks of a network, is added to `complaints`. */
  async open(url, complaints) {
    const {targetId} = await this.send('Target.createTarget', {url: 'about:blank'});
    const {sessionId} = await this.send('Target.attachToTarget', {targetId, flatten: true});
    const page = new Page(this, sessionId);
    this.listeners.push(({method, params}) => {
      if (method === 'Runtime.exceptionThrown') complaints.push(params.exceptionDetails.exception?.description);
      if (method === 'Runtime.consoleAPICalled' && ['error', 'warning', 'assert'].includes(params.type))
        complaints.push(params.args.map((a) => a.value ?? a.description).join(' '));
      if (method === 'Log.entryAdded' && params.entry.level !== 'verbose') complaints.push(params.entry.text);
      if (method === 'Network.requestWillBeSent' && !/^(file|blob|data):/.test(params.request.url))
        complaints.push(`asks for ${params.request.url}`);
    });
    for (const domain of ['Runtime', 'Log', 'Network', 'Page', 'DOM']) await page.send(`${domain}.enable`);
    await page.send('Page.navigate', {url});
    return page;
  }

  async close() {
    await Promise.race([this.send('Browser.close').catch(() => {}), new Promise((done) => setTimeout(done, 3000))]);
    this.process.kill();
    await new Promise((done) => setTimeout(done, 200));
    fs.rmSync(this.folder, {recursive: true, force: true, maxRetries: 5});
  }
}

class Page {
  constructor(browser, session) {
    Object.assign(this, {browser, session});
  }
  send(method, params) {
    return this.browser.send(method, params, this.session);
  }
  async evaluate(expression) {
    const {result, exceptionDetails} =
      await this.send('Runtime.evaluate', {expression, awaitPromise: true, returnByValue: true, userGesture: true});
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description}`);
    return result.value;
  }
  click(selector) {
    return this.evaluate(`document.querySelector(${JSON.stringify(selector)}).click()`);
  }
  text(selector) {
    return this.evaluate(`document.querySelector(${JSON.stringify(selector)}).textContent`);
  }
  set(selector, value) {
    return this.evaluate(`{
      const element = document.querySelector(${JSON.stringify(selector)});
      element.value = ${JSON.stringify(value)};
      for (const type of ['input', 'change']) element.dispatchEvent(new Event(type, {bubbles: true}));
    }`);
  }
  async until(expression, seconds = 60) {
    for (const end = Date.now() + seconds * 1000; Date.now() < end; await new Promise((done) => setTimeout(done, 100)))
      if (await this.evaluate(expression)) return;
    throw new Error(`not within ${seconds} s: ${expression}; the page says: ${await this.text('#status')}`);
  }
  async choose(selector, file) {
    const {root} = await this.send('DOM.getDocument');
    const {nodeId} = await this.send('DOM.querySelector', {nodeId: root.nodeId, selector});
    await this.send('DOM.setFileInputFiles', {nodeId, files: [file]});
  }
  async screenshot(file, width, height, theme) {
    await this.send('Emulation.setEmulatedMedia', {features: [{name: 'prefers-color-scheme', value: theme}]});
    await this.send('Emulation.setDeviceMetricsOverride', {width, height, deviceScaleFactor: 1, mobile: width < 500});
    await new Promise((done) => setTimeout(done, 400));
    const {data} = await this.send('Page.captureScreenshot', {captureBeyondViewport: width < 500});
    fs.writeFileSync(file, Buffer.from(data, 'base64'));
  }
}

module.exports = {Browser};
