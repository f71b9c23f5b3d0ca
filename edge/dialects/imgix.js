// SPDX-License-Identifier: Apache-2.0
// imgix; the reference is src/dialect/imgix.cc.

const IMGIX_ALIASES =
  'f=fit fillcolor=fill-color height=h max-height=max-h max-width=max-w min-height=min-h ' +
  'min-width=min-w or=orient trimcolor=trim-color trimmd=trim-md trimpad=trim-pad ' +
  'trimtol=trim-tol width=w';

// What changes pixels in ways that we cannot, and the values that are harmless.
const IMGIX_REFUSED = [
  ['border-stroke-size bri con exp face-blur face-pixel face-pixelate gam high htn hue ' +
   'license-plate-blur lp-blur pad pad-bottom pad-left pad-right pad-top px sat sepia shad vib',
   '0'],
  ['background-remove bg-remove inv invert lossless rasterize-bypass reverse upscale', 'false'],
  ['frame page', '1'],
  ['chromasub', '420'],
  ['cs', 'srgb strip tinysrgb'],
  ['b background-replace bg-replace blend blend-clr blend-color blendclr blendcolor border ' +
   'colorquant duotone expires fps interval loop m mark mask mono monochrome nr nrs ' +
   'object-removal-rect palette skip t transparency txt',
   '']];

// Read beside the options of IMGIX_HANDLERS, or without effect on pixels here.
const IMGIX_KNOWN =
  'fit fp-debug fp-x fp-y fp-z trim-color trim-md trim-pad trim-tol ' +
  'annotation ba balph bc bf bh bm bp bs bw bx by ch colors corner-radius dl dpi duotone-alpha ' +
  'faceindex facepad faces grid-colors grid-size iptc ixid ixlib jpeg-progressive ' +
  'jpg-progressive ma malph mb mf mh mp ms mtile mw mx my pdf-annotation prefix rot-type rott ' +
  'rottype s svg-sanitize ta tc tcl tf tl tp trim-alpha trim-sd trimsd tsh tsz tt ' +
  'upscale-fallback usmrad';
const IMGIX_INERT_PREFIXES =
  /^(background-re|bg-re|blend|border-|fill-g|mark|mask|object-r|txt|video-)/;

// Of two of one name the last counts; only auto adds up.
function imgixParameters(query) {
  const given = Object.create(null);
  parameters(query, true).forEach((pair) => {
    let name = wordBehind(IMGIX_ALIASES, pair[0]), text = pair[1];
    if (name.endsWith('64')) {
      text = fromBase64(text);
      if (text === null) wrong(name);
      name = wordBehind(IMGIX_ALIASES, name.slice(0, -2));
    }
    given[name] = name === 'auto' && given[name] ? given[name] + ',' + text : text;
  });
  return given;
}

function imgixSortOut(ask, given) {
  Object.keys(given).sort().forEach((name) => {
    if (IMGIX_HANDLERS[name] || isAmong(IMGIX_KNOWN, name)) return;
    const group = IMGIX_REFUSED.filter((row) => isAmong(row[0], name))[0];
    if (group) {
      if (given[name] && !isAmong(group[1], given[name])) unsupported(name);
    } else if (name.search(IMGIX_INERT_PREFIXES) < 0) {
      ask.unknown.push(name);
    }
  });
}

