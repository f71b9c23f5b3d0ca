// SPDX-License-Identifier: Apache-2.0
// The rules of edge/README.md that a text search can hold: what njs does not understand, and names
// at top level that stand twice. One line a fault; exits 1 when there is one.
import {files} from './sources.mjs';

// Comments, regular expressions and strings, in the order in which they are looked for.
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y;
const STRING = /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/y;
const REGEXP = /\/(?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y;

const FORBIDDEN = [
  [/`/, 'a template literal'], [/\.\.\./, 'spread'], [/\?\.(?!\d)|\?\?/, 'an operator of ES 2020'],
  [/\bfor\s*\([^;)]*\bof\b/, 'for..of'], [/\b(?:class|switch|import|export|eval|async|await|var)\b/,
    'a forbidden word'], [/\bcatch\s*\{/, 'catch without a name'],
  [/\b(?:const|let)\s*[[{]/, 'destructuring'], [/\b(?:Map|Set|Symbol|Proxy)\b/, 'a missing class'],
  [/\.(?:replaceAll|at|flat|flatMap|matchAll|padStart|padEnd)\(/, 'a missing method']];

// The text with nothing but code in it; regular expressions are handed to `see`.
function codeOf(text, see) {
  let out = '';
  for (let i = 0; i < text.length;) {
    const taken = [COMMENT, STRING, REGEXP].map((kind) => {
      kind.lastIndex = i;
      // A slash behind a value divides.
      const divides = kind === REGEXP && /[\w)\]]\s*$/.test(out) && !/\breturn\s*$/.test(out);
      return divides ? null : kind.exec(text);
    });
    const found = taken[0] || taken[1] || taken[2];
    if (found && found === taken[2]) see(found[0], text.slice(0, i).split('\n').length);
    // What was left out is an operand, but for comments.
    out += !found ? text[i] : found === taken[0] ? ' ' : '0';
    i += found ? found[0].length : 1;
  }
  return out;
}

const NAME = '[A-Za-z_$][\\w$]*';

function main() {
  const faults = [];
  const top = new Map();
  for (const {name, text} of files()) {
    const see = (pattern, line) => {
      if (/\$/.test(pattern.replace(/\\\$|\[[^\]]*\]/g, ''))) {
        faults.push(`${name}:${line}: ${pattern}: $ also matches before a last newline in njs`);
      }
      if (/\(\?<|\[\^\]/.test(pattern)) faults.push(`${name}:${line}: ${pattern}: not in njs`);
    };
    const code = codeOf(text, see);
    const lines = text.split('\n');
    if (lines[0] !== '// SPDX-License-Identifier: Apache-2.0') faults.push(`${name}: no licence`);
    if (lines.length > 501) faults.push(`${name}: ${lines.length - 1} lines`);
    lines.forEach((line, i) => {
      if (line.length > 100) faults.push(`${name}:${i + 1}: ${line.length} columns`);
    });
    for (const [pattern, what] of FORBIDDEN) {
      if (pattern.test(code)) faults.push(`${name}: ${what}: ${pattern.exec(code)[0]}`);
    }
    for (const found of code.matchAll(new RegExp(`^(?:const|function)\\s+(${NAME})`, 'gm'))) {
      if (top.has(found[1])) faults.push(`${name}: ${found[1]} is also in ${top.get(found[1])}`);
      top.set(found[1], name);
    }
  }
  faults.forEach((fault) => console.log(fault));
  return faults.length > 0 ? 1 : 0;
}

process.exitCode = main();
