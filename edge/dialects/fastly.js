// SPDX-License-Identifier: Apache-2.0
// Fastly Image Optimizer; the reference is src/dialect/fastly.cc.

// What changes pixels in ways that we cannot, and the values that are harmless.
const FASTLY_REFUSED = [
  ['brightness contrast saturation', '0'],
  ['disable enable', 'upscale'],
  ['frame', '1'],
  ['metadata', 'c2pa c2pa,copyright copyright copyright,c2pa'],
  ['pad', '0 0,0 0,0,0 0,0,0,0'],
  ['resize-filter', 'bicubic bilinear cubic lanczos lanczos2 lanczos3 linear'],
  ['bw montage overlay overlay-base64', '']];

// Read beside the options of FASTLY_HANDLERS, or without effect here.
const FASTLY_KNOWN =
  'canvas fit level overlay-align overlay-height overlay-pad overlay-width profile viewbox';

// [number, measure]: 1 pixels, 2 hundredths of a percent, 0 either. '640', '0.5' or '50p'.
function fastlyLength(text) {
  const isPercent = text.endsWith('p'), isShare = isPercent || text.includes('.');
  const digits = isPercent ? text.slice(0, -1) : text;
  const number = fixed(digits, isPercent ? 2 : isShare ? 4 : 0);
  if (number === null || number > (isShare ? 10000 : 65535)) return null;
  return [number, number && (isShare ? 2 : 1)];
}

// A direction of a region is [side, start, offset], of which the last two exclude each other: where
// it begins, or how the room is shared out. With neither it stands in the middle.
function fastlyFocus(axis) {
  return axis[1] ? 0 : axis[2] === undefined ? 5000 : axis[2];
}

// A region is [x, y, ratio, isSmart].
function fastlyGravity(region) {
  return region[3] ? 'smart' : [fastlyFocus(region[0]), fastlyFocus(region[1])];
}

// 'x10' or 'offset-x10', one of them for each direction; whether it is one.
function fastlyPosition(region, text) {
  const isOffset = text.startsWith('offset-'), part = isOffset ? text.slice(7) : text;
  const axis = region[part[0] === 'x' ? 0 : 1], number = part.slice(1);
  if (!isAmong('x y', part.charAt(0)) || axis[1] || axis[2] !== undefined) return false;
  if (!isOffset) {
    axis[1] = fastlyLength(number);
    return axis[1] !== null;
  }
  axis[2] = fixed(number, 2);
  return axis[2] !== null && axis[2] <= 10000;
}

// '640,480,x10,offset-y50,safe' or '16:9,smart'; null.
function fastlyRegion(text) {
  const parts = text.split(','), isRatio = parts[0].includes(':');
  const region = [[[0, 0]], [[0, 0]], isRatio && parts[0]];
  if (!isRatio) {
    const across = fastlyLength(parts[0]), down = fastlyLength(parts[1] || '');
    if (!across || !down || !across[0] || !down[0]) return null;
    region[0][0] = across;
    region[1][0] = down;
  }
  for (let i = isRatio ? 1 : 2; i < parts.length; i++) {
    // Only a ratio leaves something to find.
    if (parts[i] === 'smart' && isRatio) {
      region[3] = true;
    } else if (parts[i] !== 'safe' && !fastlyPosition(region, parts[i])) {
      return null;
    }
  }
  return region;
}

// Our option has the first letter of Fastly's.
function fastlySide(ask, name, text) {
  const length_px = fastlyLength(text);
  if (text.endsWith('p') || (length_px && length_px[1] === 2)) unsupported(name);
  if (!length_px) wrong(name);
  set(ask, name[0], text, name);
}

// A cut without scaling has no use for it.
function fastlyDpr(ask, name, text) {
  const ratio_e2 = fixed(text, 2);
  if (ratio_e2 === null) wrong(name);
  if (ratio_e2 > 800 && ratio_e2 <= 1000) unsupported(name);
  if (ask.t.fit !== 'cut' || !parseOption(name, text)) set(ask, name, text, name);
}

