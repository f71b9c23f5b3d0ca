// SPDX-License-Identifier: Apache-2.0
// Failures, text, sources and signatures: what dialects read a request with. See README.md; each
// function says what its namesake in C++ says.
//
// In njs a `$` in a regular expression also matches before a newline at the end, so that none is
// used: (?![^]) is not understood either, (?!.|\s) is. There test, exec, match and replace take
// about 25 us when nothing matches, and search less than 1: the usual way only searches. Arrays
// and closures take 1 to 2 us each.

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

// Of ASCII only.
function lower(text) {
  // Most texts are in lower case already.
  return text.toLowerCase() === text ? text :
      text.replace(/[A-Z]+/g, (part) => part.toLowerCase());
}

// Without the spaces and tabs at both ends.
function trimmed(text) {
  return text.trim() === text ? text : text.replace(/^[ \t]+|[ \t]+(?!.|\s)/g, '');
}

// A list is not split, as some have a hundred names.
function isAmong(names, name) {
  return (' ' + names + ' ').indexOf(' ' + name + ' ') >= 0 && name.indexOf(' ') < 0;
}

// [what stands before the first `separator`, what stands behind it, if it is there]
function cut(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

// What stands behind "word=" in a list such as "a=b c=d", else `word`.
function wordBehind(pairs, word) {
  const at = (' ' + pairs).indexOf(' ' + word + '=');
  return at < 0 || word.indexOf(' ') >= 0 ? word :
      cut(pairs.slice(at + word.length + 1), ' ')[0];
}

function has(object, key) {
  return Object.prototype.hasOwnProperty.call(object, key);
}

// ---- Numbers

// Beyond a hundred zeros njs takes any number for 0.
function withoutZeros(text) {
  return text[99] ? text.replace(/^0+/, '') : text;
}

function fixed(text, decimals) {
  const parts = cut(withoutZeros(text), '.');
  const more = (parts[1] || '') + '00000';
  return text.search(/^(\d+\.?\d*|\.\d+)(?!.|\s)/) < 0 || parts[0] >= 1e9 ? null :
      Number(parts[0] + more.slice(0, decimals)) + (more[decimals] > 4);
}

// Digits are compared as text: beyond 2^53 numbers are no longer exact.
function integer(text) {
  if (text.search(/^-?\d+(?!.|\s)/) < 0) return null;
  const isNegative = text[0] === '-';
  const plain = text.replace(/^-?0*/, '');
  const most = '922337203685477580' + (isNegative ? 8 : 7);
  if (plain.length > 19 || (plain.length === 19 && plain > most)) return null;
  return isNegative ? 0 - Number(plain) : Number(plain);
}

function decimal(text) {
  const digits = text[0] === '-' ? text.slice(1) : text;
  if (digits.search(/^(\d+\.?\d*|\.\d+)(?!.|\s)/) < 0) return null;
  const parts = cut(digits, '.');
  const number = digits.length < 99 ? Number(digits) :
      Number('0' + withoutZeros(parts.join('')) + 'e-' + (parts[1] || '').length);
  // Too large, or so small that nothing is left of it.
  if (number === Infinity || (number === 0 && digits.search(/[1-9]/) >= 0)) return null;
  return digits === text ? number : 0 - number;
}

// ---- Bytes

function hex(bytes) {
  let out = '';
  for (let i = 0; i < bytes.length; ++i) out += (256 + bytes.charCodeAt(i)).toString(16).slice(1);
  return out;
}

function byteOf(digits) {
  return String.fromCharCode(parseInt(digits, 16));
}

function fromHex(text) {
  return text.length % 2 > 0 || text.search(/[^\da-fA-F]/) >= 0 ? null :
      text.replace(/../g, byteOf);
}

function bufferOf(bytes) {
  return Buffer.from(hex(bytes), 'hex');
}

function base64(bytes) {
  return bufferOf(bytes).toString('base64url');
}

// One text per value: what is not written as base64() writes it is refused.
function fromBase64(text) {
  if (text.search(/[^\w+\/=-]/) >= 0) return null;
  const digits = text.replace(/=+(?!.|\s)/, '').replace(/\+/g, '-').replace(/\//g, '_');
  if (digits.search(/[^\w-]/) >= 0) return null;
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
    decodeURIComponent(escapedSource(bytes));
    return true;
  } catch (e) {
    return false;
  }
}

// ---- Percent escapes

// Leaves an escape that is malformed as it stands.
function loosened(text) {
  return text.replace(/%[\da-fA-F]{2}/g, (part) => byteOf(part.slice(1)));
}

function unescaped(text) {
  if (text.indexOf('%') < 0) return text;
  return text.search(/%(?![\da-fA-F]{2})/) < 0 ? loosened(text) : null;
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

function escaped(text) {
  return text.replace(/[^\w.~\/-]/g, (c) => {
    return '%' + (256 + c.charCodeAt(0)).toString(16).slice(1).toUpperCase();
  });
}

// The one spelling of a source in a canonical path, with a slash at both ends. A segment that is
// exactly "_" would be the marker before the options.
function escapedSource(text) {
  const framed = '/' + text + '/';
  return framed.search(/[^\w.~\/-]|\/_\//) < 0 ? framed :
      escaped(framed).replace(/\/_(?=\/)/g, '/%5F');
}

// ---- Sources

function checkSource(decoded) {
  if (decoded === '') fail('not-found');
  // Controls are C0, DEL and the C1 controls U+0080 to U+009F.
  if (('/' + decoded + '/').search(/[\x00-\x1f\x7f\\]|\xc2[\x80-\x9f]|\/\.{0,2}\//) >= 0 ||
      (decoded.search(/[^\x00-\x7f]/) >= 0 && !isUtf8(decoded))) {
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