// A URL as path has escapes of its own below those that made it one path.
function imgixSource(mount, rest) {
  const text = unescaped(rest);
  if (text === null || text.search(/^https?:\/\//) < 0) return parseSource(rest);
  const outer = text.split(/[?#]/)[0], inner = unescaped(outer);
  return sourceOfUrl(mount, inner === null ? outer : inner);
}

function isImgixSigned(mount, rest, query) {
  let theirs = '';
  const parts = query.split('&').filter((part) => {
    if (!part.startsWith('s=')) return true;
    theirs = part.slice(2);
    return false;
  });
  const message = '/' + rest + (query && parts.length ? '?' + parts.join('&') : '');
  let isGood = false;
  mount.keys.forEach((key) => {
    if (isEqual(hex(digest('md5', key[0] + message)), theirs)) isGood = true;
  });
  return isGood;
}

function imgixPut(ask, name, it) {
  ask.t[name] = it;
  mark(ask, name);
}

// ---- One function for each option or a few: (ask, the option's text, its name, all options)

// 'auto' is a number to set(), and not one here.
function imgixNumber(ask, text, name) {
  if (text.search(/[^0-9.]/) >= 0) wrong(name);
  set(ask, name, text, name);
}

// Up to 1 a side is a share of the source's.
function imgixSide(ask, text, name) {
  const share = fixed(text, 4);
  if (share > 0 && share <= 10000) unsupported(name);
  imgixNumber(ask, text, name);
}

// ar and the limits of sides act beside fit=crop, ar beside fit=fill too.
function imgixLimit(ask, text, name) {
  if (ask.t.up && ask.t.fit === 'cover') unsupported(name);
}

function imgixAspect(ask, text, name) {
  if (ask.t.up && isAmong('cover pad', ask.t.fit)) set(ask, name, text, name);
}

function imgixFocalPoint(given) {
  [['fp-debug', 'false'], ['fp-z', '1']].forEach((row) => {
    if (![undefined, row[1]].includes(given[row[0]])) unsupported(row[0]);
  });
  return ['fp-x', 'fp-y'].map((name) => {
    if (given[name] === undefined) return 5000;
    const share = fixed(given[name], 4);
    if (share === null || share > 10000) wrong(name);
    return share;
  });
}

// A focal point, else what content gives, else the sides that are named.
function imgixGravity(ask, text, name, given) {
  if (ask.t.fit !== 'cover') return;
  const sides = [5000, 5000];
  let isSmart = false, isFocal = false;
  text.split(',').forEach((word) => {
    if (isAmong('top bottom', word)) {
      sides[1] = word === 'top' ? 0 : 10000;
    } else if (isAmong('left right', word)) {
      sides[0] = word === 'left' ? 0 : 10000;
    } else if (word === 'focalpoint') {
      isFocal = true;
    } else if (isAmong('faces entropy edges', word)) {
      isSmart = true;
    } else if (word !== 'center') {
      wrong(name);
    }
  });
  setGravity(ask, isFocal ? imgixFocalPoint(given) : isSmart ? 'smart' : sides);
}

// [number, measure]: 1 pixels, 2 hundredths of a percent, 0 either; so that measures add up by |.
function imgixLength(text) {
  const isShare = text.includes('.'), number = fixed(text, isShare ? 4 : 0);
  if (number === null || number > (isShare ? 10000 : 65535)) wrong('rect');
  return [number, number && (isShare ? 2 : 1)];
}

// Where a side's rectangle begins: a length or a word, which needs a length in shares.
function imgixStart(text, room) {
  if (isAmong('left top', text)) return [0, 0];
  if (isAmong('right bottom', text)) return [room, 2];
  return isAmong('center middle', text) ? [room >> 1, 2] : imgixLength(text);
}

function imgixRectangle(ask, text, name) {
  const parts = text.split(','), sides = [0, 0, 0, 0];
  let measures = 0;
  if (parts.length !== 4) wrong(name);
  [2, 3, 0, 1].forEach((i) => {
    const isStart = i < 2, length_px = isStart ? imgixStart(parts[i], 10000 - sides[i + 2])
      : imgixLength(parts[i] === 'full' ? '1.0' : parts[i]);
    if (!isStart && !length_px[0]) wrong(name);
    sides[i] = length_px[0];
    measures |= length_px[1];
  });
  if (measures === 3) unsupported(name);
  if (measures === 2 && (sides[0] === 10000 || sides[1] === 10000)) wrong(name);
  imgixPut(ask, 'crop', sides.concat(measures === 2));
}

function imgixTrim(ask, text, name, given) {
  const isAuto = text === 'auto', limit = isAuto ? 'trim-md' : 'trim-tol';
  if (text === 'alpha') unsupported(name);
  if (!isAmong('auto color colorunlessalpha', text)) wrong(name);
  if (![undefined, '0'].includes(given['trim-pad'])) unsupported('trim-pad');
  if (given['trim-color'] !== undefined && !isAuto) unsupported('trim-color');
  const distance = given[limit] === undefined ? (isAuto ? 11 : 0) : fixed(given[limit], 0);
  if (distance === null) wrong(limit);
  imgixPut(ask, name, Math.min(Math.max(distance, 1), 100));
}

function imgixFill(ask, text, name) {
  if (ask.t.fit !== 'pad' || text === 'solid') return;
  (isAmong('blur gradient', text) || text.startsWith('gen') ? unsupported : wrong)(name);
}

// fill-color counts beside fill, bg else. Colours have alpha first; with us it is last.
function imgixColor(ask, text, name, given) {
  const fills = ask.t.fit === 'pad' && given['fill'] && given['fill-color'] !== undefined;
  if (name !== (fills ? 'fill-color' : 'bg')) return;
  const color = text.replace(/^(#?)([0-9a-f]{1,2})(([0-9a-f]{3}){1,2})(?![\s\S])/i, '$1$3$2');
  // One of CSS's other names.
  if (!parseOption('bg', color) && text.search(/[g-z]/) >= 0) unsupported(name);
  set(ask, 'bg', color, name);
}

function imgixAuto(ask, text, name) {
  text.split(',').forEach((mode) => {
    if (isAmong('enhance redeye true', mode)) unsupported(name);
    if (mode === 'format') {
      delete ask.t.f;
    } else if (mode === 'compress') {
      ask.t.q = 45;
    } else if (mode) {
      wrong(name);
    }
  });
}

function imgixFormat(ask, text, name) {
  if (isAmong('gif jp2 jxr jxl json blurhash mp4 webm hls dash spritesheet', text)) {
    unsupported(name);
  }
  if (!isAmong('jpg pjpg png png8 png32 webp avif', text)) wrong(name);
  set(ask, 'f', wordBehind('pjpg=jpg png8=png png32=png', text), name);
}

function imgixQuality(ask, text, name) {
  imgixNumber(ask, text === '0' ? '1' : text, name);
}

// The ends of imgix's ranges are laid on the ends of ours; of usm and sharp, sharp counts.
function imgixEffect(ask, text, name) {
  const isBlur = name === 'blur', amount = fixed(text, 2);
  if (name === 'usm' && text.startsWith('-')) unsupported(name);
  if (amount === null || amount > (isBlur ? 200000 : 10000)) wrong(name);
  if (amount === 0) return;
  const sigma = Math.floor(amount / (isBlur ? 20 : 10));
  imgixPut(ask, isBlur ? name : 'sharp', Math.max(sigma, isBlur ? 30 : 10));
}

function imgixOrient(ask, text, name) {
  const number = wordBehind('90=6 180=3 270=8', text);
  if (!isAmong('0 1 2 3 4 5 6 7 8', number)) wrong(name);
  imgixPut(ask, 'rot', [0, 0, 0, 180, 0, 90, 90, 270, 270][number]);
  imgixPut(ask, 'flip', ['', '', 'h', '', 'v', 'h', '', 'h', ''][number]);
}

// It turns within the frame: only the half turn is the same with us.
function imgixRotate(ask, text, name) {
  const angle = fixed(text, 2);
  if (angle === null || angle >= 36000) wrong(name);
  if (angle % 18000) unsupported(name);
  imgixPut(ask, name, ((ask.t.rot || 0) + angle / 100) % 360);
}

function imgixFlip(ask, text, name) {
  const flips = ['', 'h', 'v', 'hv'], before = flips.indexOf(ask.t.flip || '');
  set(ask, name, text, name);
  ask.t.flip = flips[flips.indexOf(ask.t.flip) ^ before];
}

// In the order in which they act; that of an object's keys is any in njs.
const IMGIX_ORDER = 'w h dpr max-h max-w min-h min-w ar crop rect trim fill bg fill-color auto ' +
    'fm q blur usm sharp orient rot flip';
const IMGIX_HANDLERS = {
  __proto__: null,
  w: imgixSide,
  h: imgixSide,
  dpr: imgixNumber,
  'max-h': imgixLimit,
  'max-w': imgixLimit,
  'min-h': imgixLimit,
  'min-w': imgixLimit,
  ar: imgixAspect,
  crop: imgixGravity,
  rect: imgixRectangle,
  trim: imgixTrim,
  fill: imgixFill,
  bg: imgixColor,
  'fill-color': imgixColor,
  auto: imgixAuto,
  fm: imgixFormat,
  q: imgixQuality,
  blur: imgixEffect,
  usm: imgixEffect,
  sharp: imgixEffect,
  orient: imgixOrient,
  rot: imgixRotate,
  flip: imgixFlip
};

// ----

// What holds without an option. It comes first: the others ask for the fit.
function imgixBegin(ask, word) {
  if (word === 'clamp' || word.startsWith('facearea')) unsupported('fit');
  const ours = wordBehind(
    'clip=inside crop=cover fill=pad fillmax=pad max=inside min=cover scale=stretch', word);
  if (ours === word) wrong('fit');
  setFit(ask, ours, !isAmong('fillmax max min', word));
  mark(ask, 'small');
  if (ours === 'pad') imgixPut(ask, 'bg', [255, 255, 255, 255]);
  keepFormat(ask);
  imgixPut(ask, 'q', 75);
}

function parseImgix(mount, rest, query) {
  if (mount.keys.length && !isImgixSigned(mount, rest, query)) unsigned();
  const ask = newAsk(mount);
  ask.source = imgixSource(mount, rest);
  const given = imgixParameters(query);
  imgixSortOut(ask, given);
  imgixBegin(ask, given.fit === undefined ? 'clip' : given.fit);
  IMGIX_ORDER.split(' ').forEach((name) => {
    if (given[name] !== undefined) IMGIX_HANDLERS[name](ask, given[name], name, given);
  });
  return ask;
}
