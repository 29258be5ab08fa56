// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT

// node bundle.js SOURCES BUILT OUTPUT: one page of all its parts. What is large goes in compressed, in base64.

'use strict';

const fs = require('fs'), path = require('path'), zlib = require('zlib');
const [sources, built, output] = process.argv.slice(2);

const script = (...files) => {
  const text = files.map((file) => fs.readFileSync(file, 'utf8')).join('\n');
  if (/<\/script|<!--/i.test(text)) throw new Error(`${files}: would end the script that it stands in`);
  return text;
};
const compressed = (file) => zlib.gzipSync(fs.readFileSync(file), {level: 9}).toString('base64');
const source = (name) => path.join(sources, name), made = (name) => path.join(built, name);

const parts = {
  'style.css': () => fs.readFileSync(source('style.css'), 'utf8'),
  'worker.js': () => script(made('trainer.js'), source('worker.js')),
  'trainer.wasm': () => compressed(made('trainer.wasm')),
  'default_text.txt': () => compressed(made('default_text.txt')),
  'curve.js': () => script(source('curve.js')),
  'page.js': () => script(source('page.js')),
};
let page = fs.readFileSync(source('page.html'), 'utf8');
for (const [name, part] of Object.entries(parts)) {
  const place = `/* ${name} */`;
  if (page.split(place).length !== 2) throw new Error(`page.html: wanted ${place} once`);
  page = page.replace(place, part);
}
fs.writeFileSync(output, page);
const size = (bytes) => `${Math.round(bytes / 1000)} kB`;
console.log(`${output}: ${size(page.length)}; trainer.wasm ${size(fs.statSync(made('trainer.wasm')).size)}, ` +
            `compressed ${size(zlib.gzipSync(fs.readFileSync(made('trainer.wasm')), {level: 9}).length)}`);
