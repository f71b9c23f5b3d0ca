// SPDX-License-Identifier: Apache-2.0
// AWS Dynamic Image Transformation (src/dialect/dit.cc, dit_edits.cc): edits as JSON, in a path as
// thumbor writes it, or in a query. What they say is kept in the Ask, beside
// its own fields, until all of them are read.

// ---- Values

// null, false, and the texts "", "0" and "false": the edit is not asked for.
function ditIsOff(value) {
  return value.kind === 'n' || value.text === 'false' ||
    (value.kind === '"' && (value.text === '' || value.text === '0'));
}

function ditNumber(name, text, decimals, most) {
  const number = fixed(text, decimals);
  if (number === null || number > most) wrong(name);
  return number;
}

function ditWordColor(name, text) {
  const color = parseOption('bg', text);
  if (color) return color.value;
  if (text && text.search(/[^a-zA-Z]/) < 0) unsupported(name);
  wrong(name);
}

// A text, or {"r": 255, "g": 0, "b": 0, "alpha": 0.5}.
function ditColor(name, value) {
  if (value.kind === '"') return ditWordColor(name, value.text);
  if (value.kind !== '{') wrong(name);
  return ['r', 'g', 'b', 'alpha'].map((channel, i) => {
    const member = ditMember(value, channel);
    if (!member) return i < 3 ? 0 : 255;
    const scale = i < 3 ? 1 : 255;
    return Math.round(ditNumber(name, member.text, 4, 2550000 / scale) * scale / 10000);
  });
}

function ditQuality(ask, kind, text) {
  const percent = integer(text);
  if (percent === null || percent < 1 || percent > 100) wrong('quality');
  ask.quality[kind] = percent;
}

// ---- Resize

function ditNewResize() {
  return {fit: 'cover', bg: [0, 0, 0, 255], g: 'c'};
}

// null, 0 and "" are no side.
function ditSide(name, value) {
  if (ditIsOff(value)) return undefined;
  return ditNumber(name, value.text, 0, 16383) || undefined;
}

// sharp's words and numbers for positions, gravities and strategies, with '-' for a space.
const DIT_POSITIONS =
  'centre=c center=c 0=c top=n north=n 1=n right=e east=e 2=e bottom=s south=s 3=s left=w west=w' +
  ' 4=w right-top=ne northeast=ne 5=ne right-bottom=se southeast=se 6=se left-bottom=sw' +
  ' southwest=sw 7=sw left-top=nw northwest=nw 8=nw entropy=smart 16=smart attention=smart' +
  ' 17=smart';

function ditPosition(text) {
  const word = text.replace('-', '+').replace(' ', '-');
  const gravity = wordBehind(DIT_POSITIONS, word);
  if (gravity === word) wrong('position');
  return gravity;
}

function ditResize(ask, name, value) {
  const box = ask.resize;
  if (name === 'width') {
    box.w = ditSide(name, value);
  } else if (name === 'height') {
    box.h = ditSide(name, value);
  } else if (ditIsOff(value) || name === 'fastShrinkOnLoad') {
    // null and false say nothing.
  } else if (name === 'fit') {
    if (!isAmong('cover contain fill inside outside', value.text)) wrong(name);
    box.fit = wordBehind('contain=pad fill=stretch', value.text);
  } else if (name === 'position') {
    box.g = ditPosition(value.text);
  } else if (name === 'background') {
    box.bg = ditColor(name, value);
  } else if (name === 'withoutEnlargement') {
    box.keeps = true;
  } else if (isAmong('withoutReduction kernel ratio', name)) {
    unsupported(name);
  } else {
    ask.unknown.push('resize.' + name);
  }
}

// ---- The other edits: each gets its value and its name

function ditPut(ask, option, value) {
  ask.t[option] = value;
  mark(ask, option);
}

function ditEachMember(ask, value) {
  value.names.forEach((name, i) => ditResize(ask, name, value.items[i]));
}

// {"left": 0, "top": 0, "width": 300, "height": 200} of the source.
function ditCrop(ask, value) {
  if (ask.resize.w || ask.resize.h || ask.turn) unsupported('crop');
  const box = ['left', 'top', 'width', 'height'].map((name, i) => {
    const member = ditMember(value, name);
    const side = ditNumber('crop', member ? member.text : '', 4, 65535e4) / 1e4;
    // sharp takes whole numbers only.
    if (side % 1 || (i > 1 && !side)) wrong('crop');
    return side;
  });
  ditPut(ask, 'crop', box);
}

