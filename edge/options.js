// SPDX-License-Identifier: Apache-2.0
// The options: their names, the texts of their values, and how they are written into an Ask. The
// tables say what spec/options.json says; both spellings of a value are understood, that of a
// query ("16:9") and the canonical one ("16-9").

const ALIASES = 'aspect=ar aspect-ratio=ar background=bg format=f fm=f gravity=g height=h ' +
    'metadata=meta preset=p quality=q rotate=rot sharpen=sharp upscale=up enlarge=up version=v ' +
    'width=w';

const COLORS = 'white=fff black=000 transparent=0000 silver=c0c0c0 gray=808080 grey=808080 ' +
    'maroon=800000 red=f00 purple=800080 fuchsia=f0f green=008000 lime=0f0 olive=808000 ' +
    'yellow=ff0 navy=000080 blue=00f teal=008080 aqua=0ff';

// ---- Values; null: not allowed

// `range`: smallest, largest, decimals; both ends are scaled by the decimals.
function numberIn(text, range) {
  // A number without decimals has no point either.
  const number = range[2] ? fixed(text, range[2]) :
      text.search(/^\d+(?!.|\s)/) < 0 ? null : Number(withoutZeros(text));
  return number === null || number < range[0] || number > range[1] ? null : number;
}

function commonDivisor(a, b) {
  return b ? commonDivisor(b, a % b) : a;
}

function reduced(across, down) {
  const divisor = across && down && commonDivisor(across, down);
  return divisor && across <= 10000 * divisor && down <= 10000 * divisor ?
      [across / divisor, down / divisor] : null;
}

function ratioOf(text) {
  const pair = cut(text, text.indexOf(':') < 0 ? '-' : ':');
  if (pair.length > 1) return reduced(fixed(pair[0], 4), fixed(pair[1], 4));
  // A lone decimal is taken with as many decimals as keep both sides within 10000.
  const decimals = Math.max(0, Math.min(4, 8 - String(fixed(text, 4) - 1).length));
  return reduced(fixed(text, decimals), Number('1e' + decimals));
}

function colorOf(text) {
  let digits = wordBehind(COLORS, text.toLowerCase());
  if (digits[0] === '#') digits = digits.slice(1);
  if (digits.length < 5) digits = digits.split('').map((digit) => digit + digit).join('');
  if (digits.length === 6) digits += 'ff';
  return digits.search(/^[\da-f]{8}(?!.|\s)/) < 0 ? null :
      Buffer.from(digits, 'hex').toJSON().data;
}

function boxOf(text) {
  const parts = text.split(text.indexOf(',') < 0 ? '-' : ',');
  const isShare = (part) => part.search(/[%pP](?!.|\s)/) >= 0;
  const isPercent = isShare(parts[0]);
  const box = parts.map((part, i) => {
    const least = i < 2 ? 0 : 1;
    if (isShare(part) !== isPercent) return null;
    return isPercent ? numberIn(part.slice(0, -1), [least, 9999 + least, 2]) :
        numberIn(part, [least, 65535, 0]);
  });
  return parts.length === 4 && box.indexOf(null) < 0 ? box.concat(isPercent) : null;
}

function pointOf(text) {
  const pair = text.search(/^fp[:-]/) < 0 ? cut(text, ',') : cut(text.slice(3), text[2]);
  const point = pair.map((part) => numberIn(part, [0, 10000, 4]));
  return pair.length < 2 || point.indexOf(null) >= 0 ? null : point;
}

const COMPASS =
    /^(?=[^-])((n|north|top)|s|south|bottom)?(-?((e|east|right)|w|west|left))?(?!.|\s)/;

// A compass point is one word of north or south, one of east or west, or both in this order.
function gravityOf(text) {
  const word = wordBehind('center=c centre=c', text.toLowerCase());
  if (isAmong('c n ne e se s sw w nw smart', word)) return word;
  const found = word.match(COMPASS);
  return found ? (found[1] ? found[2] ? 'n' : 's' : '') + (found[3] ? found[5] ? 'e' : 'w' : '') :
      pointOf(word);
}

function tokenOf(text) {
  return text === '' || text.search(/[^\w.~-]|_|.{65}/) >= 0 ? null : text;
}

function timeOf(text) {
  return text.search(/^\d{1,11}(?!.|\s)/) < 0 ? null : Number(text);
}