// We cut one rectangle, and it comes first.
function canFastlyCut(asked) {
  return !asked.crop && !asked.ar && asked.fit !== 'cut';
}

// Without a start pixels are cut out unscaled.
function fastlyCutUnplaced(ask, region) {
  const asked = ask.t, across = region[0][0][0], down = region[1][0][0];
  if (region[0][1] || region[1][1] || asked.w || asked.h) return false;
  if (Math.max(across, down) > 16383) return false;
  asked.w = across;
  asked.h = down;
  mark(ask, 'w');
  mark(ask, 'h');
  mark(ask, 'dpr');
  setFit(ask, 'cut', asked.up);
  setGravity(ask, fastlyGravity(region));
  return true;
}

function fastlyStart(axis) {
  if (axis[1]) return axis[1];
  return [Math.floor((10000 - axis[0][0]) * fastlyFocus(axis) / 10000), 2];
}

function fastlyCutRectangle(ask, region) {
  const across = region[0][0], down = region[1][0], measure = across[1], isShare = measure === 2;
  if (!canFastlyCut(ask.t) || measure !== down[1]) return false;
  if (!isShare && (!region[0][1] || !region[1][1])) return fastlyCutUnplaced(ask, region);
  const left = fastlyStart(region[0]), top = fastlyStart(region[1]);
  if (left[1] === 3 - measure || top[1] === 3 - measure) return false;
  if (isShare && (left[0] === 10000 || top[0] === 10000)) return false;
  ask.t.crop = [left[0], top[0], across[0], down[0], isShare];
  mark(ask, 'crop');
  return true;
}

function hasFastlyRatio(asked) {
  const gap = Math.abs(asked.w * asked.ar[1] - asked.h * asked.ar[0]);
  return 2 * gap <= Math.max(asked.ar[0], asked.ar[1]);
}

// Cuts to a ratio and then to the sides: one step where the sides are of that ratio.
function fastlyCutToRatio(ask, region, name) {
  const asked = ask.t, isFirst = !asked.ar && asked.fit !== 'cut';
  const isWithin = [region[0][1], region[1][1]].some((start) => start && start[0] > 0);
  set(ask, 'ar', region[2], name);
  const isMet = !asked.w || !asked.h || hasFastlyRatio(asked);
  if (!isFirst || isWithin || !isMet) unsupported(name);
  setGravity(ask, fastlyGravity(region));
  setFit(ask, 'cover', asked.up);
  mark(ask, 'small');
}

function fastlyCut(ask, name, text) {
  const region = fastlyRegion(text);
  if (!region) wrong(name);
  if (region[2]) {
    fastlyCutToRatio(ask, region, name);
  } else if (!fastlyCutRectangle(ask, region)) {
    unsupported(name);
  }
}

// 'auto' or a colour, and a threshold: 'auto,t0.1'. It comes before all other cuts.
function fastlyTrimBorder(ask, name, text) {
  const parts = text.split(','), last = parts[parts.length - 1];
  let threshold = 0;
  if (last.startsWith('t')) {
    threshold = fixed(last.slice(1), 2);
    if (threshold === null || threshold > 100) wrong(name);
    parts.pop();
  }
  if (parts.join() !== 'auto' || ask.t.crop) unsupported(name);
  ask.t.trim = Math.max(threshold, 1);
  mark(ask, 'trim');
}