// Digit by digit: the number may be longer than doubles are exact.
function ditRotate(ask, value) {
  let angle = 0;
  if (integer(value.text) === null) wrong('rotate');
  value.text.split('').forEach((digit) => {
    if (digit !== '-') angle = (angle * 10 + +digit) % 360;
  });
  if (angle % 90) unsupported('rotate');
  ask.turn = value.text[0] === '-' ? (360 - angle) % 360 : angle;
}

function ditSwitch(ask, value, name) {
  ask[name] = true;
}

// sharp's mild blur is a box of 3 x 3. What is too little to be seen is left out.
function ditBlur(ask, value) {
  const sigma = value.text === 'true' ? 80 : ditNumber('blur', value.text, 2, 10000);
  ditPut(ask, 'blur', sigma < 30 ? ask.t.blur : sigma);
}

function ditSharpen(ask, value) {
  const member = value.kind === '{' ? ditMember(value, 'sigma') : value;
  if (!member || value.items.length > 1) unsupported('sharpen');
  const sigma = value.text === 'true' ? 50 : ditNumber('sharpen', member.text, 2, 1000);
  ditPut(ask, 'sharp', sigma < 10 ? ask.t.sharp : sigma);
}

function ditFlatten(ask, value) {
  const member = ditMember(value, 'background');
  ditPut(ask, 'bg', member ? ditColor('flatten', member) : [0, 0, 0, 255]);
}

function ditTrim(ask, value) {
  const member = value.kind === '{' ? ditMember(value, 'threshold') : value;
  if (ditMember(value, 'background')) unsupported('trim');
  const isMild = !member || member.text === 'true';
  const threshold = isMild ? 1000 : ditNumber('trim', member.text, 2, 10000);
  ditPut(ask, 'trim', Math.max(Math.floor((threshold + 50) / 100), 1));
}

function ditFormat(ask, value) {
  ask.format = value.text;
}

// "jpeg": {"quality": 70, "progressive": true}. What only trades time for bytes has no effect.
function ditEncoder(ask, value, kind) {
  const refused = 'lossless nearLossless chromaSubsampling palette colours colors tile';
  if (!ask.output) ask.output = kind;
  value.names.forEach((name, i) => {
    if (name === 'quality') ditQuality(ask, kind, value.items[i].text);
    else if (isAmong(refused, name) && !ditIsOff(value.items[i])) unsupported(kind + '.' + name);
  });
}

const DIT_IGNORED = 'animated withMetadata keepMetadata keepExif keepIccProfile keepXmp withExif' +
  ' timeout autoOrient';
const DIT_REFUSED = 'affine bandbool blend boolean clahe composite contentModeration convolve' +
  ' ensureAlpha equalize extend extractChannel gamma gif grayscale greyscale heif joinChannel jp2' +
  ' jxl linear median modulate negate normalise normalize overlayWith pipelineColorspace' +
  ' pipelineColourspace raw recomb removeAlpha roundCrop smartCrop threshold tiff tile tint' +
  ' toColorspace toColourspace unflatten withIccProfile';

const DIT_EDITS = [
  ['resize', ditEachMember],
  ['crop extract', ditCrop],
  ['rotate', ditRotate],
  ['flip flop', ditSwitch],
  ['blur', ditBlur],
  ['sharpen', ditSharpen],
  ['trim', ditTrim],
  ['flatten', ditFlatten],
  ['toFormat', ditFormat]
];

function ditEdit(ask, name, value) {
  if (ditIsOff(value) || isAmong(DIT_IGNORED, name)) return;
  if (isAmong(DIT_REFUSED, name)) unsupported(name);
  if (isAmong('jpeg png webp avif', name)) return ditEncoder(ask, value, name);
  const known = DIT_EDITS.filter((edit) => isAmong(edit[0], name))[0];
  if (known) known[1](ask, value, name);
  else ask.unknown.push(name);
}

// ---- The source

// Where sources are listed, the bucket has to be one of them; else the site's origin is meant.
function ditSource(mount, bucket, key) {
  if (!bucket || !mount.sources.length) return checkSource(key);
  const url = 's3://' + bucket + '/' + key;
  const prefix = mount.sources.filter((allowed) => url.indexOf(allowed) === 0)[0];
  if (prefix === undefined) unsigned();
  return checkSource(url.slice(prefix.length));
}

// ---- The request as JSON

