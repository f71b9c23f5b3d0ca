// SPDX-License-Identifier: Apache-2.0
// The options: their names, the texts of their values, and how they are written into an Ask. The
// tables say what spec/options.json says; both spellings of a value are understood, that of a
// query ("16:9") and the canonical one ("16-9").

// In canonical order.
const OPTIONS =
    'ar bg blur crop dpr f fit flip g h meta p q rot sharp small trim up v w'.split(' ');

const ALIASES = 'aspect=ar aspect-ratio=ar background=bg format=f fm=f gravity=g height=h ' +
    'metadata=meta preset=p quality=q rotate=rot sharpen=sharp upscale=up enlarge=up version=v ' +
    'width=w';

// Smallest, largest, decimals; both ends are scaled by the decimals.
const RANGES = {
  blur: [30, 10000, 2],
  dpr: [10, 800, 2],
  h: [1, 16383, 0],
  q: [1, 100, 0],
  sharp: [10, 1000, 2],
  trim: [1, 100, 0],
  w: [1, 16383, 0]
};

// "a" stands for itself, "a=b" for b, "a=" for the default.
const WORDS = {
  f: 'auto= avif webp jpeg jpg=jpeg png jpng',
  fit: 'inside pad cover stretch outside cut',
  flip: 'h v hv',
  meta: 'none= copyright',
  rot: '0= 90 180 270 -90=270 360=',
  small: 'ratio= cut keep pad',
  up: '1 0= true=1 false= =1'
};

const GRAVITIES = 'c center=c centre=c n north=n top=n ne north-east=ne northeast=ne ' +
    'top-right=ne e east=e right=e se south-east=se southeast=se bottom-right=se s south=s ' +
    'bottom=s sw south-west=sw southwest=sw bottom-left=sw w west=w left=w nw north-west=nw ' +
    'northwest=nw top-left=nw smart';

const COLORS = 'white=ffffff black=000000 transparent=00000000 silver=c0c0c0 gray=808080 ' +
    'grey=808080 maroon=800000 red=ff0000 purple=800080 fuchsia=ff00ff green=008000 ' +
    'lime=00ff00 olive=808000 yellow=ffff00 navy=000080 blue=0000ff teal=008080 aqua=00ffff';

function optionNamed(name) {
  const word = lower(name);
  return OPTIONS.indexOf(word) < 0 ? pairOf(ALIASES, word)[1] : word;
}

// ---- Values; null: not allowed

// What a word of such a list stands for, in any case.
function wordOf(words, text) {
  const pair = pairOf(words, lower(text));
  return pair.length > 0 ? pair[pair.length - 1] : null;
}

function numberIn(text, range) {
  // A number without decimals has no point either.
  if (range[2] === 0 && text.indexOf('.') >= 0) return null;
  const number = fixed(text, range[2]);
  return number === null || number < range[0] || number > range[1] ? null : number;
}

function wordValue(name, text) {
  const word = wordOf(WORDS[name], text);
  if (word === '') return undefined;
  if (word === null || !isAmong('rot up', name)) return word;
  return name === 'up' || Number(word);
}

function reduced(across, down) {
  if (!across || !down) return null;
  let divisor = across;
  for (let rest = down; rest > 0;) {
    const next = divisor % rest;
    divisor = rest;
    rest = next;
  }
  const pair = [across / divisor, down / divisor];
  return pair[0] > 10000 || pair[1] > 10000 ? null : pair;
}

// A lone decimal is taken with as many decimals as keep both sides within 10000.
function loneRatio(text) {
  const whole = fixed(text, 4);
  if (whole === null) return null;
  let decimals = 4;
  for (let end = 10000; whole > end && decimals > 0; end *= 10) --decimals;
  return reduced(fixed(text, decimals), Math.pow(10, decimals));
}

function ratioOf(text) {
  const pair = cut(text, text.indexOf(':') < 0 ? '-' : ':');
  return pair.length < 2 ? loneRatio(text) : reduced(fixed(pair[0], 4), fixed(pair[1], 4));
}