// Top, right, bottom, left, in CSS's shorthand. Edges in pixels would need the source's size.
function fastlyTrim(ask, name, text) {
  if (text === 'auto') return fastlyTrimBorder(ask, name, 'auto,t0.1');
  const edges = text.split(',').map(fastlyLength), count = edges.length;
  if (count > 4 || edges.includes(null)) wrong(name);
  if (edges.some((edge) => edge[1] === 1)) unsupported(name);
  const top = edges[0][0], right = count > 1 ? edges[1][0] : top;
  const bottom = count > 2 ? edges[2][0] : top, left = count > 3 ? edges[3][0] : right;
  if (top + right + bottom + left === 0) return;
  if (!canFastlyCut(ask.t)) unsupported(name);
  const across = 10000 - left - right, down = 10000 - top - bottom;
  if (across <= 0 || down <= 0) wrong(name);
  ask.t.crop = [left, top, across, down, true];
  mark(ask, 'crop');
}

// EXIF's numbers, or words for most of them.
function fastlyTurn(ask, name, text) {
  const number = wordBehind('h=2 hv=3 vh=3 v=4 rv=5 vr=5 r=6 lv=7 vl=7 l=8', text);
  if (!isAmong('1 2 3 4 5 6 7 8', number)) wrong(name);
  // Fastly cuts before it turns, we cut to a ratio after.
  if (number > 1 && (ask.t.ar || ask.t.fit === 'cut')) unsupported(name);
  ask.t.rot = [0, 0, 180, 0, 90, 90, 270, 270][number - 1];
  ask.t.flip = ['', 'h', '', 'v', 'h', '', 'h', ''][number - 1];
  mark(ask, 'rot');
  mark(ask, 'flip');
}

// 'fff', 'f4f4f4', '255,0,0' or '255,0,0,0.5'.
function fastlyBackground(ask, name, text) {
  if (text.search(/[^0-9a-f]/i) < 0 && (text.length === 3 || text.length === 6)) {
    return set(ask, 'bg', text, name);
  }
  const channels = text.split(',').map((part, i) => {
    const number = fixed(part, i === 3 ? 4 : 0);
    if (number === null || number > (i === 3 ? 10000 : 255) || (i < 3 && part.search(/\D/) >= 0)) {
      wrong(name);
    }
    return i === 3 ? Math.floor((number * 255 + 5000) / 10000) : number;
  });
  if (channels.length === 3) channels.push(255);
  if (channels.length !== 4) wrong(name);
  ask.t.bg = channels;
  mark(ask, 'bg');
}

function fastlyFormat(ask, name, text) {
  if (isAmong('gif jxl mp4 pjxl svg webpll', text)) unsupported(name);
  const ours = wordBehind('pjpg=jpg pjpeg=jpg bjpg=jpg bjpeg=jpg png8=png webply=webp', text);
  if (!isAmong('jpg jpeg png webp avif auto', ours)) wrong(name);
  set(ask, 'f', ours, name);
}

function fastlyNegotiate(ask, name, text) {
  if (!text.split(',').every((word) => isAmong('avif webp', word))) wrong(name);
  delete ask.t.f;
}

function fastlyOptimize(ask, name, text) {
  if (!isAmong('low medium high', text)) wrong(name);
  set(ask, 'q', 'auto', name);
}

// The second number is for WebP where that is negotiated.
function fastlyQuality(ask, name, text) {
  const parts = text.split(',');
  if (text.search(/[^0-9,]/) >= 0 || parts.length > 2) wrong(name);
  set(ask, 'q', parts[0], name);
  if (parts.length > 1 && !ask.t.f) set(ask, 'q', parts[1], name);
}

// A radius is twice a sigma.
function fastlyBlur(ask, name, text) {
  if (text.endsWith('p')) unsupported(name);
  const radius_e2 = fixed(text, 2);
  if (radius_e2 === null || radius_e2 > 100000) wrong(name);
  if (radius_e2 === 0) return;
  ask.t.blur = Math.min(Math.max(radius_e2 >> 1, 30), 10000);
  mark(ask, 'blur');
}

