// SPDX-License-Identifier: Apache-2.0
// Whether the shortened edge function answers as the readable one: the same events, the same
// answers. Prints how many; exits with 1 on a difference.
//
//   node tests/edge/compare.mjs <shortened> <readable> <targets.json> [--store <import.json>]
//
// With --store the shortened one reads its policies from that file, as from CloudFront's
// KeyValueStore. njs runs the shortened one as well, where it needs no store.
import {spawnSync} from 'node:child_process';
import fs from 'node:fs';
import {createRequire} from 'node:module';
import os from 'node:os';
import path from 'node:path';
import vm from 'node:vm';

const [shortPath, readablePath, targetsPath, , storePath] = process.argv.slice(2);
const targets = JSON.parse(fs.readFileSync(targetsPath, 'utf8'));
const HEADERS = {accept: {value: 'image/avif,image/webp,*/*'}, 'sec-ch-dpr': {value: '2'}};

const bare = (text) => text.replace(/^export default .*$/m, '')
    .replace("import cf from 'cloudfront';", '');

// A KeyValueStore with what was imported.
function storeOf(file) {
  const entries = JSON.parse(fs.readFileSync(file, 'utf8')).data;
  const values = new Map(entries.map((entry) => [entry.key, entry.value]));
  for (const [key, value] of values) {
    const isFine = Buffer.byteLength(value) <= 1024 && Buffer.byteLength(key) <= 512;
    if (!isFine) throw new Error(`${key}: longer than the store takes`);
  }
  return {
    exists: async (key) => values.has(key),
    get: async (key) => {
      if (!values.has(key)) throw new Error('KeyNotFound');
      return values.get(key);
    }
  };
}

function load(file, more) {
  const context = vm.createContext({require: createRequire(import.meta.url), Buffer, ...more});
  return vm.runInContext(bare(fs.readFileSync(file, 'utf8')) + '\n;handler;', context);
}

// Also run by njs, and so in its language.
function eventFor(target, headers) {
  const at = target.indexOf('?');
  return {
    version: '1.0',
    request: {
      method: 'GET',
      uri: at < 0 ? target : target.slice(0, at),
      rawQueryString: () => at < 0 ? '' : target.slice(at + 1),
      querystring: {},
      headers: headers
    }
  };
}

function inNjs() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'edge-'));
  const file = path.join(folder, 'run.js');
  fs.writeFileSync(file, fs.readFileSync(shortPath, 'utf8') + `
${eventFor}
const TARGETS = ${JSON.stringify(targets)};
TARGETS.forEach((target) => {
  const text = JSON.stringify(handler(eventFor(target, ${JSON.stringify(HEADERS)})));
  for (let i = 0; i < text.length; i += 1000) console.log(text.slice(i, i + 1000));
  console.log('');
});`);
  const done = spawnSync('njs', [file], {encoding: 'utf8', maxBuffer: 1 << 28});
  fs.rmSync(folder, {recursive: true});
  if (done.error) return null;
  // The program cuts what is longer than 2,048 characters; an empty line ends an answer.
  return done.stdout.split('\n\n').map((text) => text.split('\n').join('')).slice(0, -1);
}

const handler = load(readablePath);
const wanted = targets.map((target) => JSON.stringify(handler(eventFor(target, HEADERS))));
const shortened = load(shortPath, storePath ? {cf: {kvs: () => storeOf(storePath)}} : {});
let differences = 0;
const expect = (where, i, got) => {
  if (got === wanted[i]) return;
  ++differences;
  if (differences > 5) return;
  console.log(`${where}: ${targets[i]}\n  wanted ${wanted[i]}\n  got    ${got}`);
};
for (let i = 0; i < targets.length; ++i) {
  expect('node', i, JSON.stringify(await shortened(eventFor(targets[i], HEADERS))));
}
const answers = storePath ? null : inNjs();
if (answers) targets.forEach((target, i) => expect('njs', i, answers[i]));
const answered = wanted.filter((text) => !text.includes('statusCode')).length;
console.log(`${targets.length} targets, ${answered} of them with a canonical path, ` +
    `${differences} differences; njs ${answers ? 'too' : 'not run'}`);
process.exit(differences === 0 && targets.length > 0 ? 0 : 1);
