// SPDX-License-Identifier: Apache-2.0
// Cloudflare's image transformations, as src/dialect/cloudflare.cc reads them.

// Another name of the same option, or one that is treated alike.
const CLOUDFLARE_NAMES = 'width=w height=h format=f gravity=g quality=q face-zoom=zoom ' +
  'contrast=brightness gamma=brightness saturation=brightness scq=border segment=border ' +
  'slow-connection-quality=border trim.left=trim.top trim.right=trim.top ' +
  'trim.bottom=trim.top trim.width=trim.top trim.height=trim.top';
// Our fit, whether it enlarges, our small.
const CLOUDFLARE_FITS = 'scale-down=inside, contain=inside,1 cover=cover,1 crop=cover,,keep ' +
  'aspect-crop=cover, pad=pad,1 squeeze=stretch,1';
const CLOUDFLARE_GRAVITIES = 'auto=smart face=smart entropy=smart center=c left=w right=e top=n ' +
  'bottom=s';

// A whole number of a range, or null.
function cloudflareWhole(text, least, most) {
  const number = integer(text);
  return number !== null && number >= least && number <= most ? number : null;
}

function cloudflareAlpha(text) {
  const isPercent = text.slice(-1) === '%';
  const number = fixed(isPercent ? text.slice(0, -1) : text, isPercent ? 2 : 4);
  return number === null ? null : Math.floor((Math.min(number, 10000) * 255 + 5000) / 10000);
}

// rgb(240,40,145) or rgb(240 40 145 / 50%); null for others.
function cloudflareColor(text) {
  const open = text.indexOf('(');
  if (!isAmong('rgb rgba', lower(text.slice(0, open))) || text.slice(-1) !== ')') return null;
  const parts = text.slice(open + 1, -1).split(/[ ,\/]/).filter((part) => part);
  const color = parts.slice(0, 3).map((part) => cloudflareWhole(part, 0, 255));
  color.push(parts.length > 3 ? cloudflareAlpha(parts[3]) : 255);
  return color.length < 4 || parts.length > 4 || color.indexOf(null) >= 0 ? null : color;
}

// Whether CSS might know it: a name, or one of the other functions.
function cloudflareIsCss(text) {
  const word = lower(text.split('(')[0]);
  return word.length > 2 && (word.length === text.length || text.slice(-1) === ')') &&
    word.slice(0, 3) !== 'rgb' && word.search(/[^a-z-]/) < 0;
}

function cloudflareBackground(ask, name, text) {
  const known = parseOption('bg', text), color = known ? known.value : cloudflareColor(text);
  if (!color && cloudflareIsCss(text)) unsupported(name);
  if (!color) wrong(name);
  ask.t.bg = color;
  mark(ask, 'bg');
}

function cloudflareFit(ask, name, text) {
  const ours = wordBehind(CLOUDFLARE_FITS, text), parts = ours.split(',');
  if (ours === text) wrong(name);
  setFit(ask, parts[0], !!parts[1]);
  ask.t.small = parts[2];
}

function cloudflareGravity(ask, name, text) {
  const ours = wordBehind(CLOUDFLARE_GRAVITIES, text);
  if (ours !== text) return setGravity(ask, ours);
  if (text.indexOf('x') < 0) wrong(name);
  set(ask, 'g', text.replace('x', ','), name);
}

// sharpen or blur, whose radius is over our sigma.
function cloudflareFilter(ask, key, name, text) {
  const number = fixed(text, 2), isBlur = key === 'blur';
  if (number === null || number > (isBlur ? 25000 : 1000)) wrong(name);
  if (isBlur && number && number < 100) wrong(name);
  mark(ask, key);
  ask.t[key] = undefined;
  // 0.1 is the least that our option for sharpen knows.
  if (number) ask.t[key] = isBlur ? Math.floor((number * 40 + 50) / 100) : Math.max(number, 10);
}

// What changes nothing: 1 (for a zoom none), and 0, which only a saturation minds.
function cloudflareFactor(kind, name, text) {
  const number = fixed(text, 4), isZoom = kind === 'zoom';
  if (number === null || (isZoom && number > 10000)) wrong(name);
  if (number === 0 && name !== 'saturation') return;
  if (isZoom || number !== 10000) unsupported(name);
}

// top;right;bottom;left, or border.
function cloudflareTrim(ask, frame, name, text) {
  if (text === 'border') return set(ask, 'trim', '', name);
  const off = text.split(';').map((part) => cloudflareWhole(part, 0, 65535));
  if (off.length !== 4 || off.indexOf(null) >= 0) wrong(name);
  if (off[1] || off[2]) unsupported(name);
  frame['top'] = off[0];
  frame['left'] = off[3];
}

function cloudflareTrimSide(frame, name, text) {
  const side = name.slice(5);
  const pixels = cloudflareWhole(text, isAmong('width height', side) ? 1 : 0, 65535);
  if (pixels === null) wrong(name);
  // What is cut off there needs the source's size.
  if (isAmong('right bottom', side) && pixels) unsupported(name);
  frame[side] = pixels;
}