// 'a5,r2,t0': amount, radius, threshold; the amount is taken for the sigma.
function fastlySharpen(ask, name, text) {
  const parts = text.split(',');
  const isWhole = parts.map((part) => part.charAt(0)).join() === 'a,r,t';
  const amount = isWhole ? fixed(parts[0].slice(1), 2) : null;
  if (amount === null || amount > 1000) wrong(name);
  if (amount === 0) return;
  ask.t.sharp = Math.max(amount, 10);
  mark(ask, 'sharp');
}

// In Fastly's order; the later format and quality win.
const FASTLY_HANDLERS = [
  ['width', fastlySide], ['height', fastlySide], ['precrop', fastlyCut], ['trim', fastlyTrim],
  ['crop', fastlyCut], ['trim-color', fastlyTrimBorder], ['orient', fastlyTurn],
  ['dpr', fastlyDpr], ['bg-color', fastlyBackground], ['sharpen', fastlySharpen],
  ['blur', fastlyBlur], ['format', fastlyFormat], ['auto', fastlyNegotiate],
  ['optimize', fastlyOptimize], ['quality', fastlyQuality]];

function fastlyHandle(ask, given) {
  if (given.enable !== undefined) ask.t.up = true;
  mark(ask, 'up');
  ask.t.q = 85;
  mark(ask, 'q');
  keepFormat(ask);
  if ((given.metadata || '').includes('copyright')) {
    set(ask, 'meta', 'copyright', 'metadata');
  }
  FASTLY_HANDLERS.forEach((row) => {
    if (given[row[0]] !== undefined) row[1](ask, row[0], given[row[0]]);
  });
}

function fastlyFit(ask, given) {
  const asked = ask.t, word = given.fit;
  if (word !== undefined && !isAmong('bounds cover crop', word)) wrong('fit');
  if (asked.ar || asked.fit === 'cut') return;
  let ours = asked.w && asked.h && word === undefined ? 'stretch' : 'inside';
  if (word === 'cover') ours = 'outside';
  if (word === 'crop') ours = 'cover';
  setFit(ask, ours, asked.up);
  mark(ask, 'small');
}

// A canvas of the box, or of a ratio around the whole picture, which stands in its middle.
function fastlyCanvas(ask, given) {
  const asked = ask.t;
  if (given.canvas === undefined) return;
  const region = fastlyRegion(given.canvas);
  if (!region || region[3]) wrong('canvas');
  const across = region[0][0], down = region[1][0];
  const isCentred = fastlyFocus(region[0]) === 5000 && fastlyFocus(region[1]) === 5000;
  const isBox = asked.fit === 'inside' && (asked.dpr || 100) === 100 && across[1] === 1 &&
    down[1] === 1 && asked.w === across[0] && asked.h === down[0];
  const isAround = region[2] && !asked.ar && !asked.w && !asked.h;
  if (!isCentred || !(isBox || isAround)) unsupported('canvas');
  if (isAround) set(ask, 'ar', region[2], 'canvas');
  setFit(ask, 'pad', asked.up);
  if (!asked.bg) asked.bg = [255, 255, 255, 255];
  mark(ask, 'bg');
}

function fastlySortOut(ask, given) {
  Object.keys(given).sort().forEach((name) => {
    const hasName = (row) => isAmong(row[0], name), group = FASTLY_REFUSED.filter(hasName)[0];
    if (group) {
      if (given[name] && !isAmong(group[1], given[name])) unsupported(name);
    } else if (!isAmong(FASTLY_KNOWN, name) && !FASTLY_HANDLERS.some(hasName)) {
      ask.unknown.push(name);
    }
  });
}

function parseFastly(mount, rest, query) {
  const ask = newAsk(mount), given = Object.create(null);
  ask.source = parseSource(rest);
  parameters(query, true).forEach((pair) => {
    given[pair[0]] = pair[1];
  });
  fastlySortOut(ask, given);
  fastlyHandle(ask, given);
  fastlyFit(ask, given);
  fastlyCanvas(ask, given);
  return ask;
}
