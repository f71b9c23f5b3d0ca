// SPDX-License-Identifier: Apache-2.0
// thumbor's URLs, as src/dialect/thumbor.cc reads them. Everything but the image may be missing,
// nothing may change its place.

const THUMBOR_WITHOUT_EFFECT = 'strip_exif strip_icc max_age cover srgb';
const THUMBOR_REFUSED = 'brightness colorize contrast convolution curve distributed_collage ' +
  'drop_shadow equalize extract_focal focal frame grayscale max_bytes noise proportion redeye ' +
  'rgb round_corner saturation text_watermark watermark';

// ---- The parts before the image: each says whether `segment` is its own.

// left, center or right; top, middle or bottom.
function thumborPull(draft, axis, words, segment) {
  const at = words.split(' ').indexOf(segment);
  if (at >= 0) draft.pull[axis] = at - 1;
  return at >= 0;
}

// [whether it is mirrored, 'orig' or digits or '' for in proportion]; null for what is no side.
function thumborSide(text) {
  const isMirrored = text[0] === '-', side = isMirrored ? text.slice(1) : text;
  if (side !== 'orig' && side.search(/\D/) >= 0) return null;
  return [isMirrored, side.search(/[^0]/) >= 0 ? side : ''];
}

function thumborSize(draft, segment) {
  const at = segment.indexOf('x');
  const both = [thumborSide(segment.slice(0, at)), thumborSide(segment.slice(at + 1))];
  if (at < 0 || !both[0] || !both[1]) return false;
  // Both as they are is no resize at all.
  const isOriginal = both[0][1] === 'orig';
  if (isOriginal !== (both[1][1] === 'orig')) unsupported('size');
  both.forEach((side, i) => {
    if (side[1] && !isOriginal) set(draft.result, 'wh'[i], side[1], 'size');
    draft.mirrors[i] = side[0];
  });
  return true;
}

// trim[:top-left|:bottom-right][:<tolerance>]
function thumborTrim(draft, segment) {
  const parts = segment.split(':');
  if (parts[0] !== 'trim') return false;
  const next = isAmong('top-left bottom-right', parts[1]) ? 2 : 1;
  const tolerance = parts.length > next ? integer(parts[next]) : 0;
  if (parts.length > next + 1 || tolerance === null || tolerance < 0 || tolerance > 442) {
    wrong('trim');
  }
  // A distance in RGB, at most 442; ours is one channel's.
  draft.result.t.trim = Math.max(1, Math.min(100, Math.floor((tolerance * 255 + 221) / 442)));
  mark(draft.result, 'trim');
  return true;
}

// <left>x<top>:<right>x<bottom>
function thumborCrop(draft, segment) {
  const isCrop = segment.search(/^\d+x\d+:\d+x\d+(?!.|\s)/) >= 0;
  if (!isCrop) return false;
  const at = segment.split(/[x:]/).map((text) => Math.min(Number(text), 65535));
  if (at.some((corner) => corner)) {
    if (at[0] >= at[2] || at[1] >= at[3]) wrong('crop');
    draft.result.t.crop = [at[0], at[1], at[2] - at[0], at[3] - at[1], false];
  }
  mark(draft.result, 'crop');
  return true;
}

function thumborFitIn(draft, segment) {
  if (isAmong('adaptive-fit-in adaptive-full-fit-in', segment)) unsupported(segment);
  if (segment === 'fit-in') draft.fit = 'inside';
  if (segment === 'full-fit-in') draft.fit = 'outside';
  return draft.fit !== 'cover';
}

// The places in their order. Not an array of functions: njs confuses numbers within one.
function thumborIsAt(place, draft, segment) {
  if (place === 1) return thumborTrim(draft, segment);
  if (place === 2) return thumborCrop(draft, segment);
  if (place === 3) return thumborFitIn(draft, segment);
  if (place === 4) return thumborSize(draft, segment);
  if (place === 5) return thumborPull(draft, 0, 'left center right', segment);
  if (place === 6) return thumborPull(draft, 1, 'top middle bottom', segment);
  if (place === 7) return draft.smart = segment === 'smart';
  return isAmong('debug meta', segment) && unsupported(segment);
}

// ---- Filters

