// SPDX-License-Identifier: Apache-2.0
// IPX: /<modifier>,<modifier>/<path or absolute URL> (src/dialect/ipx.cc). What the modifiers say
// is kept in the Ask, beside its own fields, until all of them are read.

function ipxPixels(name, text) {
  const side = integer(text);
  if (!side || side < 1) wrong(name);
  return side;
}

// Larger sides are not refused but made smaller. The field is the name's first letter.
function ipxSide(ask, name, value) {
  ask[name[0]] = Math.min(ipxPixels(name, value), 8192);
}

// Both sides shrink alike where one is above the limit.
function ipxSize(ask, name, value) {
  const x = value.indexOf('x');
  const width = ipxPixels(name, x < 0 ? value : value.slice(0, x));
  const height = ipxPixels(name, value.slice(x + 1));
  const longer = Math.max(width, height, 8192);
  if (longer > 1e9) wrong(name);
  ask.sides = [width, height].map((side) =>
    Math.max(Math.floor((2 * side * 8192 + longer) / (2 * longer)), 1));
}

function ipxFit(ask, name, value) {
  if (!isAmong('contain cover fill inside outside', value)) wrong(name);
  ask.fit = wordBehind('contain=pad fill=stretch', value);
}

// Sharp's names and numbers of position, gravity and strategy.
const IPX_POSITIONS =
  'center=c centre=c top=n right-top=ne right=e right-bottom=se bottom=s left-bottom=sw left=w' +
  ' left-top=nw north=n northeast=ne east=e southeast=se south=s southwest=sw west=w' +
  ' northwest=nw entropy=smart attention=smart 0=c 1=n 2=e 3=s 4=w 5=ne 6=se 7=sw 8=nw' +
  ' 16=smart 17=smart';

function ipxPosition(ask, name, value) {
  const word = value.replace(/ /g, '-');
  const gravity = wordBehind(IPX_POSITIONS, word);
  // The word itself: it is not in the table.
  if (gravity === word) wrong(name);
  setGravity(ask, gravity);
}

function ipxFormat(ask, name, value) {
  if (isAmong('gif heif heic tiff svg', value)) unsupported(name);
  if (!isAmong('auto jpeg jpg png webp avif', value)) wrong(name);
  set(ask, 'f', value, name);
}

function ipxQuality(ask, name, value) {
  const percent = integer(value);
  if (!percent || percent < 1 || percent > 100) wrong(name);
  ask.t.q = percent;
}

function ipxBackground(ask, name, value) {
  const color = parseOption('bg', value);
  if (color) {
    ask.bg = color.value;
    return;
  }
  const isWord = value.length > 2 && value.length < 21 && value.search(/[^a-zA-Z]/) < 0;
  if (isWord || value.indexOf('(') >= 0) unsupported(name);
  wrong(name);
}

// Four numbers; percentages and '-' between them are spellings of our own.
function ipxExtract(ask, name, value, values) {
  const box = values.join(',');
  if (box.search(/[p%P-]/) >= 0) wrong(name);
  set(ask, 'crop', box, name);
}

// A threshold of 0 is one of exactly equal colours; ours begins at 1.
function ipxTrim(ask, name, value) {
  const threshold = fixed(value || '10', 0);
  if (threshold === null) wrong(name);
  ask.t.trim = Math.min(Math.max(threshold, 1), 100);
  mark(ask, 'trim');
}

function ipxRotate(ask, name, value) {
  const angle = decimal(value);
  if (angle === null || angle < -3600 || angle > 3600) wrong(name);
  if (angle % 90) unsupported(name);
  ask.t.rot = (angle % 360 + 360) % 360 || undefined;
  mark(ask, 'rot');
}

// Without a sigma it is a box of 3 x 3. Ours ends at 100.
function ipxBlur(ask, name, value) {
  const sigma = fixed(value || '0.8', 2);
  if (sigma === null || sigma < 30 || sigma > 100000) wrong(name);
  ask.t.blur = Math.min(sigma, 10000);
  mark(ask, 'blur');
}

// The second and the third are for flat and jagged areas apart. 0.1 is the least that ours knows.
function ipxSharpen(ask, name, value, values) {
  if (values[1] || values[2]) unsupported(name);
  const sigma = decimal(value || '0.5');
  if (sigma === null || sigma < 0.000001 || sigma > 10) wrong(name);
  ask.t.sharp = Math.max(Math.round(sigma * 100), 10);
  mark(ask, 'sharp');
}

