// SPDX-License-Identifier: Apache-2.0
// Feeds generated and mutated requests to the binary (`tintype canonical -`) and to the edge
// function, and stops at the first one that they answer differently. Every dialect is mounted, with
// keys and without, beside sites with every rule. What the function passes on whole is given to the
// binary as it was passed on, and must come to what the binary makes of the request itself; each
// request is also asked of a function that reads no dialect but the native one, as at CloudFront,
// and of the one for Lambda@Edge, in its own events.
// Deterministic by its seed.
//
//   node differential.mjs --binary build/dev/tintype [--count 200000] [--seed 1] [--njs njs]
import {spawn, spawnSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {fileURLToPath} from 'node:url';
import vm from 'node:vm';
import {createRequire} from 'node:module';
import {parseArgs} from 'node:util';
import {walkOfLambda} from './sources.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const {values: flags} = parseArgs({
  options: {
    binary: {type: 'string', default: path.join(root, 'build/dev/tintype')},
    count: {type: 'string', default: '200000'},
    seed: {type: 'string', default: '1'},
    keep: {type: 'string'},
  },
});
const NOW = 1795000000;
const BATCH = 20000;

// ---- The settings: one site with all mounts, and one for each rule.

const DIALECTS = ['bunny', 'cloudflare', 'cloudinary', 'dit', 'fastly', 'imgix', 'imgproxy', 'ipx',
  'netlify', 'next', 'scene7', 'thumbor', 'vercel', 'weserv'];
const KEYED = {
  cloudinary: '[ "abcd" ]', dit: '[ "secret" ]', imgix: '[ "FOO123bar" ]', thumbor: '[ "secret" ]',
  imgproxy: '[ { key: "736563726574", salt: "68656c6c6f" } ]',
};
const SOURCES = 'sources: [ "https://cdn.shop.example/", "s3://bucket/", "http://x.example/a/" ]';

function settings() {
  const origin = '    origin: { folder: . }\n';
  const mounts = DIALECTS
      .map((name) => `      - { path: /${name}, dialect: ${name}, ${SOURCES} }\n`)
      .concat(Object.entries(KEYED).map(([name, keys]) =>
        `      - { path: /${name}-keyed, dialect: ${name}, keys: ${keys}, ${SOURCES} }\n`));
  return `sites:
  shop:
${origin}    presets:
      { card: "w=40&h=30&fit=cover", hero: "w=auto&dpr=auto&q=auto", t1: "q=1&up=1" }
    mounts:
${mounts.join('')}  plain:
${origin}    formats: []
    limits: { max_width: 2000, max_height: 1000 }
    unknown_parameters: refuse
  steps:
${origin}    formats: [webp, avif, jpeg]
    quality_steps: [50, 75, 90]
    width_ladder: [100, 200, 400, 800]
    snap_widths: true
    defaults: { q: 70, w: auto }
  few:
${origin}    allowed_options: [w, p, dpr]
    presets: { card: "w=40&h=30&fit=cover&g=n" }
  signed:
${origin}    signing: { keys: [ "0123456789abcdef0123", "old-key-0123456789ab" ] }
  sealed:
${origin}    signing: { keys: [ "0123456789abcdef0123" ], verify_at: service }
    defaults: { w: auto }
    mounts: [ { path: /sealed-imgix, dialect: imgix, keys: [ "FOO123bar" ] } ]
`;
}

// ---- The function, unshortened, out of the self-hosted edge, and the one for Lambda@Edge.

function build(target, config, out) {
  const done = spawnSync(flags.binary, ['edge', 'build', '--target', target, '--config', config,
    '--out', out], {encoding: 'utf8'});
  if (done.status !== 0) throw new Error('edge build failed: ' + done.stderr);
}

function lambdaFunction(config, folder) {
  const out = path.join(folder, 'index.js');
  build('lambda', config, out);
  const context = vm.createContext({require: createRequire(import.meta.url), Buffer, exports: {}});
  vm.runInContext(fs.readFileSync(out, 'utf8') + `\n;Date.now = () => ${NOW} * 1000;`, context);
  return walkOfLambda(vm.runInContext('handleRecord', context));
}

function edgeFunction(folder) {
  const config = path.join(folder, 'tintype.yaml');
  fs.writeFileSync(config, settings());
  build('nginx', config, folder);
  const script = fs.readFileSync(path.join(folder, 'edge.js'), 'utf8')
      .replace(/^export default.*$/m, '') + '\n;({walk: walk, config: CONFIG});';
  const load = () => vm.runInContext(script,
      vm.createContext({require: createRequire(import.meta.url), Buffer}));
  const native = load();
  for (const mount of native.config.mounts) delete mount.dialect;
  const walkLambda = lambdaFunction(config, folder);
  return {config, walk: load().walk, walkNative: native.walk, walkLambda};
}

