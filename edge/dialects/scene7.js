// SPDX-License-Identifier: Apache-2.0
// Scene7 (Adobe Dynamic Media): /is/image/<company>/<asset>?<modifier>&<modifier>&…
// The reference is src/dialect/scene7.cc, which says why.
//
// `given` has the text of each modifier that was taken, by its name as we spell it; the last one of
// a name wins. Where an option goes back to its default it is set to undefined.

const SCENE7_FITS = 'fit=pad constrain=inside crop=cover wrap=outside hfit=inside vfit=inside';

const SCENE7_MODIFIERS = {
  align: scene7Align,
  bfc: scene7Switch,
  network: scene7Switch,
  bgc: scene7Background,
  crop: scene7Box,
  cropN: scene7Box,
  rgn: scene7Box,
  rgnN: scene7Box,
  dpr: scene7Dpr,
  fit: scene7Fit,
  flip: scene7Flip,
  fmt: scene7Format,
  op_blur: scene7Blur,
  op_sharpen: scene7Sharpening,
  op_usm: scene7Sharpening,
  op_usmR: scene7Sharpening,
  qlt: scene7Quality,
  req: scene7Request,
  resMode: scene7Resampling,
  rotate: scene7Rotate,
  scl: scene7Scale,
  wid: scene7Side,
  hei: scene7Side
};

// None of these changes a pixel here.
const SCENE7_PLAIN = 'cache defaultimage iccembed id pathembed printres pscan xmpembed';

const SCENE7_OTHERS =
    'anchor anchorn bgcolor blendmode clippath clipxpath color croppathe effect effectmask ' +
    'extend extendn hide icc imageset jpegsize layer locale map mask maskuse op_brightness ' +
    'op_colorbalance op_colorize op_contrast op_grow op_growmask op_growmaskr op_hue op_invert ' +
    'op_noise op_saturation opac origin originn pathattr perspective pos posn quantize rect res ' +
    'scale size sizen src template text textangle textattr textflowpath textflowxpath textpath ' +
    'textps type';

// Comma-separated decimals; null when one of them is none or there are too many.
function scene7Numbers(text, most) {
  const numbers = text.split(',').map((part) => decimal(part));
  return numbers.length <= most && numbers.indexOf(null) < 0 ? numbers : null;
}

// Half away from zero.
function scene7Round(number) {
  return number < 0 ? -Math.round(-number) : Math.round(number);
}

// The text before the comma, and whether ",1" stands behind it; ",0" and nothing are the others.
function scene7Pair(text, theirs) {
  const comma = (text + ',').indexOf(',');
  const more = text.slice(comma);
  if (more && more !== ',0' && more !== ',1') wrong(theirs);
  return [text.slice(0, comma), more === ',1'];
}

// set() takes the word auto for some numbers; this vendor has no such word.
function scene7SetNumber(ask, ours, text, theirs) {
  if (decimal(text) === null) wrong(theirs);
  set(ask, ours, text, theirs);
}

// ---- The modifiers: (ask, name as we spell it, text, given)

function scene7Side(ask, theirs, text) {
  scene7SetNumber(ask, theirs === 'wid' ? 'w' : 'h', text, theirs);
}

function scene7Fit(ask, theirs, text) {
  const pair = scene7Pair(text, theirs);
  const fit0 = wordBehind(SCENE7_FITS, pair[0]);
  if (fit0 === pair[0] && fit0 !== 'stretch') wrong(theirs);
  setFit(ask, fit0, pair[1]);
  ask.t.small = 'pad';
  mark(ask, 'small');
}

function scene7Scale(ask, theirs, text) {
  const factor = decimal(text);
  if (factor === null || factor <= 0) wrong(theirs);
  if (factor !== 1) unsupported(theirs);
}

function scene7Dpr(ask, theirs, text) {
  if (text === 'off') set(ask, theirs, '1', theirs);
  else if (text === 'on') set(ask, theirs, 'auto', theirs);
  else if (text.slice(0, 3) !== 'on,') wrong(theirs);
  else scene7SetNumber(ask, theirs, text.slice(3), theirs);
}