function thumborUnquoted(text) {
  const word = trimmed(text), last = word.length - 1;
  return last > 0 && word[0] === "'" && word[last] === "'" ? word.slice(1, last) : word;
}

function thumborColor(name, text) {
  const color = parseOption('bg', text);
  if (color) return color.value;
  if (text && lower(text).search(/[^a-z]/) < 0) unsupported(name);
  wrong(name);
}

function thumborHundredths(name, text) {
  const number = fixed(text, 2);
  return number === null || number > 10000 ? wrong(name) : number;
}

// The angle of a turn, 0 to 270. Digit by digit: its number may be longer than doubles are exact.
function thumborTurn(text) {
  let angle = 0;
  if (integer(text) === null) wrong('rotate');
  for (let i = 0; i < text.length; ++i) {
    if (text[i] !== '-') angle = (angle * 10 + Number(text[i])) % 360;
  }
  if (angle % 90) wrong('rotate');
  return text[0] === '-' ? (360 - angle) % 360 : angle;
}

// blur(<radius>[,<sigma>])
function thumborBlur(args) {
  const radius = thumborHundredths('blur', args[0]);
  const asked = args.length > 1 ? thumborHundredths('blur', args[1]) : 0;
  const sigma = radius && (asked || radius);
  return sigma < 30 ? undefined : sigma;
}

// sharpen(<amount>,<radius>,<of luminance only>)
function thumborSharpen(args) {
  const amount = thumborHundredths('sharpen', args[0]);
  const radius = thumborHundredths('sharpen', args[1] || '');
  return amount ? Math.min(100 + Math.floor(radius / 2), 1000) : undefined;
}

function thumborFormat(ask, text) {
  const word = lower(text);
  if (isAmong('gif heic heif', word)) unsupported('format');
  if (word === 'auto') wrong('format');
  set(ask, 'f', word, 'format');
}

function thumborFilter(draft, name, text) {
  const ask = draft.result, args = text.split(',').map(thumborUnquoted);
  const isTrue = (word) => isAmong('1 true True', word);
  const take = (key, taken) => {
    ask.t[key] = taken;
    mark(ask, key);
  };
  if (isAmong(THUMBOR_WITHOUT_EFFECT, name)) return;
  if (isAmong(THUMBOR_REFUSED, name)) unsupported(name);
  if (name === 'quality') {
    if (text.search(/\D/) >= 0) wrong(name);
    set(ask, 'q', text, name);
  } else if (name === 'format') {
    thumborFormat(ask, args[0]);
  } else if (name === 'fill') {
    if (isAmong('auto blur', args[0])) unsupported(name);
    draft.paint = thumborColor(name, args[0]);
    draft.paintsAll = isTrue(args[1]);
  } else if (name === 'background_color') {
    take('bg', thumborColor(name, args[0]));
  } else if (isAmong('no_upscale upscale stretch', name)) {
    draft[name] = true;
  } else if (name === 'rotate') {
    draft.turnBy = thumborTurn(text);
  } else if (name === 'blur') {
    take('blur', thumborBlur(args));
  } else if (name === 'sharpen') {
    take('sharp', thumborSharpen(args));
  } else if (name === 'autojpg') {
    draft.turnsPng = !text || isTrue(text);
  } else {
    ask.unknown.push(name);
  }
}

// Takes all parts off the front; what remains is the image.
function thumborParts(draft, decoded) {
  let rest = decoded;
  for (let place = 0; place < 8; ++place) {
    const slash = rest.indexOf('/');
    if (slash >= 0 && thumborIsAt(place, draft, rest.slice(0, slash))) rest = rest.slice(slash + 1);
  }
  // Arguments may have slashes.
  const end = rest.indexOf(')/');
  if (rest.slice(0, 8) !== 'filters:' || end < 0) return rest;
  rest.slice(8, end + 1).split('):').forEach((one) => {
    const text = one.slice(-1) === ')' ? one.slice(0, -1) : one;
    const name = text.split('(')[0];
    thumborFilter(draft, name, trimmed(text.slice(name.length + 1)));
  });
  return rest.slice(end + 2);
}

// ---- Signature and source

// As Python's quote leaves it.
function thumborQuoted(text) {
  return text.replace(/[^\w\-.~\/:?%=&()\x22,\x27]/g, (char) => '%' + hex(char).toUpperCase());
}