// Signed, some with an end, before and after now.
const TO_SIGN = ['a.jpg?w=8', 'a.jpg?w=800&h=600&fit=cover&g=n', 'p/a%20b.png?dpr=auto&q=auto',
  'a.jpg?f=webp&up=0', 'a.jpg/_/w-8.webp', `a.jpg?w=8&expires=${NOW + 9}`,
  `a.jpg?w=8&expires=${NOW - 9}`, 'a.jpg'];

function signedTargets(config) {
  const targets = ['signed', 'sealed'].flatMap((site) => TO_SIGN.map((rest) => `/${site}/${rest}`));
  const done = spawnSync(flags.binary, ['sign', ...targets, '--config', config],
      {encoding: 'utf8'});
  if (done.status !== 0) throw new Error('sign failed: ' + done.stderr);
  return done.stdout.trim().split('\n');
}

// ---- Requests

// xorshift32: the same requests on every machine.
let state = (Number(flags.seed) * 2654435761) >>> 0 || 1;
function random(below) {
  state ^= state << 13; state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5; state >>>= 0;
  return state % below;
}
const pick = (list) => list[random(list.length)];

// The targets of all vectors, moved to the mounts of these settings.
function corpus() {
  const folder = path.join(root, 'spec/vectors');
  const targets = [];
  for (const file of fs.readdirSync(folder).sort()) {
    const dialect = file.replace('.txt', '');
    let mounts = [];
    for (const line of fs.readFileSync(path.join(folder, file), 'utf8').split('\n')) {
      const mounted = /^mount (\S+) (\S+) \S+(.*)/.exec(line);
      if (mounted) {
        mounts = mounts.filter((m) => m.at !== mounted[1]);
        const keyed = /key/.test(mounted[3]) ? '-keyed' : '';
        mounts.push({at: mounted[1], to: '/' + mounted[2] + keyed});
      }
      if (!line.startsWith('/')) continue;
      const target = line.split(' -> ')[0].split(' | ')[0].trim();
      const mount = mounts.filter((m) => m.at === '/' || target.startsWith(m.at))
          .sort((a, b) => b.at.length - a.at.length)[0];
      targets.push(mount && DIALECTS.includes(dialect)
        ? mount.to + '/' + target.slice(mount.at === '/' ? 1 : mount.at.length + 1) : target);
    }
  }
  return targets;
}

const NUMBERS = ['0', '1', '-1', '00', '8', '099', '100', '101', '16383', '16384', '65535', '65536',
  '99999999999', '99999999999999999999', '9223372036854775807', '9223372036854775808', '0.5', '.5',
  '5.', '.', '1.005', '0.004', '0.995', '1e3', '1,5', '+1', '0x10', 'NaN', 'Infinity', '1.', '-0',
  '2147483648', '4294967296', '0.00001', '999999999', '1000000000', '1.5', '33.333', '49.9999'];
const PIECES = ['%', '%2', '%2F', '%252F', '%00', '%0A', '%C3%A9', '%C3', '%ED%A0%80',
  '%F5%80%80%80', '%E2%82%AC', '%20', '+', '%2B', '/', '//', '/../', '/./', '%2e%2e', 
  '\\', '%5C', '?',
  '&', '=', ';', ',', ':', '_', '/_/', '%5F', '-', '~', '@', '!', '*', "'", '(', ')', 
  '$', '%7C', '"', '[', ']',
  '{', '}', '%7B%22', '%22', '.', '..', 'auto', 'true', 'false', 'none', 'null', 'é', '\u{1F600}',
  '%u0041', '%EF%BB%BF', '%7F', '%C2%85', '%C2%A0', 'jpng', 'jpg', 'webp', 'AVIF', 'smart', 'p',
  's=', 'expires=1795000000', 'expires=1', 'v=1', 'p=card', 'p=hero', 'w=auto', 'dpr=auto',
  'q=auto', '%3D', '%26', '%3F', '%25'];
const SITES = ['shop', 'plain', 'steps', 'few', 'signed', 'sealed', 'nowhere'];

