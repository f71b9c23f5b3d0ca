// SPDX-License-Identifier: Apache-2.0
// Runs spec/vectors/*.txt against the edge function's walk, and through the Lambda@Edge function.
// The grammar of the files stands at the head of spec/vectors/native.txt and of
// src/policy/vectors_test.cc.
//
//   node tests/edge/vectors.mjs [--only native,imgix] [--njs <file>]
//
// With --njs nothing is run: one file is written that the command-line program njs runs.
import fs from 'node:fs';
import path from 'node:path';
import {ROOT, adapter, load, script, walkOfLambda} from './sources.mjs';

// Keeps a truncated file from passing.
const LEAST = 2700;

// What the policy's vectors mount besides.
const MOUNTED = ['imgix', 'thumbor'];

const HINTS = ['accept', 'sec-ch-dpr', 'dpr', 'sec-ch-width', 'width', 'sec-ch-viewport-width',
  'viewport-width', 'save-data', 'ect', 'downlink', 'rtt', 'user-agent'];

const hexOf = (text) => Buffer.from(text).toString('hex');
const bytesOf = (text) => Buffer.from(text).toString('latin1');

// "image/avif,*/* | ECT: 3g": without a name that is known, Accept.
function parseFields(text) {
  const fields = {};
  for (const part of text.split('|').map((one) => one.trim())) {
    const colon = part.indexOf(': ');
    const name = colon < 0 ? '' : part.slice(0, colon).toLowerCase();
    const isNamed = HINTS.includes(name) && name !== 'accept';
    if (isNamed) {
      fields[name] = part.slice(colon + 2).trim();
    } else if (part !== '') {
      const line = name === 'accept' ? part.slice(colon + 2).trim() : part;
      fields.accept = fields.accept ? `${fields.accept}, ${line}` : line;
    }
  }
  return fields;
}

function parseMount(words) {
  const mount = {path: words[1], dialect: words[2], site: words[3]};
  let key = '', salt = '';
  for (const word of words.slice(4)) {
    const at = word.indexOf('=');
    const [name, text] = [word.slice(0, at), word.slice(at + 1)];
    if (name === 'key') key = hexOf(text);
    if (name === 'keyhex') key = text;
    if (name === 'salthex') salt = text;
    if (name === 'source') mount.sources = [...(mount.sources ?? []), text];
  }
  if (key !== '') mount.keys = [[key, salt]];
  return mount;
}

// The native vectors are run without a policy, and so without its limits.
function newSite(name) {
  const limit = name === 'native' ? 1e9 : 16383;
  return {order: ['avif', 'webp'], limits: [limit, limit], presets: {}, defaults: {}};
}

const isNone = (words) => ['none', 'all'].includes(words[0]);
const numbersOf = (words) => isNone(words) ? undefined : words.map(Number);

// The rules that a directive with a list of words may set.
const RULES = {
  order: (words) => ({order: words}),
  allow: (words) => ({allowed: isNone(words) ? undefined : words}),
  steps: (words) => ({steps: numbersOf(words)}),
  ladder: (words) => ({ladder: numbersOf(words)}),
  snap: (words) => ({snap: words[0] === 'on'}),
  unknown: (words) => ({refuse: words[0] === 'refuse'}),
  verify: (words) => ({pass: words[0] === 'service'}),
  sign: (words) => ({keys: isNone(words) ? undefined : words.map(hexOf)})
};

// As the builder writes it: what stands at its default is null.
function parsePreset(edge, query) {
  const ask = edge.parseNative({site: 'shop'}, 'x', query);
  const preset = {};
  for (const name of Object.keys(ask.named)) preset[name] = ask.t[name] ?? null;
  return preset;
}

class VectorFile {
  constructor(edge, name) {
    this.edge = edge;
    this.name = name;
    this.site = newSite(name);
    this.mounts = [];
    this.now = 0;
    this.cases = [];
    const text = fs.readFileSync(path.join(ROOT, 'spec/vectors', `${name}.txt`), 'utf8');
    text.split('\n').forEach((line, i) => this.read(line.trim(), `${name}.txt:${i + 1}`));
  }

  read(line, at) {
    const words = line.split(' ');
    if (line === '' || line.startsWith('#')) return;
    if (words[0] === 'mount' && words.length >= 4) {
      this.mounts = this.mounts.filter((mount) => mount.path !== words[1]);
      this.mounts.push(parseMount(words));
      // As the builder writes them.
      this.mounts.sort((a, b) => b.path.length - a.path.length);
    } else if (words[0] === 'preset' && words.length === 3) {
      const preset = parsePreset(this.edge, words[2]);
      this.site = {...this.site, presets: {...this.site.presets, [words[1]]: preset}};
    } else if (words[0] === 'defaults' && words.length === 2) {
      this.site = {...this.site, defaults: parsePreset(this.edge, words[1])};
    } else if (words[0] === 'now') {
      this.now = Number(words[1]);
    } else if (RULES[words[0]]) {
      const list = line.slice(words[0].length).split(',').map((word) => word.trim());
      this.site = {...this.site, ...RULES[words[0]](list)};
    } else {
      this.readVector(line, at);
    }
  }

