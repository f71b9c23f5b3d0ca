// SPDX-License-Identifier: Apache-2.0
// wsrv.nl, images.weserv.nl; the reference is src/dialect/weserv.cc.

const WESERV_SYNONYMS =
  'align=a height=h level=l lossless=ll or=ro pages=n quality=q shape=mask strim=mtrim t=fit ' +
  'width=w';

// Read below, or without effect here.
const WESERV_KNOWN =
  'url w h fit we output q a dpr bg blur cbg ch crop cw cx cy encoding flip flop fpx fpy ll ' +
  'precrop ro sharp trim af delay filename fsol il l loop maxage mbg mtrim rbg start stop';

// What changes pixels in ways that we cannot, and the values that are harmless.
const WESERV_REFUSED = [
  ['bri con hue page', '0'],
  ['gam n sat', '1'],
  ['filt mask', 'none'],
  ['default errorredirect mod sharpf sharpj tint', '']];

// A flag is on unless it says otherwise.
function isWeservOn(text) {
  return text !== undefined && text !== 'false' && text !== '0';
}

function weservSortOut(ask, given) {
  Object.keys(given).sort().forEach((name) => {
    const text = given[name], group = WESERV_REFUSED.filter((row) => isAmong(row[0], name))[0];
    if (group) {
      if (text && !isAmong(group[1], text)) unsupported(name);
    } else if (!isAmong(WESERV_KNOWN, name)) {
      ask.unknown.push(name);
    }
  });
}

// The URL with its scheme; without one it may be either.
function weservSourceBehind(mount, text) {
  const scheme = lower(text.slice(0, 8));
  if (scheme === 'https://') return sourceOfUrl(mount, scheme + text.slice(8));
  if (scheme.startsWith('http://')) return sourceOfUrl(mount, 'http://' + text.slice(7));
  if (scheme.startsWith('ssl:')) return sourceOfUrl(mount, 'https://' + text.slice(4));
  const bare = text.startsWith('//') ? text.slice(2) : text;
  if (bare === text && text.startsWith('/')) return sourceOfUrl(mount, text);
  try {
    return sourceOfUrl(mount, 'https://' + bare);
  } catch (error) {
    if (error.code !== 'forbidden') throw error;
    return sourceOfUrl(mount, 'http://' + bare);
  }
}