function colorOf(text) {
  let digits = wordOf(COLORS, text) || text.replace(/^#/, '');
  if (digits.length === 3 || digits.length === 4) digits = digits.replace(/./g, '$&$&');
  if (digits.length === 6) digits += 'ff';
  const bytes = digits.length === 8 ? fromHex(digits) : null;
  return bytes === null ? null : [0, 1, 2, 3].map((i) => bytes.charCodeAt(i));
}

function boxOf(text) {
  const parts = text.split(text.indexOf(',') < 0 ? '-' : ',');
  if (parts.length !== 4) return null;
  const isPercent = /[%pP](?![\s\S])/.test(parts[0]);
  const box = parts.map((part, i) => {
    const least = i < 2 ? 0 : 1;
    if (!isPercent) return numberIn(part, [least, 65535, 0]);
    if (!/[%pP](?![\s\S])/.test(part)) return null;
    return numberIn(part.slice(0, part.length - 1), [least, 9999 + least, 2]);
  });
  return box.indexOf(null) < 0 ? box.concat([isPercent]) : null;
}

function gravityOf(text) {
  const word = wordOf(GRAVITIES, text);
  if (word !== null) return word;
  const focal = /^[fF][pP]([:-])(?=[\s\S])/.exec(text);
  const pair = focal ? cut(text.slice(3), focal[1]) : cut(text, ',');
  const point = pair.map((part) => numberIn(part, [0, 10000, 4]));
  return pair.length < 2 || point.indexOf(null) >= 0 ? null : point;
}

const PARSERS = {ar: ratioOf, bg: colorOf, crop: boxOf, g: gravityOf};

function valueOf(name, text) {
  if (WORDS[name]) return wordValue(name, text);
  if (isAmong('dpr q w', name) && lower(text) === 'auto') return 'auto';
  if (name === 'trim' && text === '') return 10;
  return RANGES[name] ? numberIn(text, RANGES[name]) : PARSERS[name](text);
}

function parseOption(name, text) {
  const parsed = valueOf(name, text);
  return parsed === null ? null : {value: parsed};
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.~';

function token(name, text, more) {
  if (text === '' || text.length > 64 || !isMadeOf(text, LETTERS + (more || ''))) wrong(name);
  return text;
}

// ---- Writing into an Ask

function newAsk(mount) {
  return {
    site: mount.site,
    source: '',
    t: {},
    preset: '',
    version: '',
    unknown: [],
    canonical: false,
    named: {},
    yielding: {},
    // Of the native dialect, for sites with keys.
    signature: '',
    expires: undefined
  };
}

function mark(ask, name) {
  ask.named[name] = 1;
}

function set(ask, name, text, theirName) {
  if (name === 'p' || name === 'v') {
    ask[name === 'p' ? 'preset' : 'version'] = token(theirName, text);
  } else {
    const parsed = parseOption(name, text);
    if (parsed === null) wrong(theirName);
    ask.t[name] = parsed.value;
  }
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

function printBox(box) {
  return box.slice(0, 4)
      .map((side) => box[4] ? printFixed(side, 100) + 'p' : String(side))
      .join('-');
}

function printGravity(gravity) {
  if (gravity === 'c') return '';
  if (typeof gravity === 'string') return gravity;
  return 'fp-' + printFixed(gravity[0], 10000) + '-' + printFixed(gravity[1], 10000);
}

function printColor(color) {
  const digits = hex(String.fromCharCode(color[0], color[1], color[2], color[3]));
  return color[3] === 255 ? digits.slice(0, 6) : digits;
}

// The canonical text of an option, '' where it stands at its default.
function printOption(asked, name) {
  const it = asked[name];
  // Beside an aspect ratio the default is cover, so that inside has to be said.
  if (!it || (name === 'fit' && it === 'inside' && !asked.ar)) return '';
  if (name === 'ar') return it.join('-');
  if (name === 'bg') return printColor(it);
  if (name === 'crop') return printBox(it);
  if (name === 'g') return printGravity(it);
  if (name === 'up') return '1';
  if (name === 'dpr' && it === 100) return '';
  if (RANGES[name] && RANGES[name][2] > 0 && it !== 'auto') return printFixed(it, 100);
  return String(it);
}

// The canonical path of an Ask with these options. Without a format it is not yet settled.
function pathOf(ask, asked) {
  const parts = [];
  OPTIONS.forEach((name) => {
    const text = name === 'p' ? ask.preset : name === 'v' ? ask.version : printOption(asked, name);
    if (text !== '' && name !== 'f') parts.push(name + '-' + text);
  });
  return '/' + ask.site + '/' + escapedSource(ask.source) + '/_/' + optionsText(parts, asked.f);
}

function optionsText(parts, extension) {
  return (parts.join('_') || 'full') + '.' + (extension || 'auto');
}