  readVector(line, at) {
    const arrow = line.lastIndexOf(' -> ');
    if (arrow < 0) throw new Error(`${at}: neither comment, directive nor vector: ${line}`);
    const request = line.slice(0, arrow);
    const expected = line.slice(arrow + 4).trim();
    const bar = (request + ' | ').indexOf(' | ');
    // The native vectors name sites as they like.
    const names = ['shop', expected.startsWith('/') ? expected.split('/')[1] : 'shop'];
    // Where the service checks signatures, the builder gives the edge no keys and no dialects.
    const {keys, ...keyless} = this.site;
    const rules = this.site.pass ? keyless : {keys, ...keyless};
    const mounts = this.site.pass ? this.mounts.map(({path, site}) => ({path, site})) : this.mounts;
    const sites = Object.fromEntries(names.map((name) => [name, rules]));
    this.cases.push({
      at: `${at}: ${line}`,
      file: this.name,
      config: {sites, mounts},
      target: bytesOf(request.slice(0, bar).trim().replace(/^pass /, '')),
      fields: parseFields(request.slice(bar + 3)),
      now: this.now,
      expected
    });
  }
}

// ---- Also run by njs: in its language, and with nothing from outside but the parameters

// Of a canonical path the options are left to the service, which refuses them where it must.
function answerOf(walk, target, fields, now, expected) {
  try {
    const found = walk(target, fields, now);
    const isLeft = found.path === target.split('?')[0] &&
        expected.indexOf('error bad-request') === 0;
    // What is passed on whole is the service's to judge; "pass" says how it is passed on.
    const isWhole = found.path.indexOf('/_/ask/') === 0 && expected.indexOf('/_/ask/') < 0 &&
        decodeURIComponent(found.path.slice(found.path.indexOf('/', 7) + 1)) === target;
    return isLeft || isWhole ? expected : found.path;
  } catch (e) {
    if (!e.code) throw e;
    return 'error ' + e.code + (e.option ? ' ' + e.option : '');
  }
}

// Returns {file: vectors}; the differences are said and counted.
function runCases(walk, config, cases, say) {
  const counts = {};
  let wrongs = 0;
  function expect(at, got, expected) {
    if (got === expected) return;
    wrongs += 1;
    say(at + '\n    got ' + got);
  }
  cases.forEach((one) => {
    config.sites = one.config.sites;
    config.mounts = one.config.mounts;
    counts[one.file] = (counts[one.file] || 0) + 1;
    expect(one.at, answerOf(walk, one.target, one.fields, one.now, one.expected), one.expected);
    const site = config.sites.shop;
    const isOpen = !site.keys && !site.allowed && !site.pass;
    if (one.expected.charAt(0) !== '/' || !isOpen) return;
    // What is canonical is served as it stands, whatever is accepted.
    const fields = {accept: 'image/avif', 'sec-ch-dpr': '2', 'save-data': 'on'};
    expect(one.at + ' (again)', answerOf(walk, one.expected, fields, 0, ''), one.expected);
  });
  return {counts: counts, wrongs: wrongs};
}

// Microseconds a call, over all vectors.
function timeCases(walk, config, cases) {
  const begin = Date.now();
  let calls = 0;
  for (let round = 0; round < 5; ++round) {
    cases.forEach((one) => {
      config.sites = one.config.sites;
      config.mounts = one.config.mounts;
      answerOf(walk, one.target, one.fields, one.now, '');
      calls += 1;
    });
  }
  return Math.round((Date.now() - begin) * 1000 / calls * 10) / 10;
}

function report(result, least, microseconds, say) {
  let total = 0;
  Object.keys(result.counts).forEach((name) => {
    total += result.counts[name];
    say(name + ': ' + result.counts[name]);
  });
  say(total + ' vectors, ' + result.wrongs + ' differences, ' + microseconds + ' us a call');
  if (total < least) say('too few: ' + least + ' are expected');
  return result.wrongs === 0 && total >= least;
}

// ---- Here

function njsFile(code, cases, least) {
  const parts = [code, answerOf, runCases, timeCases, report,
    `const CASES = ${JSON.stringify(cases)};`,
    'const say = (line) => console.log(line);',
    'const result = runCases(walk, CONFIG, CASES, say);',
    `if (!report(result, ${least}, timeCases(walk, CONFIG, CASES), say)) {`,
    "  throw new Error('the vectors differ');",
    '}'];
  return parts.map(String).join('\n') + '\n';
}

function option(name) {
  const at = process.argv.indexOf(name);
  return at < 0 ? null : process.argv[at + 1];
}

function main() {
  const only = option('--only');
  const all = fs.readdirSync(path.join(ROOT, 'spec/vectors')).map((name) => name.slice(0, -4));
  const names = only ? only.split(',') : all.sort();
  const {code, dialects} = script(only ? [...names, ...MOUNTED] : null);
  const missing = names.filter((name) => name !== 'policy' && !dialects.includes(name));
  if (missing.length > 0) {
    console.error(`no parser for ${missing.join(', ')}`);
    return 1;
  }
  const edge = load(code, ['walk', 'parseNative']);
  const lambda = load(code + adapter('lambda.js'), ['handleRecord', 'Date']);
  const cases = names.flatMap((name) => new VectorFile(edge, name).cases);
  const least = only ? 1 : LEAST;
  const out = option('--njs');
  if (out) {
    fs.writeFileSync(out, njsFile(code, cases, least));
    return 0;
  }
  const result = runCases(edge.walk, edge.CONFIG, cases, console.log);
  const microseconds = timeCases(edge.walk, edge.CONFIG, cases);
  const isFine = report(result, least, microseconds, console.log);
  const handle = walkOfLambda(lambda.handleRecord);
  const walkAt = (target, fields, now) => {
    lambda.Date.now = () => now * 1000;
    return handle(target, fields);
  };
  const through = runCases(walkAt, lambda.CONFIG, cases, console.log);
  console.log(`${cases.length} vectors through Lambda@Edge, ${through.wrongs} differences`);
  return isFine && through.wrongs === 0 ? 0 : 1;
}

process.exitCode = main();