const FIELDS = {
  'Accept': ['image/avif,image/webp,*/*;q=0.8', 'image/webp', 'image/avif;q=0.5, image/webp;q=0.5',
    'image/avif;q=0,image/webp', '*/*', 'image/avif;q=1.001',
    'image/avif;a="x,y";q=0.9, image/jpeg',
    'IMAGE/WEBP ; Q=0.3', 'image/avif;q="0.1', ',,image/png,', 'image/webp;q=0.0001', '""', ''],
  'Sec-CH-DPR': ['1', '1.5', '2.0', '3.7', '0', '-1', 'x', '0.001', '99999999999'],
  'DPR': ['2', '1.25', ''],
  'Sec-CH-Width': ['320', '321', '0', '16384', '4000.5', '9999999999', 'w'],
  'Width': ['100', '641'],
  'Sec-CH-Viewport-Width': ['360', '1920', '99999', '999999999'],
  'Viewport-Width': ['411'],
  'Save-Data': ['on', 'ON', 'off', ' on '],
  'ECT': ['4g', '3g', 'slow-2g', '2G', '5g'],
  'Downlink': ['0.4', '10', '1', '0.999', 'x'],
  'RTT': ['50', '400', '399.6', '1000', ''],
  'User-Agent': ['Mozilla/5.0 Version/16.1 Safari/605.1.15', 'Version/16.4 Safari/605',
    'Version/16.2', 'Chrome/110.0 Safari/537.36'],
};

function mutate(target, targets) {
  const at = random(target.length + 1);
  const to = Math.min(target.length, at + random(6));
  const query = target.indexOf('?');
  switch (random(12)) {
    case 0: return target.slice(0, at) + pick(PIECES) + target.slice(at);
    case 1: return target.slice(0, at) + pick(PIECES) + target.slice(to);
    case 2: return target.slice(0, at) + target.slice(to);
    case 3: return target.replace(/\d+(\.\d+)?/g, (n) => random(3) === 0 ? pick(NUMBERS) : n);
    case 4: return target.slice(0, at) + target.slice(at, to) + target.slice(at);
    case 5: return target.slice(0, at) + encode(target.slice(at, to)) + target.slice(to);
    case 6: return target.slice(0, at) + encode(encode(target.slice(at, to))) + target.slice(to);
    case 7: return query < 0 ? target + '?w=' + pick(NUMBERS) : shuffle(target, query);
    case 8: return target + (query < 0 ? '?' : '&') + pick(targets).split('?').pop();
    case 9: return random(2) ? target.toUpperCase() : target.toLowerCase();
    case 10: return target.replace(/^\/[^/?]*/, '/' + pick(SITES.concat(DIALECTS, 'sealed-imgix')));
    default: return target.slice(0, at) + pick(targets).slice(random(20));
  }
}
function encode(text) {
  const escape = (byte) => '%' + byte.toString(16).padStart(2, '0');
  return Array.from(Buffer.from(text)).map(escape).join('');
}
function shuffle(target, query) {
  const parts = target.slice(query + 1).split('&');
  parts.sort(() => random(3) - 1);
  if (random(2)) parts.push(pick(parts));
  return target.slice(0, query + 1) + parts.join('&');
}