// lanczos3 is the kernel of both.
function ipxKernel(ask, name, value) {
  if (isAmong('nearest linear cubic mitchell lanczos2 mks2013 mks2021', value)) unsupported(name);
  if (value !== 'lanczos3') wrong(name);
}

// On, whatever follows.
function ipxSwitch(ask, name) {
  ask[name] = true;
}

function ipxRefuse(ask, name) {
  unsupported(name);
}

// Those marked with true act without a value too.
const IPX_MODIFIERS = [
  ['w width h height', ipxSide],
  ['s resize', ipxSize],
  ['fit', ipxFit],
  ['pos position', ipxPosition],
  ['f format', ipxFormat],
  ['q quality', ipxQuality],
  ['b background', ipxBackground],
  ['rotate', ipxRotate],
  ['kernel', ipxKernel],
  ['crop extract', ipxExtract, true],
  ['trim', ipxTrim, true],
  ['blur', ipxBlur, true],
  ['sharpen', ipxSharpen, true],
  ['enlarge flatten flip flop', ipxSwitch, true],
  ['a animated extend gamma grayscale median modulate negate normalize threshold tint unflatten',
    ipxRefuse, true]
];

// An argument "undefined" is as good as none.
function ipxModifier(ask, text) {
  const parts = text.split(/[_:=]/);
  const name = parts[0];
  const values = parts.slice(1).map((part) => part === 'undefined' ? '' : part);
  const known = IPX_MODIFIERS.filter((one) => isAmong(one[0], name))[0];
  if (!known) ask.unknown.push(name);
  else if (values[0] || known[2]) known[1](ask, name, values[0], values);
}

// The rest of the path. An address has escapes of its own, which are left when the path's are
// undone; proxies make one slash of two.
function ipxSource(mount, raw) {
  const url = unescaped(raw);
  if (url === null || url.search(/^https?:\//) < 0) {
    return parseSource(raw[0] === '/' ? raw.slice(1) : raw);
  }
  const found = sourceOfUrl(mount, url.replace(/^(https?:)\/\/?/, '$1//'));
  const plain = unescaped(found);
  return checkSource(plain === null ? found : plain);
}

// The later resize takes all: w beats s, s beats h.
function ipxSettleBox(ask) {
  const asked = ask.t;
  const box = !ask.w && ask.sides || [ask.w, ask.w ? undefined : ask.h];
  setFit(ask, ask.fit, ask.enlarge);
  asked.w = box[0];
  asked.h = box[1];
  mark(ask, 'w');
  mark(ask, 'h');
  mark(ask, 'small');
}

// A colour counts for padding and for flattening only; without one both are black.
function ipxSettleBackground(ask) {
  const asked = ask.t;
  if (!(ask.fit === 'pad' && asked.w && asked.h) && !ask.flatten) return;
  asked.bg = ask.bg || [0, 0, 0, 255];
  mark(ask, 'bg');
}

// Sharp flips before it rotates, ours after: what mirrors a side mirrors the other one then.
function ipxSettleFlip(ask) {
  if (!ask.flip && !ask.flop) return;
  const isAcross = ask.t.rot % 180 ? ask.flip : ask.flop;
  ask.t.flip = ask.flip && ask.flop ? 'hv' : isAcross ? 'h' : 'v';
  mark(ask, 'flip');
}

function parseIpx(mount, path) {
  if (mount.keys.length) unsigned();
  const ask = newAsk(mount);
  ask.fit = 'cover';
  setGravity(ask, 'c');
  const modifiers = decode(path.split('/')[0], 'modifiers');
  ask.source = ipxSource(mount, path.split('/').slice(1).join('/'));
  keepFormat(ask);
  if (!modifiers) wrong('modifiers');
  if (modifiers !== '_') {
    modifiers.split(/[,&]/).forEach((text) => {
      if (text) ipxModifier(ask, text);
    });
  }
  ipxSettleBox(ask);
  ipxSettleBackground(ask);
  ipxSettleFlip(ask);
  mark(ask, 'q');
  // Which of the two defaults holds is not known before the format is: then ours stands.
  if (!ask.t.q && ask.t.f) ask.t.q = ask.t.f === 'avif' ? 50 : 80;
  return ask;
}