// -1..1 from the left or top to the right or bottom.
function scene7Align(ask, theirs, text) {
  const numbers = scene7Numbers(text, 2) || [];
  if (numbers.length < 2 || numbers.some((number) => Math.abs(number) > 1)) wrong(theirs);
  const point = numbers.map((number) => Math.round((number + 1) * 5000));
  const isCompass = point.every((number) => number % 5000 === 0);
  const places = ['nw', 'n', 'ne', 'w', 'c', 'e', 'sw', 's', 'se'];
  setGravity(ask, isCompass ? places[(point[0] + point[1] * 3) / 5000] : point);
}

// crop, rgn: x,y,width,height in pixels; cropN, rgnN: in fractions of the source's sides.
function scene7Box(ask, theirs, text, given) {
  const isRelative = theirs.slice(-1) === 'N';
  const isRegion = theirs.slice(0, 3) === 'rgn';
  const hasRegion = !!(given.rgn || given.rgnN);
  const numbers = scene7Numbers(text, 4) || [];
  const box = numbers.map((number) => scene7Round(isRelative ? number * 10000 : number));
  const isBox = numbers.every((number, i) => {
    const isWhole = isRelative || number % 1 === 0;
    return Math.abs(number) <= (isRelative ? 100 : 65535) && isWhole && (i < 2 || box[i] > 0);
  });
  if (numbers.length < 4 || !isBox) wrong(theirs);
  const isBeyond = isRelative && (box[0] + box[2] > 10000 || box[1] + box[3] > 10000);
  // The picture would get a margin.
  if (box[0] < 0 || box[1] < 0 || isBeyond) unsupported(theirs);
  // A region lies in what a crop has left, and the one may stand before the other.
  if (ask.t.crop && isRegion !== hasRegion) unsupported(theirs);
  ask.t.crop = box.concat([isRelative]);
  mark(ask, 'crop');
}

function scene7Rotate(ask, theirs, text) {
  const degrees = decimal(text);
  if (degrees === null) wrong(theirs);
  const turned = (degrees % 360 + 360) % 360;
  if (turned % 90) unsupported(theirs);
  set(ask, 'rot', String(turned), theirs);
}

function scene7Flip(ask, theirs, text) {
  const flip0 = wordBehind('lr=h ud=v lrud=hv', text);
  if (flip0 === text) wrong(theirs);
  set(ask, theirs, flip0, theirs);
}

// "r,g,b" of 0 to 255 or "gray" of 0 to 100 percent, each with one more number; null: none.
function scene7Color(text) {
  const numbers = scene7Numbers(text, 4);
  if (numbers === null) return null;
  const isGray = numbers.length <= 2;
  const most = isGray ? 100 : 255;
  if (numbers.some((number) => number < 0 || number > most || number % 1)) return null;
  const bytes = numbers.map((number) => Math.round(number * 255 / most));
  return isGray ? [bytes[0], bytes[0], bytes[0], 255] : bytes.slice(0, 3).concat([255]);
}

// "0xRRGGBB", "RRGGBB", "0xGG" as RRGGBB; other texts as they are.
function scene7Hex(text) {
  const hasPrefix = text.length > 2 && lower(text.slice(0, 2)) === '0x';
  const digits = hasPrefix ? text.slice(2) : text;
  const gray = digits.slice(0, 2);
  if (hasPrefix && (digits.length === 2 || digits.length === 4)) return gray + gray + gray;
  return digits.length === 8 ? digits.slice(0, 6) : digits;
}

// Behind the number stand "r", "g" or "k" for the kind of pixels, then "s" for the profile.
function scene7Background(ask, theirs, text) {
  let digits = lower(text);
  if (digits.slice(-1) === 's') digits = digits.slice(0, -1);
  if (digits.slice(-1) === 'k') unsupported(theirs);
  if (isAmong('r g', digits.slice(-1))) digits = digits.slice(0, -1);
  const plain = scene7Hex(digits);
  if (plain.length === 6 && plain.search(/[^0-9a-f]/) < 0) {
    set(ask, 'bg', plain, theirs);
    return;
  }
  ask.t.bg = scene7Color(digits);
  if (ask.t.bg === null) wrong(theirs);
  mark(ask, 'bg');
}

