// SPDX-License-Identifier: Apache-2.0
// The edge function's sources put together as they are, for tests: the builder's output without
// its shortening. The tests write CONFIG themselves.
import fs from 'node:fs';
import {createRequire} from 'node:module';
import path from 'node:path';
import vm from 'node:vm';
import {fileURLToPath} from 'node:url';

export const ROOT = path.join(path.dirname(fileURLToPath(import.meta.url)), '../..');

function textsOf(folder) {
  return fs.readdirSync(folder)
      .filter((name) => name.endsWith('.js'))
      .sort()
      .map((name) => ({name, text: fs.readFileSync(path.join(folder, name), 'utf8')}));
}

// One {name, text} a file.
export function files() {
  const edge = path.join(ROOT, 'edge');
  return [...textsOf(edge), ...textsOf(path.join(edge, 'dialects'))];
}

// The name of a dialect's parser: "imgix" has parseImgix.
export function parserOf(dialect) {
  return 'parse' + dialect[0].toUpperCase() + dialect.slice(1);
}

// The files that these dialects need; all of them without names. Native is always there, because
// presets and canonical paths are in its words.
function filesFor(names) {
  if (!names) return files();
  const wanted = ['native', ...names];
  return files().filter(({name, text}) => {
    const isCore = !fs.existsSync(path.join(ROOT, 'edge/dialects', name));
    return isCore || wanted.some((one) => name.startsWith(one) ||
        text.includes(`function ${parserOf(one)}(`));
  });
}

const PARTS = 'const PARTS = {allow: checkAllowed, leave: leaveToService, ' +
    'mounting: parseMounted, pass: passedOn, redirect: redirection, sign: checkSignature, ' +
    'snap: snapToLadder};';

// The script, and the names of the dialects in it.
export function script(names) {
  const code = filesFor(names).map((file) => file.text).join('\n');
  const dialects = fs.readdirSync(path.join(ROOT, 'spec/vectors'))
      .map((name) => name.replace('.txt', ''))
      .filter((name) => code.includes(`function ${parserOf(name)}(`));
  const table = dialects.map((name) => `${name}: ${parserOf(name)}`).join(', ');
  const head = `const CONFIG = {sites: {}, mounts: []};\nconst DIALECTS = {${table}};\n${PARTS}\n`;
  return {code: head + code, dialects};
}

// The adapter of a platform, without what it exports.
export function adapter(name) {
  const text = fs.readFileSync(path.join(ROOT, 'edge/targets', name), 'utf8');
  return text.replace(/^export.*$/m, '');
}

const LAMBDA_EVENT = {distributionId: 'E1', eventType: 'viewer-request', requestId: 'r'};

// What walk() answers, of the function that Lambda@Edge calls: `handle` takes an event.
export function walkOfLambda(handle) {
  return (target, fields) => {
    const [uri, ...rest] = Buffer.from(target, 'latin1').toString().split('?');
    const headers = {host: [{key: 'Host', value: 'img.example'}]};
    for (const [name, value] of Object.entries(fields)) headers[name] = [{key: name, value}];
    const querystring = rest.join('?');
    const viewed = {clientIp: '192.0.2.1', method: 'GET', uri, querystring, headers};
    const out = handle({Records: [{cf: {config: LAMBDA_EVENT, request: viewed}}]});
    if (!out.status) {
      if (out !== viewed || out.querystring !== '') throw new Error('not the request itself');
      return {path: out.uri};
    }
    const problem = JSON.parse(out.body);
    const isFine = out.status === String(problem.status) && out.statusDescription &&
        out.headers['content-type'][0].value === 'application/problem+json';
    if (!isFine) throw new Error('not a problem as Lambda@Edge takes it');
    throw problem;
  };
}

// The functions named, and CONFIG, out of a fresh run of a script's code.
export function load(code, names) {
  const context = vm.createContext({require: createRequire(import.meta.url), Buffer});
  const list = ['CONFIG', ...names].join(', ');
  return vm.runInContext(`${code}\n;({${list}});`, context);
}