// Behind the first letter of the option.
const OTHER_WORDS = 'fjpg=fjpeg r-90=r270 r360=r0 utrue=u1 ufalse=u0 u=u1';

// For each option its range, a function, or a list of its words, where the default stands first, X
// where there is none. `expires` and `s` are of signatures. Nothing else is in it.
const VALUES = {
  __proto__: null,
  ar: ratioOf,
  bg: colorOf,
  blur: [30, 10000, 2],
  crop: boxOf,
  dpr: [10, 800, 2],
  expires: timeOf,
  f: 'auto avif webp jpeg png jpng',
  fit: 'X inside pad cover stretch outside cut',
  flip: 'X h v hv',
  g: gravityOf,
  h: [1, 16383, 0],
  meta: 'none copyright',
  p: tokenOf,
  q: [1, 100, 0],
  rot: '0 90 180 270',
  s: String,
  sharp: [10, 1000, 2],
  small: 'ratio cut keep pad',
  trim: [1, 100, 0],
  up: '0 1',
  v: tokenOf,
  w: [1, 16383, 0]
};

function optionNamed(name) {
  if (VALUES[name]) return name;
  const word = name.toLowerCase();
  const meant = wordBehind(ALIASES, word);
  return VALUES[meant] ? meant : undefined;
}

function valueOf(name, text) {
  const allowed = VALUES[name];
  const word = text.toLowerCase();
  if (word === 'auto' && isAmong('dpr q w', name)) return word;
  if (name === 'trim' && text === '') return 10;
  if (allowed.map) return numberIn(text, allowed);
  if (allowed.call) return allowed(text);
  const meant = isAmong(allowed, word) ? word :
      wordBehind(OTHER_WORDS, name[0] + word).slice(1);
  return !isAmong(allowed, meant) ? null :
      allowed.indexOf(meant) ? Number(meant) || meant : undefined;
}

function parseOption(name, text) {
  const parsed = valueOf(name, text);
  return parsed === null ? null : {value: parsed};
}

// ---- Writing into an Ask

function newAsk(mount) {
  return {site: mount.site, t: {}, unknown: [], named: {}, yielding: {}};
}

function mark(ask, name) {
  ask.named[name] = 1;
}

function set(ask, name, text, theirName) {
  const parsed = valueOf(name, text);
  // No vendor has the word jpng.
  if (parsed === null || parsed === 'jpng') wrong(theirName);
  ask.t[name] = parsed;
  mark(ask, name);
}

function setFit(ask, word, isUp) {
  ask.t.fit = word;
  ask.t.up = isUp ? true : undefined;
  mark(ask, 'fit');
  mark(ask, 'up');
}

function setGravity(ask, gravity) {
  ask.t.g = gravity;
  mark(ask, 'g');
}

// ---- Printing

// Not by dividing: njs prints 0.0539 with a rest.
function printShare(part) {
  return (part / 10000).toFixed(4).replace(/\.?0+(?!.|\s)/, '');
}

// The canonical text of an option, or its number; '' where it stands at its default. Beside an
// aspect ratio that is cover, so that inside has to be said.
function printOption(asked, name) {
  const it = asked[name];
  if (it === true) return '1';
  if (it > 0) return VALUES[name][2] !== 2 ? it : it === 100 && name === 'dpr' ? '' : it / 100;
  if (!it || (name === 'g' && it === 'c') || (name === 'fit' && it === 'inside' && !asked.ar)) {
    return '';
  }
  if (name === 'bg') return Buffer.from(it).toString('hex').slice(0, it[3] === 255 ? 6 : 8);
  if (name === 'crop') {
    return it.slice(0, 4).map((side) => it[4] ? side / 100 + 'p' : side).join('-');
  }
  return !it.map ? it : name === 'g' ? 'fp-' + it.map(printShare).join('-') : it.join('-');
}

// The canonical path of an Ask with these options. Without a format it is not yet settled. Those
// of `named` stand in it even where they say nothing.
function pathOf(ask, asked, named) {
  let text = '';
  Object.keys(named || asked).sort().forEach((name) => {
    const printed = name === 'f' ? '' : printOption(asked, name);
    if (printed || (named && (name !== 'f' || !asked.f))) text += '_' + name + '-' + printed;
  });
  return ask.canonical || '/' + ask.site + escapedSource(ask.source) + '_/' +
      (text.slice(1) || 'full') + '.' + (asked.f || 'auto');
}