function request(targets) {
  let target = pick(targets);
  for (let n = random(5); n > 0; --n) target = mutate(target, targets);
  // What a line, and a request, cannot hold.
  target = target.toWellFormed().replace(/[\x00-\x20\x7f#|]/g, '');
  if (!target.startsWith('/')) target = '/' + target;
  // Between the edge and the service only: a viewer's is answered 400 at the edge.
  if (target.startsWith('/_/ask/')) target = target.slice(6);
  const fields = {};
  for (const name of Object.keys(FIELDS)) if (random(6) === 0) fields[name] = pick(FIELDS[name]);
  return {target: Buffer.byteLength(target) > 8000 ? target.slice(0, 2000) : target, fields};
}

// ---- Both answers

function lineOf({target, fields}) {
  const headers = Object.entries(fields).map(([name, value]) => ` | ${name}: ${value}`).join('');
  return target + (headers || ' | Accept: ');
}

function answerOfEdge(walk, {target, fields}) {
  const lower = {};
  for (const [name, value] of Object.entries(fields)) lower[name.toLowerCase()] = value.trim();
  // The door of handler(): what is not ASCII becomes UTF-8 escapes.
  const bytes = target.replace(/[^\x00-\x7f]+/g, encodeURIComponent);
  try {
    const found = walk(bytes, lower, NOW);
    // What was canonical already depends on nothing.
    return {text: found.path, isLeft: found.reads === undefined, options: optionsOf(bytes),
      isPassed: found.path.startsWith('/_/ask/')};
  } catch (e) {
    if (!e || !e.code) throw e;
    const option = e.option ? ' ' + e.option.replace(/[\x00-\x1f]/g, '?') : '';
    return {text: 'error ' + e.code + option, options: optionsOf(bytes)};
  }
}

// Behind the last "/_/" of a target's path; undefined where there is none.
function optionsOf(target) {
  const path = target.split('?')[0];
  const marker = path.lastIndexOf('/_/');
  return marker < 0 ? undefined : path.slice(marker + 3);
}

// The options of a canonical path are left to the service: where it refuses them, the edge hands
// them on untouched, or finds fault with something else.
function isLeftToService(ours, theirs) {
  if (ours.options === undefined || !theirs.startsWith('error bad-request')) return false;
  return ours.isLeft ? ours.text.endsWith('/_/' + ours.options) :
      /^error (not-found|forbidden|bad-request (expires|s)$)/.test(ours.text);
}

// The time is up, whether or not the signature is right: without the key that cannot be told.
function isOver(ours, theirs, target) {
  const plain = target.replace(/%[0-7][\da-f]/gi, (escape) => unescape(escape));
  return ours.text === 'error forbidden expires' && theirs === 'error forbidden' &&
      plain.startsWith('/sealed/');
}

// Longer than a path that the edge takes, once it is escaped.
function isTooLong(ours) {
  return ours.text === 'error too-long';
}

function startBinary(config) {
  const child = spawn(flags.binary, ['canonical', '-', '--config', config, '--now', String(NOW)],
    {stdio: ['pipe', 'pipe', 'inherit']});
  let buffered = '', waiting = null;
  const lines = [];
  child.stdout.setEncoding('latin1');
  child.stdout.on('data', (chunk) => {
    buffered += chunk;
    const parts = buffered.split('\n');
    buffered = parts.pop();
    lines.push(...parts);
    if (waiting && lines.length >= waiting.count) waiting.done(lines.splice(0, waiting.count));
  });
  return {
    ask: (text, count) => new Promise((done) => {
      waiting = {count, done};
      child.stdin.write(text);
    }),
    end: () => child.stdin.end(),
  };
}

const folder = flags.keep || fs.mkdtempSync(path.join(os.tmpdir(), 'tintype-differential-'));
fs.mkdirSync(folder, {recursive: true});
const {config, walk, walkNative, walkLambda} = edgeFunction(folder);
const binary = startBinary(config);
const targets = corpus();
// Often, as there are few of them.
const signed = signedTargets(config);
for (let i = 0; i < 10; ++i) targets.push(...signed);
const count = Number(flags.count);
let done = 0, paths = 0, passed = 0, differences = 0;
const codes = {};

function report(one, theirs, ours) {
  if (++differences > 20) return;
  console.error(`different: ${lineOf(one)}\n  server ${theirs}\n  edge   ${ours}`);
}

function answerOrFault(walkOf, one) {
  try {
    return answerOfEdge(walkOf, one);
  } catch (e) {
    return {text: 'thrown ' + e};
  }
}

// What was passed on is collected, to be judged by the binary.
function compare(one, ours, theirs, passedOn) {
  if (ours.isPassed) {
    passedOn.push({one, ours, theirs});
  } else if (ours.text !== theirs && !isLeftToService(ours, theirs) &&
      !isOver(ours, theirs, one.target) && !isTooLong(ours)) {
    report(one, theirs, ours.text);
  }
}

while (done < count && differences < 20) {
  const requests = [];
  while (requests.length < Math.min(BATCH, count - done)) requests.push(request(targets));
  // `canonical` prints all its lines when its output is flushed: at the latest with the last one.
  const answers = await binary.ask(requests.map(lineOf).join('\n') + '\n', requests.length);
  const passedOn = [];
  requests.forEach((one, i) => {
    const theirs = answers[i];
    if (theirs.startsWith('/')) ++paths;
    else codes[theirs.split(' ')[1]] = (codes[theirs.split(' ')[1]] || 0) + 1;
    const ours = answerOrFault(walk, one);
    compare(one, ours, theirs, passedOn);
    const native = answerOrFault(walkNative, one);
    if (native.text !== ours.text) compare(one, native, theirs, passedOn);
    const lambda = answerOrFault(walkLambda, one).text;
    // A header holds ASCII only.
    const said = ours.text.startsWith('/') ? ours.text : ours.text.replace(/[^ -~]/g, '?');
    if (lambda !== said) report(one, `(walk) ${said}`, `(Lambda@Edge) ${lambda}`);
  });
  passed += passedOn.length;
  if (passedOn.length > 0) {
    const lines = passedOn.map(({ours}) => `${ours.text} | Accept: `).join('\n') + '\n';
    const judged = await binary.ask(lines, passedOn.length);
    passedOn.forEach(({one, theirs}, i) => {
      if (judged[i] !== theirs) report(one, theirs, `${passedOn[i].ours.text}, then ${judged[i]}`);
    });
  }
  done += requests.length;
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count}`);
}
binary.end();
if (!flags.keep) fs.rmSync(folder, {recursive: true});
console.log(`${done} requests (seed ${flags.seed}): ${paths} paths, ` +
  Object.entries(codes).map(([code, n]) => `${n} ${code}`).join(', ') +
  `; ${passed} passed on; ${differences} differences`);
// A generator gone astray would make nothing but errors and prove nothing.
if (passed < done / 20) throw new Error('too few requests were passed on');
if (paths < done / 10) throw new Error('too few requests were answered with a path');
process.exitCode = differences === 0 ? 0 : 1;