function thumborCheck(mount, word, message) {
  const isIt = (entry) => isEqual(word, base64(hmac('sha1', entry[0], message)));
  if (mount.keys.some(isIt)) return;
  if (mount.keys.length) unsigned();
  if (word !== 'unsafe' && (word.length < 27 || word.search(/[^\w-]/) >= 0)) {
    wrong('signature');
  }
}

// Without a scheme it may be an address all the same: thumbor's loader puts one before it.
function thumborSource(mount, image) {
  if (image[0] === '/' || image.indexOf('://') >= 0) return sourceOfUrl(mount, image);
  for (let i = 0; i < mount.sources.length; ++i) {
    const prefix = mount.sources[i].slice(mount.sources[i].indexOf('://') + 3);
    if (image && image.indexOf(prefix) === 0) return checkSource(image.slice(prefix.length));
  }
  return checkSource(image);
}

// ---- From the draft to the Ask

// Mirrored, then turned against the clock, as we turn with the clock and mirror afterwards. Sides
// and gravity are ours of the picture as it is then.
function thumborSettleTurn(draft, ask) {
  const asked = ask.t, angle = draft.turnBy, isLeft = draft.mirrors[0], isUp = draft.mirrors[1];
  asked.flip = (isLeft ? 'h' : '') + (isUp ? 'v' : '') || undefined;
  asked.rot = (isLeft === isUp ? (360 - angle) % 360 : angle) || undefined;
  mark(ask, 'flip');
  mark(ask, 'rot');
  draft.pull = [isLeft ? -draft.pull[0] : draft.pull[0], isUp ? -draft.pull[1] : draft.pull[1]];
  for (let turned = 0; turned < angle; turned += 90) {
    const side = asked.w;
    asked.w = asked.h;
    asked.h = side;
    draft.pull = [draft.pull[1], -draft.pull[0]];
  }
  // Each is the request's word now, also where it is none: a site's default must not fill it.
  if (angle % 180 && (asked.w || asked.h)) {
    mark(ask, 'w');
    mark(ask, 'h');
  }
}

function thumborSettleFit(draft, ask) {
  const asked = ask.t, hasBox = asked.w && asked.h, isInside = draft.fit === 'inside';
  const fills = draft.paint && hasBox, pads = fills && isInside;
  if (draft.fit === 'cover' && draft.stretch) draft.fit = 'stretch';
  if (fills && draft.fit === 'outside') unsupported('fill');
  if (pads || draft.paintsAll) {
    asked.bg = draft.paint;
    mark(ask, 'bg');
  }
  // upscale() does nothing where a side is in proportion (its height counts as 0).
  setFit(ask, pads ? 'pad' : draft.fit,
    !draft.no_upscale && !!(!isInside || (draft.upscale && hasBox)));
  // What is padded stands in the middle.
  const compass = ['n', '', 's'][draft.pull[1] + 1] + ['w', '', 'e'][draft.pull[0] + 1] || 'c';
  setGravity(ask, pads ? 'c' : draft.smart ? 'smart' : compass);
  // no_upscale() lowers each side to the picture's.
  if (draft.fit === 'cover') asked.small = 'cut';
  mark(ask, 'small');
}

function parseThumbor(mount, raw, query) {
  const ask = newAsk(mount), asked = ask.t, head = raw.split('/')[0];
  const word = decode(head, 'signature'), rest = raw.slice(head.length + 1);
  const draft = {result: ask, fit: 'cover', mirrors: [false, false], pull: [0, 0], turnBy: 0};
  thumborCheck(mount, word.slice(-1) === '=' ? word.slice(0, -1) : word,
    thumborQuoted(query ? rest + '?' + query : rest));
  ask.source = thumborSource(mount, thumborParts(draft, decode(rest, 'path')));
  if (asked.trim && asked.crop) unsupported('trim');
  thumborSettleTurn(draft, ask);
  thumborSettleFit(draft, ask);
  if (!ask.named.f) {
    keepFormat(ask);
    if (draft.turnsPng && asked.f === 'png') unsupported('autojpg');
  }
  if (!asked.q) asked.q = 80;
  mark(ask, 'q');
  return ask;
}