function cloudflareOption(ask, frame, name, text) {
  const kind = wordBehind(CLOUDFLARE_NAMES, name), pair = kind + '=' + text;
  const meta = text === 'keep' ? 'copyright' : text;
  const isOneOf = (names) => isAmong(names, kind);
  if (isAmong('anim=true anim=false compression=fast onerror=redirect upscale=interpolate', pair)) {
    return;
  }
  if (isOneOf('border') || name.search(/^(trim\.)?border\./) >= 0 ||
      isAmong('upscale=generate fit=scale-up f=json f=svg', pair)) {
    unsupported(name);
  }
  if (isOneOf('anim compression onerror upscale') || (kind === 'dpr' && lower(text) === 'auto') ||
      (kind === 'rotate' && !isAmong('0 90 180 270', text)) ||
      (kind === 'metadata' && !isAmong('copyright none', meta)) ||
      (kind === 'f' && !isAmong('auto avif webp jpeg baseline-jpeg jpg png png-force', text))) {
    wrong(name);
  }
  if (isOneOf('w h dpr flip')) return set(ask, kind, text, name);
  if (kind === 'rotate') return set(ask, 'rot', text, name);
  if (kind === 'metadata') return set(ask, 'meta', meta, name);
  if (kind === 'f') return set(ask, 'f', text.replace(/baseline-|-force/, ''), name);
  if (kind === 'fit') return cloudflareFit(ask, name, text);
  if (kind === 'g') return cloudflareGravity(ask, name, text);
  if (kind === 'background') return cloudflareBackground(ask, name, text);
  if (kind === 'blur') return cloudflareFilter(ask, kind, name, text);
  if (kind === 'sharpen') return cloudflareFilter(ask, 'sharp', name, text);
  if (isOneOf('brightness zoom')) return cloudflareFactor(kind, name, text);
  if (kind === 'trim') return cloudflareTrim(ask, frame, name, text);
  if (kind === 'trim.top') return cloudflareTrimSide(frame, name, text);
  if (kind !== 'q') return ask.unknown.push(name);
  ask.t.q = cloudflareWhole(
    wordBehind('high=90 medium-high=77 medium-low=63 low=50', text), 1, 100);
  if (ask.t.q === null) wrong(name);
}

// Commas within the parentheses of a colour belong to it.
function cloudflareOptions(ask, frame, text) {
  let start = 0, depth = 0, hasOption = false;
  for (let i = 0; i <= text.length; ++i) {
    if (i < text.length && (depth > 0 || text[i] !== ',')) {
      depth += text[i] === '(' ? 1 : text[i] === ')' ? -1 : 0;
      continue;
    }
    if (i > start) {
      const part = text.slice(start, i), equals = part.indexOf('=');
      const name = part.slice(0, equals);
      if (equals < 1) wrong('options');
      if (name.indexOf(' ') >= 0) wrong(name);
      cloudflareOption(ask, frame, name, part.slice(equals + 1));
      hasOption = true;
    }
    start = i + 1;
    depth = 0;
  }
  if (!hasOption) wrong('options');
}

// Pixels off the sides, times dpr. An extent that is not given reaches to the edge.
function cloudflareCut(asked, frame) {
  const pixels = ['left', 'top', 'width', 'height'].map((side) => frame[side] || 0);
  if (!pixels.some((number) => number)) return;
  asked.crop = pixels.map((number, i) => {
    const scaledUp = Math.min(65535, Math.floor((number * (asked.dpr || 100) + 50) / 100));
    return i < 2 ? scaledUp : number ? Math.max(1, scaledUp) : 65535;
  }).concat([false]);
}

function cloudflareSource(mount, raw) {
  const decoded = unescaped(raw);
  if (decoded !== null && decoded.search(/^https?:\/\//) >= 0) return sourceOfUrl(mount, decoded);
  return parseSource(raw[0] === '/' ? raw.slice(1) : raw);
}

function parseCloudflare(mount, rest) {
  const ask = newAsk(mount), asked = ask.t, frame = {};
  const options = rest.split('/')[0];
  if (mount.keys.length) unsigned();
  setFit(ask, 'inside', false);
  setGravity(ask, 'c');
  mark(ask, 'small');
  cloudflareOptions(ask, frame, decode(options, 'options'));
  ask.source = cloudflareSource(mount, rest.slice(options.length + 1));
  cloudflareCut(asked, frame);
  if (asked.crop) mark(ask, 'crop');
  // Ours turns first: a flip before a quarter turn is the other flip after it.
  if (asked.rot % 180 && asked.flip !== 'hv') {
    asked.flip = asked.flip && (asked.flip === 'h' ? 'v' : 'h');
  }
  if (asked.fit === 'pad') {
    // Gravity is for what is cut; a padded picture stands in the middle, on white.
    setGravity(ask, 'c');
    if (!ask.named.bg) asked.bg = [255, 255, 255, 255];
    mark(ask, 'bg');
  }
  if (!asked.q) asked.q = 85;
  mark(ask, 'q');
  if (!ask.named.f) keepFormat(ask);
  return ask;
}