function weservSource(mount, rest, given) {
  if (rest || !given['url']) fail('not-found', 'url');
  const outer = given['url'].split(/[?#]/)[0], inner = unescaped(outer);
  return weservSourceBehind(mount, inner === null ? outer : inner);
}

// 'auto' is a number to set(), and not one here.
function weservNumber(ask, name, text) {
  if (text === undefined) return;
  if (text.search(/[^0-9.]/) >= 0) wrong(name);
  set(ask, name, text, name);
}

function weservSides(ask, given) {
  ['w', 'h'].forEach((name) => {
    const text = given[name] || '';
    if (text.endsWith('%')) unsupported(name);
    if (text !== '0') weservNumber(ask, name, given[name]);
  });
  weservNumber(ask, 'dpr', given.dpr);
}

function weservFit(ask, given) {
  const asked = ask.t;
  let word = given.fit === undefined ? 'inside' : given.fit;
  if (word.startsWith('crop-')) word = 'crop';
  const ours = wordBehind(
    'fit=inside fitup=inside square=cover squaredown=cover crop=cover fill=stretch ' +
    'absolute=stretch contain=pad letterbox=pad', word);
  if (ours === word && !isAmong('inside outside cover', word)) wrong('fit');
  // With one side, fill leaves the other as long as it is in the source.
  if (ours === 'stretch' && !asked.w !== !asked.h) unsupported('fit');
  const isUp = !isWeservOn(given.we) && !isAmong('fit squaredown', word);
  setFit(ask, ours, isUp);
  if (ours === 'cover' && !isUp) asked.small = 'cut';
  mark(ask, 'small');
}

// 'focal', 'focal-30-60' and 'crop-30-60' (in percent), with fpx and fpy in shares.
function weservFocalPoint(ask, text, given) {
  if (ask.t.fit === 'pad') unsupported('a');
  const parts = text.split('-');
  setGravity(ask, ['fpx', 'fpy'].map((name, i) => {
    const share = given[name], isPercent = parts.length === 3 && share === undefined;
    if (!isPercent && share === undefined) return 5000;
    const focus = isPercent ? fixed(parts[i + 1], 2) : fixed(share, 4);
    if (focus === null || focus > 10000) wrong(isPercent ? 'a' : name);
    return focus;
  }));
}

function weservGravity(ask, given) {
  if (given['a'] === undefined) return;
  const word = wordBehind('b=bottom l=left r=right t=top', given['a']);
  if (word.startsWith('focal') || word.startsWith('crop-')) {
    weservFocalPoint(ask, word, given);
  } else if (isAmong('entropy attention', word)) {
    setGravity(ask, 'smart');
  } else {
    const words = 'center top left right bottom top-left top-right bottom-left bottom-right';
    if (!isAmong(words, word)) wrong('a');
    set(ask, 'g', word, 'a');
  }
}

function weservTurns(ask, given) {
  const text = given.ro;
  ask.t.flip = (isWeservOn(given.flop) ? 'h' : '') + (isWeservOn(given.flip) ? 'v' : '');
  mark(ask, 'flip');
  if (text === undefined) return;
  if (integer(text) === null) wrong('ro');
  // Digit by digit, as 64 bits are more than a number holds exactly.
  let angle = 0;
  text.replace('-', '').split('').forEach((digit) => {
    angle = (angle * 10 + Number(digit)) % 360;
  });
  if (angle % 90) unsupported('ro');
  ask.t.rot = (text[0] === '-' ? 360 - angle : angle) % 360;
  mark(ask, 'rot');
}

// A bare trim is one of 10; ours ends at 100.
function weservTrim(ask, given) {
  if (given.trim === undefined || given.trim === '0') return;
  const threshold = given.trim ? integer(given.trim) : 10;
  if (threshold === null || threshold < 1 || threshold > 254) wrong('trim');
  ask.t.trim = Math.min(threshold, 100);
  mark(ask, 'trim');
}

// Takes a side, '100' in pixels or '10%', into hundredths of a percent if isShare. A side that is
// not given, or 0, is all but where it begins.
function weservSide(text, isShare, otherwise, name) {
  if (!text) return otherwise;
  const digits = text.endsWith('%') ? text.slice(0, -1) : text;
  const number = fixed(digits, isShare ? 2 : 0);
  if (number === null || number > (isShare ? 10000 : 65535)) wrong(name);
  if (!isShare && text.includes('.')) wrong(name);
  return number || otherwise;
}

// cx, cy, cw, ch, or all of them in crop=w,h,x,y.
function weservRectangle(ask, given) {
  const asked = ask.t, sides = [];
  let blamed;
  if (given.crop !== undefined) {
    const parts = given.crop.split(',');
    if (parts.length !== 4) wrong('crop');
    sides.push(parts[2], parts[3], parts[0], parts[1]);
    blamed = 'crop';
  }
  ['cx', 'cy', 'cw', 'ch'].forEach((name, i) => {
    if (given[name] === undefined) return;
    sides[i] = given[name];
    blamed = name;
  });
  if (!blamed) return;
  const comesFirst = !asked.trim && !asked.rot && !asked.flip &&
    (!(asked.w || asked.h) || isWeservOn(given.precrop));
  const isShare = sides.some((side) => side && side.endsWith('%'));
  const isMixed = isShare && sides.some((side) => side && side !== '0' && !side.endsWith('%'));
  if (!comesFirst || isMixed) unsupported(blamed);
  const all = isShare ? 10000 : 65535;
  asked.crop = [0, 0, all, all].map((least, i) => weservSide(sides[i], isShare, least, blamed));
  if (isShare && (asked.crop[0] === all || asked.crop[1] === all)) wrong(blamed);
  asked.crop.push(isShare);
  mark(ask, 'crop');
}

// bg lies behind transparent pixels, cbg fills the box; we have one colour for both.
function weservBackground(ask, given) {
  const behind = given.bg, around = ask.t.fit === 'pad' ? given.cbg : undefined;
  if (behind !== undefined && around !== undefined && behind !== around) unsupported('bg');
  const name = around === undefined ? 'bg' : 'cbg', text = given[name];
  if (text === undefined) return;
  // Colours have alpha first; with us it is last.
  const color = text.replace(/^(#?)([0-9a-f]{1,2})(([0-9a-f]{3}){1,2})(?![\s\S])/i, '$1$3$2');
  // One of CSS's other names.
  if (!parseOption('bg', color) && text.search(/[g-z]/) >= 0) unsupported(name);
  set(ask, 'bg', color, name);
}

// The box of contain is transparent: a JPEG becomes a PNG. Asked for as JPEG, what is transparent
// becomes black.
function weservAlpha(ask, isNamed) {
  const asked = ask.t, isPadded = asked.fit === 'pad' && asked.w && asked.h;
  if ((asked.bg && asked.bg[3] === 255) || asked.f !== 'jpeg') return;
  if (isNamed && (isPadded || formatOf(ask.source) !== 'jpeg')) {
    asked.bg = [0, 0, 0, 255];
    mark(ask, 'bg');
  }
  if (!isNamed && isPadded) asked.f = 'png';
}

function weservEncoding(ask, given) {
  keepFormat(ask);
  const word = given.output, isNamed = word !== undefined && word !== 'origin';
  if (isNamed) {
    if (isAmong('gif tiff tif json', word)) unsupported('output');
    const ours = word === 'av1' ? 'avif' : word;
    if (!isAmong('jpg jpeg png webp avif', ours)) wrong('output');
    set(ask, 'f', ours, 'output');
  }
  weservAlpha(ask, isNamed);
  if (ask.t.f === 'webp' && isWeservOn(given.ll)) unsupported('ll');
  if (given.encoding === 'base64') unsupported('encoding');
  ask.t.q = 80;
  mark(ask, 'q');
  weservNumber(ask, 'q', given.q);
}

// Bare, both have a deviation of 0.8 pixels.
function weservEffects(ask, given) {
  const blurred = given.blur, sharpened = given.sharp;
  if (blurred !== undefined) {
    const sigma = blurred ? fixed(blurred, 2) : 80;
    if (sigma === null || sigma > 100000) wrong('blur');
    if (sigma > 0) ask.t.blur = sigma < 30 ? 80 : Math.min(sigma, 10000);
    mark(ask, 'blur');
  }
  if (sharpened !== undefined) {
    if (sharpened.includes(',')) unsupported('sharp');
    const sigma = sharpened ? fixed(sharpened, 2) : 80;
    if (sigma === null) wrong('sharp');
    if (sigma > 0) ask.t.sharp = Math.min(Math.max(sigma, 10), 1000);
    mark(ask, 'sharp');
  }
}

function parseWeserv(mount, rest, query) {
  const ask = newAsk(mount), given = Object.create(null);
  // Of two of one name the first counts.
  parameters(query, false).forEach((pair) => {
    const name = wordBehind(WESERV_SYNONYMS, pair[0]);
    if (given[name] === undefined) given[name] = pair[1];
  });
  ask.source = weservSource(mount, rest, given);
  weservSortOut(ask, given);
  weservSides(ask, given);
  weservFit(ask, given);
  weservGravity(ask, given);
  weservTurns(ask, given);
  weservTrim(ask, given);
  weservRectangle(ask, given);
  weservBackground(ask, given);
  weservEncoding(ask, given);
  weservEffects(ask, given);
  return ask;
}