// Behind the format stand the kind of pixels and the compression.
function scene7Format(ask, theirs, text) {
  const parts = text.split(',');
  const hasAlpha = parts[0].slice(-6) === '-alpha';
  const word = hasAlpha ? parts[0].slice(0, -6) : parts[0];
  const ours = wordBehind('jpg=jpeg pjpeg=jpeg png8=png', word);
  const known = hasAlpha ? 'avif png webp' : 'avif jpeg png webp';
  let isOurs = isAmong(known, ours);
  let isTheirs = parts.length <= 3 && (isOurs ||
      isAmong('eps f4m gif heic jpeg2000 jpegxr m3u8 pdf swf swf3 tif', lower(word)));
  parts.slice(1).forEach((part) => {
    const isPlain = part === '' || isAmong('rgb lossy jpeg', lower(part));
    isOurs = isOurs && isPlain;
    isTheirs = isTheirs && (isPlain || isAmong('gray cmyk lossless lzw none zip', lower(part)));
  });
  if (!isTheirs) wrong(theirs);
  if (!isOurs) unsupported(theirs);
  set(ask, 'f', ours, theirs);
}

// The second number asks for full chroma resolution; the encoder decides that by itself.
function scene7Quality(ask, theirs, text) {
  scene7SetNumber(ask, 'q', scene7Pair(text, theirs)[0], theirs);
}

function scene7Switch(ask, theirs, text) {
  if (text !== 'on' && text !== 'off') wrong(theirs);
}

// amount[,radius[,threshold[,monochrome]]]. Of the radius, which is one at the source's resolution,
// no more is read than whether there is any. op_sharpen: 0 or 1.
function scene7Sharpening(ask, theirs, text) {
  if (theirs === 'op_sharpen' && text !== '0' && text !== '1') wrong(theirs);
  const numbers = scene7Numbers(text, 4);
  const most = [5, 250, 255, 1];
  if (!numbers || numbers.some((number, i) => number < 0 || number > most[i])) wrong(theirs);
  // No documentation says what an amount is as a sigma; halves look alike.
  const sigma = Math.max(Math.round(numbers[0] * 50), 10);
  ask.t.sharp = numbers[0] && numbers[1] !== 0 ? sigma : undefined;
  mark(ask, 'sharp');
}

function scene7Blur(ask, theirs, text) {
  const radius = decimal(text);
  if (radius === null || radius < 0 || radius > 250) wrong(theirs);
  const sigma = Math.min(Math.max(Math.round(radius * 50), 30), 10000);
  ask.t.blur = radius ? sigma : undefined;
  mark(ask, 'blur');
}

function scene7Resampling(ask, theirs, text) {
  if (!isAmong('bilin bicub sharp2 bisharp sharp', lower(text))) wrong(theirs);
}

function scene7Request(ask, theirs, text) {
  if (text !== 'tmb' && text !== 'img') unsupported(theirs);
}

// ---- The query

// Their names may have '_', ours may not.
function scene7Preset(ask, theirs) {
  const ours = theirs.slice(1, -1).split('_').join('-');
  // The second one would have to be laid over the first.
  if (ask.t.p && ask.t.p !== ours) unsupported(theirs);
  ask.yielding = Object.assign({}, ask.named);
  set(ask, 'p', ours, theirs);
}

// What is named behind a preset does not yield to it.
function scene7Known(ask, theirs, text, given) {
  const before = ask.named;
  ask.named = {};
  SCENE7_MODIFIERS[theirs](ask, theirs, text, given);
  given[theirs] = text;
  Object.keys(ask.named).forEach((ours) => {
    delete ask.yielding[ours];
    before[ours] = 1;
  });
  ask.named = before;
}

function scene7Parameter(ask, theirs, text, given) {
  const plain = lower(theirs);
  if (theirs[0] === '.') return;
  if (theirs[0] === '$') {
    if (theirs.length < 3 || theirs.slice(-1) !== '$' || text) unsupported(theirs);
    scene7Preset(ask, theirs);
    return;
  }
  const known = wordBehind('cropn=cropN rgnn=rgnN op_usmr=op_usmR resmode=resMode', plain);
  if (has(SCENE7_MODIFIERS, known)) scene7Known(ask, known, text, given);
  else if (isAmong(SCENE7_OTHERS, plain)) unsupported(theirs);
  else if (!isAmong(SCENE7_PLAIN, plain)) ask.unknown.push(theirs);
}