function ditRequest(ask, mount, value) {
  const edits = ditMember(value, 'edits');
  if (edits) edits.names.forEach((name, i) => ditEdit(ask, name, edits.items[i]));
  ask.output = ditMemberText(value, 'outputFormat') || ask.output;
  value.names.forEach((name) => {
    if (!isAmong('bucket key edits outputFormat headers effort', name)) ask.unknown.push(name);
  });
  ask.source =
    ditSource(mount, ditMemberText(value, 'bucket'), ditMemberText(value, 'key'));
}

// ---- The request as thumbor writes it

// Half of a radius is a sigma.
function ditRadius(ask, name, text, most, least) {
  const sigma = least + Math.floor(ditNumber(name, text, 2, most) / 2);
  ditEdit(ask, name, ditText(String(sigma / 100)));
}

function ditFilter(ask, name, text) {
  const args = text.split(',').map((part) => trimmed(part).replace(/^'([\s\S]*)'(?![\s\S])/, '$1'));
  const second = args[1] || '';
  if (isAmong('strip_exif strip_icc animated', name)) return;
  if (isAmong('convolution equalize grayscale proportion rgb smart_crop watermark', name)) {
    unsupported(name);
  }
  if (name === 'quality') {
    ditQuality(ask, '', text);
  } else if (name === 'format') {
    ditEdit(ask, 'toFormat', ditText(text));
  } else if (name === 'autojpg') {
    ask.format = 'jpeg';
  } else if (name === 'rotate') {
    ditEdit(ask, name, ditText(text));
  } else if (name === 'fill') {
    ask.resize.bg = ditWordColor(name, args[0]);
    ask.resize.fit = 'pad';
  } else if (name === 'background_color') {
    ditPut(ask, 'bg', ditWordColor(name, args[0]));
  } else if (name === 'blur') {
    if (second) ditEdit(ask, name, ditText(second));
    else ditRadius(ask, name, args[0], 20000, 0);
  } else if (name === 'sharpen') {
    ditRadius(ask, name, second, 1800, 100);
  } else if (name === 'no_upscale') {
    ask.resize.keeps = true;
  } else if (name === 'upscale') {
    ask.resize.fit = 'inside';
  } else if (name !== 'stretch') {
    ask.unknown.push(name);
  } else if (ask.resize.fit !== 'inside') {
    ask.resize.fit = 'stretch';
  }
}

// AWS sorts filters before it goes through them; of one name the first comes first.
function ditFilters(ask, segments) {
  const filters = [];
  segments.forEach((segment) => {
    if (segment.indexOf('filters:') !== 0) return;
    const parts = segment.slice(8).split('):');
    if (!parts[parts.length - 1]) parts.pop();
    parts.forEach((part) => {
      const one = part.slice(-1) === ')' ? part.slice(0, -1) : part;
      const name = one.split('(')[0];
      filters.push([name, trimmed(one.slice(name.length + 1)), filters.length]);
    });
  });
  filters.sort((a, b) => a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : a[2] - b[2]);
  filters.forEach((filter) => ditFilter(ask, filter[0], filter[1]));
}

// Both numbers, of which 0 is unset, and then nothing is cut.
function ditSize(ask, sides) {
  ditResize(ask, 'width', ditText(sides[0]));
  ditResize(ask, 'height', ditText(sides[1]));
  if (!ask.resize.w || !ask.resize.h) ask.resize.fit = 'inside';
}

// "10x20:300x200": the rectangle between two corners; nothing for four zeros.
function ditCorners(segment) {
  const at = segment.split(/[x:]/).map((part) => Math.min(+part, 65535));
  if (!at.some((corner) => corner)) return undefined;
  if (at[0] >= at[2] || at[1] >= at[3]) wrong('crop');
  return [at[0], at[1], at[2] - at[0], at[3] - at[1]];
}

// Of several sizes and crops the first counts, and none is part of the key.
function ditPath(ask, mount, segments) {
  const seen = {};
  const last = segments.length - 1;
  let key = '', bucket = '';
  segments.forEach((segment, i) => {
    if (segment.indexOf('filters:') === 0) return;
    const shape = i < last && segment.search(/^\d/) >= 0 && segment.replace(/[0-9]+/g, '0');
    if (i < last && segment === 'fit-in') {
      seen.fit = true;
    } else if (shape === '0x0') {
      if (!seen.w) ditSize(ask, segment.split('x'));
      seen.w = true;
    } else if (shape === '0x0:0x0') {
      if (!seen.crop) ditPut(ask, 'crop', ditCorners(segment));
      seen.crop = true;
    } else if (segment.indexOf('s3:') === 0 && mount.sources.length) {
      bucket = segment.slice(3);
    } else {
      key += (key && '/') + segment;
    }
  });
  if (seen.fit) ask.resize.fit = 'inside';
  ditFilters(ask, segments);
  ask.source = ditSource(mount, bucket, key);
}

