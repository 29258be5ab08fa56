// SPDX-FileCopyrightText: The minrnn authors
// SPDX-License-Identifier: MIT
// The switch between light and dark, the menu of a narrow screen, and the search: over the index that Doxygen writes
// beside the pages, and over their headings. Scripts alone are loaded, so it also works from files, without a server.
'use strict';

const root = document.documentElement;
const here = document.currentScript.src.replace(/[^/]*$/, '');

const stored = (() => { try { return localStorage.getItem('minrnn-scheme'); } catch { return null; } })();
if (stored) root.dataset.scheme = stored;  // before anything is painted

// Doxygen's pages make one of these; theirs needs the frame that this search has no use for.
function SearchBox() {}

function load(name) {
  return new Promise(done => {
    const script = document.createElement('script');
    script.src = here + name;
    script.onload = script.onerror = done;
    document.head.append(script);
  });
}

function plain(text) {
  const element = document.createElement('textarea');
  element.innerHTML = text;
  return element.value;
}

// What Doxygen's index says of a name. A file has no scope, but its page is called by its path.
function entryOf(name, where, link) {
  const file = /^(.*)_8hpp\.html$/.exec(link);
  if (file) where = file[1].replace(/_2/g, '/').replace(/__/g, '_') + '.hpp';
  return {name: file ? where : name, where: file ? 'header' : where.replace('(Global Namespace)', ''), link,
          rank: file ? 3 : /#/.test(link) ? 2 : 1};
}

const entries = [];
let loading = null;

// Doxygen's index is a file for each letter, and each of them sets the same variable.
async function loadIndex() {
  await load('headings.js');
  for (const [name, page, link] of window.minrnnHeadings || []) entries.push({name, where: page, link, rank: 0});
  await load('search/searchdata.js');
  const letters = [...((window.indexSectionsWithContent || {})[0] || '')];
  for (let i = 0; i < letters.length; ++i) {
    await load('search/all_' + i.toString(16) + '.js');
    for (const [, [name, ...places]] of window.searchData || [])
      for (const [link, , where] of places)
        if (!/_8(md|dox)\.html/.test(link))
          entries.push(entryOf(plain(name), plain(where || ''), link.replace('../', '')));
    window.searchData = [];
  }
}

function matches(words) {
  const found = [];
  for (const entry of entries) {
    const name = entry.name.toLowerCase(), all = name + ' ' + entry.where.toLowerCase();
    if (!words.every(word => all.includes(word))) continue;
    const first = name === words.join(' ') ? 0 : name.startsWith(words[0]) ? 1 : name.includes(words[0]) ? 2 : 3;
    found.push([first * 4 + entry.rank, entry]);
  }
  found.sort((a, b) => a[0] - b[0] || a[1].name.length - b[1].name.length);
  return found.slice(0, 40).map(pair => pair[1]);
}

function show(list, text) {
  const words = text.toLowerCase().split(/\s+/).filter(word => word);
  list.replaceChildren();
  list.hidden = words.length === 0;
  if (list.hidden) return;
  const found = matches(words);
  for (const entry of found) {
    const [link, name, where] = ['a', 'b', 'span'].map(tag => document.createElement(tag));
    link.href = here + entry.link;
    name.textContent = entry.name;
    where.textContent = entry.where;
    link.append(name, where);
    list.append(link);
  }
  if (found.length > 0) list.firstChild.className = 'chosen';
  else list.append(Object.assign(document.createElement('p'), {textContent: 'Nothing is called so.'}));
}

function choose(list, step) {
  const links = [...list.querySelectorAll('a')];
  if (links.length === 0) return;
  const at = links.findIndex(link => link.className);
  links[at].className = '';
  const next = links[(at + step + links.length) % links.length];
  next.className = 'chosen';
  next.scrollIntoView({block: 'nearest'});
}

function setUpSearch() {
  const input = document.querySelector('#search input'), list = document.getElementById('found');
  const update = async () => {
    loading = loading || loadIndex();
    await loading;
    show(list, input.value);
  };
  input.addEventListener('input', update);
  input.addEventListener('focus', update);
  input.addEventListener('keydown', event => {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step) choose(list, step);
    else if (event.key === 'Enter' && list.querySelector('.chosen')) list.querySelector('.chosen').click();
    else if (event.key === 'Escape') list.hidden = true;
    else return;
    event.preventDefault();
  });
  document.addEventListener('click', event => {
    if (!event.target.closest('#search')) list.hidden = true;
  });
  document.addEventListener('keydown', event => {
    if (event.key === '/' && !/INPUT|TEXTAREA/.test(document.activeElement.tagName)) {
      event.preventDefault();
      input.focus();
    }
  });
  const query = new URLSearchParams(location.search).get('q');
  if (query) {
    input.value = query;
    input.focus();
    update();
  }
}

function setUpScheme() {
  document.getElementById('scheme').addEventListener('click', () => {
    const system = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
    const dark = (root.dataset.scheme || system) === 'dark';
    root.dataset.scheme = dark ? 'light' : 'dark';
    try { localStorage.setItem('minrnn-scheme', root.dataset.scheme); } catch { /* private windows have no storage */ }
  });
}

function setUpMenu() {
  const button = document.getElementById('menu');
  const set = open => {
    document.body.classList.toggle('open', open);
    button.setAttribute('aria-expanded', open);
  };
  button.addEventListener('click', () => set(!document.body.classList.contains('open')));
  document.querySelector('main').addEventListener('click', () => set(false));
  const page = location.pathname.replace(/.*\//, '') || 'index.html';
  const group = document.querySelector('.ingroups a');
  for (const link of document.querySelectorAll('#contents a')) {
    const target = link.getAttribute('href');
    if (target === page || (group && target === group.getAttribute('href'))) {
      link.classList.add('here');
      link.scrollIntoView({block: 'nearest'});
    }
  }
}

// "MinGru< S > Class Template Reference": what kind of thing it is stands below its name.
function setUpTitle() {
  const title = document.querySelector('.title'), text = title && title.firstChild;
  if (!text || text.nodeType !== Node.TEXT_NODE) return;
  const kind = / ((?:Class|Struct|Concept|Namespace|File|Directory)[\w ]*) Reference\s*$/.exec(text.data);
  if (!kind) return;
  const label = document.createElement('span');
  label.className = 'kind';
  label.textContent = kind[1].toLowerCase().replace(' template', '');
  text.data = text.data.slice(0, kind.index).replace(/^minrnn::|< .*>$/g, '').trim();
  text.after(label);
}

// The headings of a page can be folded, and are where they would fill a narrow screen.
function setUpHeadings() {
  const box = document.querySelector('.toc'), list = box && box.querySelector('ul');
  if (!list) return;
  const fold = document.createElement('details');
  fold.open = matchMedia('(min-width: 36rem)').matches;
  fold.append(Object.assign(document.createElement('summary'), {textContent: 'On this page'}));
  list.before(fold);
  fold.append(list);
}

// Doxygen 1.9.4 takes the middle of "Hidden" for a type of Objective-C.
function setUpPrograms() {
  for (const span of document.querySelectorAll('span.keywordtype'))
    if (span.textContent === 'id') span.replaceWith('id');
}

// Doxygen also leads to lists that it leaves out, as those of private members.
function setUpSummary() {
  for (const link of document.querySelectorAll('.summary a'))
    if (!document.getElementById(link.hash.slice(1))) link.replaceWith(link.textContent);
}

document.addEventListener('DOMContentLoaded', () => {
  setUpPrograms();
  setUpSummary();
  setUpHeadings();
  setUpScheme();
  setUpMenu();
  setUpTitle();
  setUpSearch();
});