// "wid=400&fmt=png" for "d2lkPTQwMCZmbXQ9cG5n"; what is no such base64 is returned as it is.
function scene7Reveal(query) {
  const plain = fromBase64(unescaped(query) || '');
  return plain && plain.search(/[=$]/) >= 0 && plain.search(/[^!-~]/) < 0 ? plain : query;
}

function scene7Modifiers(ask, query, given) {
  const list = parameters(scene7Reveal(query), false);
  const last = list[list.length - 1];
  // A lock.
  if (last && !last[2] && last[0].length === 4 && last[0].search(/[^0-9a-fA-F]/) < 0) list.pop();
  list.forEach((pair) => {
    scene7Parameter(ask, pair[0], pair[1], given);
  });
}

// ---- What several modifiers mean together

// True where the request does not name the option. It then counts as named, so that the site's own
// defaults do not change what a URL means, but yields to a preset.
function scene7FallsBack(ask, ours) {
  if (ask.named[ours]) return false;
  ask.yielding[ours] = 1;
  mark(ask, ours);
  return true;
}

function scene7SettleSize(ask, given) {
  const asked = ask.t;
  if (given.req === 'tmb') {
    if (given.fit) wrong('fit');
    if (scene7FallsBack(ask, 'w')) asked.w = 100;
    if (scene7FallsBack(ask, 'h')) asked.h = 100;
  }
  if (given.fit && !asked.w && !asked.h && !ask.t.p) wrong('fit');
  const mayHaveBoth = (asked.w && asked.h) || ask.t.p;
  if ((given.fit || '').search(/^[hv]/) >= 0 && mayHaveBoth) unsupported('fit');
  if (given['scl']) setFit(ask, 'cut', false);
  if (scene7FallsBack(ask, 'fit')) asked.fit = 'pad';
  scene7FallsBack(ask, 'up');
  scene7FallsBack(ask, 'small');
}

function scene7SettlePosition(ask, given) {
  const asked = ask.t;
  const isTurned = asked.rot || asked.flip;
  // A region is one of the picture as it has been turned.
  if ((given.rgn || given.rgnN) && isTurned) unsupported('rgn');
  // Flips come before rotations here, behind them in ours: around a quarter turn the axes swap.
  if (asked.rot % 180 && asked.flip) asked.flip = wordBehind('h=v v=h', asked.flip);
  scene7FallsBack(ask, 'g');
  // A focal point is one of the whole upright picture, and pads do not know it.
  const isAligned = asked.w && asked.h && asked.fit !== 'inside' && asked.fit !== 'stretch';
  const isPoint = typeof asked.g === 'object';
  if (isPoint && isAligned && (asked.fit !== 'cover' || asked.crop || isTurned)) {
    unsupported('align');
  }
}

function scene7SettleEncoding(ask, given) {
  const asked = ask.t;
  if (scene7FallsBack(ask, 'f')) asked.f = 'jpeg';
  if (given['bfc'] === 'on' && asked.f === 'jpeg') asked.f = undefined;
  if (scene7FallsBack(ask, 'q') && given['network'] === 'on') asked.q = 'auto';
  if (scene7FallsBack(ask, 'bg')) asked.bg = [255, 255, 255, 255];
  if ((given['fmt'] || '').search(/-alpha/) >= 0) asked.bg = undefined;
}

function parseScene7(mount, received, query) {
  const ask = newAsk(mount);
  const given = {};
  ask.source = parseSource(received);
  if (ask.source.slice(ask.source.lastIndexOf('/') + 1).indexOf(':') >= 0) {
    unsupported('smart crop');
  }
  scene7Modifiers(ask, query, given);
  scene7SettleSize(ask, given);
  scene7SettlePosition(ask, given);
  scene7SettleEncoding(ask, given);
  return ask;
}