// ---- Query and signature

// Values are signed as they read, so that one may not hold what joins them; and nothing may act
// that is not signed.
function ditCheck(mount, path, values, names) {
  const parts = [];
  names.forEach((name) => {
    const isSigned = isAmong('expires format fit width height rotate flip flop grayscale', name);
    const acts = isAmong('quality greyscale', name) || name.search(/^(resize\.|smartCrop)/) >= 0;
    if (acts || (isSigned && values[name].search(/[&=?]/) >= 0)) unsigned();
    if (isSigned) parts.push(name + '=' + values[name]);
  });
  const message = '/' + path + (parts.length ? '?' : '') + parts.join('&');
  const given = values['signature'] || '';
  if (!mount.keys.some((key) => isEqual(given, hex(hmac('sha256', key[0], message))))) unsigned();
}

// Sides and fit of the query replace the resize of the path, members that they do not name too.
function ditQuery(ask, values, names) {
  let hasResize = false;
  names.forEach((full) => {
    const name = full.replace(/^resize\./, '');
    const text = values[full];
    if (isAmong('width height fit', name)) {
      if (!hasResize) ask.resize = ditNewResize();
      hasResize = true;
      ditResize(ask, name, ditText(text));
    } else if (name === 'format') {
      ditEdit(ask, 'toFormat', ditText(text));
    } else if (name === 'quality') {
      ditQuality(ask, '', text);
    } else if (isAmong('rotate flip flop grayscale greyscale', name)) {
      ditEdit(ask, name, ditText(lower(text)));
    } else if (name === 'expires' || name.indexOf('smartCrop') === 0) {
      unsupported(name);
    } else if (name !== 'signature') {
      ask.unknown.push(full);
    }
  });
}

// ---- What is known when all is read

// Mirrored, then turned, as we turn and mirror afterwards.
function ditSettleTurn(ask) {
  const turn = ask.flip !== ask.flop ? 360 - ask.turn : ask.turn;
  ditPut(ask, 'flip', (ask.flop ? 'h' : '') + (ask.flip ? 'v' : '') || undefined);
  ditPut(ask, 'rot', turn % 360 || undefined);
}

function ditSettleResize(ask) {
  const box = ask.resize;
  if (box.w) ditPut(ask, 'w', box.w);
  if (box.h) ditPut(ask, 'h', box.h);
  setFit(ask, box.fit, !box.keeps);
  setGravity(ask, box.g);
  ditPut(ask, 'small', box.fit === 'cover' ? 'cut' : undefined);
  if (box.fit === 'pad' && box.w && box.h) ditPut(ask, 'bg', box.bg);
}

function ditSettleFormat(ask) {
  const word = ask.format || ask.output;
  if (!word) {
    keepFormat(ask);
  } else {
    if (isAmong('gif tiff tif heif heic raw svg', word)) unsupported('format');
    if (lower(word) === 'auto') wrong('format');
    set(ask, 'f', word, 'format');
  }
  const kind = ask.t.f || 'jpeg';
  const usual = kind === 'avif' ? 50 : 80;
  ditPut(ask, 'q', ask.quality[kind] || ask.quality[''] || usual);
}

function parseDit(mount, path, query) {
  const ask = newAsk(mount);
  ask.resize = ditNewResize();
  ask.quality = {};
  ask.turn = 0;
  ask.flip = false;
  ask.flop = false;
  const values = Object.create(null);
  parameters(query, true).forEach((one) => {
    values[one[0]] = one[1];
  });
  const names = Object.keys(values).sort();
  if (mount.keys.length) ditCheck(mount, path, values, names);
  const text = decode(path, 'path');
  const json = fromBase64(text);
  if (json !== null && json.search(/^[ \t]*\{/) >= 0) ditRequest(ask, mount, ditJson(json));
  else ditPath(ask, mount, text.split('/'));
  ditQuery(ask, values, names);
  if (ask.t.trim && ask.t.crop) unsupported('trim');
  ditSettleTurn(ask);
  ditSettleResize(ask);
  ditSettleFormat(ask);
  return ask;
}
