// SPDX-License-Identifier: Apache-2.0
// Failures, text, sources and signatures: what dialects read a request with. See README.md; each
// function says what its namesake in C++ says.
//
// In njs a `$` in a regular expression also matches before a newline at the end, so that none is
// used: (?![^]) is not understood either, (?![\s\S]) is. Each match costs njs about 25 us, as much
// as a hundred other steps, so that the usual way through has as few of them as can be.

function fail(kind, name) {
  throw {code: kind, option: name};
}

function wrong(name) {
  fail('bad-request', name);
}

function unsupported(name) {
  fail('unsupported-option', name);
}

function unsigned() {
  fail('forbidden');
}

// ---- Words

function lower(text) {
  // Most texts are in lower case already.
  return text.toLowerCase() === text ? text :
      text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
}

// Spaces and tabs at both ends.
function trimmed(text) {
  let begin = 0;
  let end = text.length;
  while (begin < end && ' \t'.indexOf(text.charAt(begin)) >= 0) ++begin;
  while (begin < end && ' \t'.indexOf(text.charAt(end - 1)) >= 0) --end;
  return text.slice(begin, end);
}

function isAmong(names, name) {
  return name !== '' && names.split(' ').indexOf(name) >= 0;
}

// [what stands before the first `separator`, what stands behind it, if it is there]
function cut(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

// Of a list such as "a b=c" what stands at `word`, cut; empty when it is not there.
function pairOf(pairs, word) {
  const list = pairs.split(' ');
  for (let i = 0; i < list.length; ++i) {
    const pair = cut(list[i], '=');
    if (pair[0] === word) return pair;
  }
  return [];
}

function wordBehind(pairs, word) {
  const pair = pairOf(pairs, word);
  return pair.length > 1 ? pair[1] : word;
}

function has(object, key) {
  return Object.prototype.hasOwnProperty.call(object, key);
}

// Whether `text` has no other characters than these.
function isMadeOf(text, characters) {
  for (let i = 0; i < text.length; ++i) {
    if (characters.indexOf(text.charAt(i)) < 0) return false;
  }
  return true;
}

// ---- Numbers

const DIGITS = '0123456789';

function fixed(text, decimals) {
  const parts = cut(text, '.');
  const digits = parts.join('');
  if (digits === '' || !isMadeOf(digits, DIGITS) || parts[0] >= 1e9) return null;
  const padded = (parts[1] || '') + '00000';
  return Number(parts[0] + padded.slice(0, decimals)) + (padded.charAt(decimals) >= '5' ? 1 : 0);
}

// The text of `scaled` / `scale`, where `scale` is a power of ten.
function printFixed(scaled, scale) {
  const rest = scaled % scale;
  const whole = String((scaled - rest) / scale);
  return rest === 0 ? whole : whole + '.' + String(scale + rest).slice(1).replace(/0+(?!.)/, '');
}

// Digits are compared as text: beyond 2^53 numbers are no longer exact.
function integer(text) {
  const isNegative = text.charAt(0) === '-';
  const digits = isNegative ? text.slice(1) : text;
  if (digits === '' || !isMadeOf(digits, DIGITS)) return null;
  const plain = digits.replace(/^0+/, '');
  const most = isNegative ? '9223372036854775808' : '9223372036854775807';
  if (plain.length > 19 || (plain.length === 19 && plain > most)) return null;
  return isNegative ? 0 - Number(plain) : Number(plain);
}

function decimal(text) {
  const digits = text.charAt(0) === '-' ? text.slice(1) : text;
  const plain = cut(digits, '.').join('');
  if (plain === '' || !isMadeOf(plain, DIGITS)) return null;
  const number = Number(digits);
  // Too large, or so small that nothing is left of it.
  if (number === Infinity || (number === 0 && !isMadeOf(plain, '0'))) return null;
  return digits === text ? number : 0 - number;
}

// ---- Bytes

function hex(bytes) {
  let out = '';
  for (let i = 0; i < bytes.length; ++i) out += (256 + bytes.charCodeAt(i)).toString(16).slice(1);
  return out;
}

function fromHex(text) {
  if (text.length % 2 !== 0 || !isMadeOf(text, DIGITS + 'abcdefABCDEF')) return null;
  return text.replace(/../g, (digits) => String.fromCharCode(parseInt(digits, 16)));
}

function bufferOf(bytes) {
  return Buffer.from(hex(bytes), 'hex');
}

function base64(bytes) {
  return bufferOf(bytes).toString('base64url');
}

// One text per value: what is not written as base64() writes it is refused.
function fromBase64(text) {
  const digits = text.replace(/=+(?![\s\S])/, '').replace(/\+/g, '-').replace(/\//g, '_');
  if (/[^A-Za-z0-9_-]/.test(digits)) return null;
  const bytes = fromHex(Buffer.from(digits, 'base64url').toString('hex'));
  return base64(bytes) === digits ? bytes : null;
}

function hmac(algorithm, key, text) {
  const keyed = require('crypto').createHmac(algorithm, bufferOf(key));
  return fromHex(keyed.update(bufferOf(text))['digest']('hex'));
}

function digest(algorithm, text) {
  return fromHex(require('crypto').createHash(algorithm).update(bufferOf(text))['digest']('hex'));
}

// As long for every wrong text as for the right one.
function isEqual(a, b) {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; ++i) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}

// Escapes of UTF-8 are undone by the language itself, strictly.
function isUtf8(bytes) {
  try {
    decodeURIComponent(bytes.replace(/[^\x00-\x7f]|%/g, (c) => '%' + hex(c)));
    return true;
  } catch (e) {
    return false;
  }
}

// ---- Percent escapes

function unescaped(text) {
  if (text.indexOf('%') < 0) return text;
  if (/%(?![0-9a-fA-F]{2})/.test(text)) return null;
  return text.replace(/%(..)/g, (all, digits) => String.fromCharCode(parseInt(digits, 16)));
}

function decode(text, name) {
  const decoded = unescaped(text);
  if (decoded === null) wrong(name);
  return decoded;
}

function parameters(query, plusIsSpace) {
  const out = [];
  const spaced = plusIsSpace ? query.split('+').join(' ') : query;
  spaced.split('&').forEach((part) => {
    if (part === '') return;
    const pair = cut(part, '=');
    const name = decode(pair[0], 'parameter');
    out.push([name, decode(pair[1] || '', name), pair.length > 1]);
  });
  return out;
}

// The one spelling of a source in a canonical path. A segment that is exactly "_" would be the
// marker before the options.
function escapedSource(text) {
  return text
      .replace(/[^A-Za-z0-9\-._~\/]/g, (c) => '%' + hex(c).toUpperCase())
      .split('/')
      .map((segment) => segment === '_' ? '%5F' : segment)
      .join('/');
}

// ---- Sources

function checkSource(decoded) {
  if (decoded === '') fail('not-found');
  const framed = '/' + decoded + '/';
  // Most sources have nothing that needs a second look.
  const isPlain = !/[^ -[\]-~]|\/\.{0,2}\//.test(framed);
  // Controls are C0, DEL and the C1 controls U+0080 to U+009F.
  if (!isPlain && (/[\x00-\x1f\x7f\\]|\xc2[\x80-\x9f]|\/\.{0,2}\//.test(framed) ||
      !isUtf8(decoded))) {
    wrong();
  }
  return decoded;
}

function parseSource(raw) {
  return checkSource(decode(raw));
}

function sourceOfUrl(mount, url) {
  let rest = cut(cut(url, '?')[0], '#')[0];
  if (rest.indexOf('local://') === 0) rest = rest.slice(8);
  if (rest.charAt(0) === '/' && rest.charAt(1) !== '/') return checkSource(rest.slice(1));
  const prefix = mount.sources.filter((known) => rest.indexOf(known) === 0)[0];
  if (prefix === undefined) fail('forbidden');
  return checkSource(rest.slice(prefix.length));
}

// A source's bytes are not at hand when a URL is read, so the extension stands for them.
function formatOf(decoded) {
  const name = decoded.slice(decoded.lastIndexOf('/') + 1);
  const dot = name.lastIndexOf('.');
  const extension = wordBehind('gif=png', lower(name.slice(dot + 1)));
  return dot >= 0 && isAmong('avif webp png', extension) ? extension : 'jpeg';
}

function keepFormat(ask) {
  ask.t.f = formatOf(ask.source);
  mark(ask, 'f');
}
