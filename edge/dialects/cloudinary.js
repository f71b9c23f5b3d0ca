// SPDX-License-Identifier: Apache-2.0
// Cloudinary: [<cloud>/]image/<type>/[s--signature--/][<component>/]*[v<n>/]<id>[.<ext>]
// The reference is src/dialect/cloudinary.cc, which says why.
//
// A component is read into `settings`, its values by key. `chain` is what the components share:
// `step` is the last one taken, of 1 crop, 2 trim, 3 turn, 4 resize, 5 sharpen, 6 blur, 7 turn of
// the result, 8 background; `encoded` has the keys of encoding so far.

const CLOUDINARY_KEYS = 'a ar b c d dn dpr e f fl g h q t w x y';
const CLOUDINARY_OTHER_KEYS =
    'ac af bl bo br co cs dl du eo fn fps if ki l o p pg r so sp u vc vs z';
// Those of them that ask for nothing.
const CLOUDINARY_PLAIN = 'cs_srgb cs_srgb:truecolor cs_no_cmyk o_100 pg_1 r_0 z_1 z_1.0';

// Fit, whether it enlarges, whether it takes g_auto. No value of theirs holds a comma.
const CLOUDINARY_MODES = 'scale=stretch,1, fit=inside,1, limit=inside,, fill=cover,1,1 ' +
    'lfill=cover,,1 pad=pad,1, lpad=pad,, crop=cut,,1 thumb=cover,1,1 auto=cover,1,1';

function cloudinaryBefore(text, separator) {
  return text.slice(0, (text + separator).indexOf(separator));
}

function cloudinaryBehind(text, separator) {
  return text.slice(cloudinaryBefore(text, separator).length + 1);
}

function cloudinaryHasPoint(text) {
  return text !== undefined && text.indexOf('.') >= 0;
}

function cloudinaryDashed(text) {
  return text.split('_').join('-');
}

function cloudinaryChainFails() {
  unsupported('transformation chain');
}

function cloudinaryAdvance(chain, next) {
  if (next <= chain.step) cloudinaryChainFails();
  chain.step = next;
}

// For values of which they have many more than we.
function cloudinarySetKnown(ask, ours, text, key) {
  if (text && (lower(text) === 'jpng' || !parseOption(ours, text))) unsupported(key);
  set(ask, ours, text, key);
}

function cloudinarySide(ask, key, text) {
  // A decimal is a share of the source's side, and all of it is what there is anyway.
  const isShare = cloudinaryHasPoint(text) && decimal(text) !== null;
  // Variables and sums with them: iw, ih_mul_2, $size.
  const isSum = text.search(/^[$a-z]/i) >= 0 && key + text !== 'wauto';
  if (isShare ? decimal(text) !== 1 : isSum) unsupported(key);
  if (!isShare) set(ask, key, text, key);
}

function cloudinaryGravity(ask, settings) {
  const place = settings.g;
  if (settings.g === undefined) return;
  const focal = settings.x + ',' + settings.y;
  const isPoint = cloudinaryHasPoint(settings.x) && cloudinaryHasPoint(settings.y);
  const isWhole = !ask.t.crop && !ask.t.trim && !ask.t.rot && !ask.t.flip;
  let ours = cloudinaryDashed(place);
  if (isAmong('auto face faces adv_face adv_faces adv_eyes', cloudinaryBefore(place, ':'))) {
    ours = 'smart';
  } else if (place === 'xy_center' && isPoint && isWhole) {
    ours = focal;
  } else if (!isAmong('center north north_east east south_east south south_west west north_west',
                      place)) {
    unsupported('g');
  }
  set(ask, 'g', ours, 'g');
}

function cloudinaryMode(ask, settings, hasSide) {
  const word = settings.c;
  if (settings.c === undefined) return;
  const mode = wordBehind(CLOUDINARY_MODES, word).split(',');
  if (mode.length < 3) {
    if (isAmong('mfit mpad fill_pad auto_pad imagga_crop imagga_scale', word)) unsupported('c');
    wrong('c');
  }
  if (!mode[2] && (settings.g || '').indexOf('auto') === 0) wrong('g');
  // The size would be that of a face.
  if (isAmong('crop thumb', word) && !hasSide && settings.ar === undefined) unsupported('c');
  setFit(ask, word === 'crop' && !hasSide ? 'cover' : mode[0], !!mode[1]);
  ask.t.small = 'cut';
  mark(ask, 'small');
  if (word === 'auto') setGravity(ask, 'smart');
}

function cloudinaryResize(ask, chain, settings) {
  cloudinaryAdvance(chain, 4);
  cloudinaryMode(ask, settings, settings.w !== undefined || settings.h !== undefined);
  cloudinaryGravity(ask, settings);
  settings.listed.forEach((key) => {
    // Offsets from where the gravity would put the box.
    const isOffset = isAmong('x y', key) && decimal(settings[key]) !== 0;
    if (isOffset && settings.g !== 'xy_center') unsupported(key);
  });
  ['w', 'h'].forEach((key) => {
    if (settings[key] !== undefined) cloudinarySide(ask, key, settings[key]);
  });
  if (settings.ar !== undefined) set(ask, 'ar', settings.ar, 'ar');
}

// A rectangle of the picture as it is: from x and y, or from the corner where they begin.
function cloudinaryIsBox(settings) {
  const isCorner = settings.g === 'north_west';
  const isPlaced = isCorner || settings.x !== undefined || settings.y !== undefined;
  return settings.c === 'crop' && settings.w !== undefined && settings.h !== undefined &&
      isPlaced && (isCorner || !settings.g);
}

// In pixels, or in fractions of the sides.
function cloudinaryBox(ask, chain, settings) {
  cloudinaryAdvance(chain, 1);
  const box = ['x', 'y', 'w', 'h'].map((key) => {
    const text = settings[key] !== undefined ? settings[key] : '0';
    const share = cloudinaryHasPoint(settings.w) ? fixed(text, 4) : null;
    return share === null ? text : share / 100 + 'p';
  });
  set(ask, 'crop', box.join(','), 'c');
}

// [degrees, whether it is mirrored left-right after that]
function cloudinaryTurn(angle) {
  let turned = 0;
  let mirrored = false;
  angle.split('.').forEach((word) => {
    const flips = word === 'hflip' || word === 'vflip';
    let degrees = word === 'vflip' ? 180 : 0;
    if (isAmong('auto_right auto_left ignore exif', word)) unsupported('a');
    if (integer(word) === null && !flips) wrong('a');
    if (flips) mirrored = !mirrored;
    // Digit by digit: they may be more than a double holds.
    for (let i = 0; i < word.length && !flips; i++) {
      if (word[i] !== '-') degrees = (degrees * 10 + Number(word[i])) % 360;
    }
    if (degrees % 90) unsupported('a');
    turned += (word[0] === '-') === mirrored ? degrees : 360 - degrees;
  });
  return [turned % 360, mirrored];
}

// Ours come before the resize: its box is turned instead, and so is what the gravity points at.
function cloudinaryTurnBox(ask, turned, mirrored) {
  const wide = ask.t.w;
  if (turned % 180) {
    // What a preset's box would be is not known here.
    if (wide === 'auto' || ask.t.p) cloudinaryChainFails();
    ask.t.w = ask.t.h;
    ask.t.h = wide;
    if (ask.t.ar) ask.t.ar = [ask.t.ar[1], ask.t.ar[0]];
    mark(ask, 'w');
    mark(ask, 'h');
  }
  const places = ['n', 'ne', 'e', 'se', 's', 'sw', 'w', 'nw'];
  const place = places.indexOf(ask.t.g);
  const there = place + turned / 45;
  if (place >= 0) ask.t.g = places[(mirrored ? 16 - there : there) % 8];
}

function cloudinaryAngle(ask, chain, angle) {
  const pair = cloudinaryTurn(angle);
  const isLate = chain.step > 3;
  if (!pair[0] && !pair[1]) return;
  if (ask.t.rot || ask.t.flip) cloudinaryChainFails();
  cloudinaryAdvance(chain, isLate ? 7 : 3);
  if (pair[0]) ask.t.rot = pair[0];
  if (pair[1]) ask.t.flip = 'h';
  mark(ask, 'rot');
  mark(ask, 'flip');
  if (isLate) cloudinaryTurnBox(ask, pair[0], pair[1]);
}

function cloudinaryTrim(ask, chain, tolerance) {
  cloudinaryAdvance(chain, 2);
  if (tolerance.indexOf(':') >= 0) unsupported('e');
  set(ask, 'trim', tolerance === '0' ? '1' : tolerance, 'e');
}

// A strength of theirs has no unit; 100, the default, is taken for a sigma of one pixel.
function cloudinaryEffect(ask, chain, effect) {
  const word = cloudinaryBefore(effect, ':');
  const blurs = word === 'blur';
  if (!isAmong('blur sharpen unsharp_mask', word)) unsupported('e');
  const strength = word === effect ? 100 : integer(cloudinaryBehind(effect, ':'));
  if (strength === null || strength < 0 || strength > 2000) wrong('e');
  if (!strength) return;
  cloudinaryAdvance(chain, blurs ? 6 : 5);
  if (blurs) ask.t.blur = Math.max(strength, 30);
  else ask.t.sharp = Math.min(Math.max(strength, 10), 1000);
  mark(ask, blurs ? 'blur' : 'sharp');
}

function cloudinaryBackground(ask, color) {
  if (color.search(/^rgb:/) >= 0) set(ask, 'bg', color.slice(4), 'b');
  else cloudinarySetKnown(ask, 'bg', color, 'b');
}

// The levels of auto are one level here; the resolution of chroma is the encoder's to decide.
function cloudinaryQuality(ask, text) {
  const number = cloudinaryBefore(text, ':');
  const more = text.slice(number.length);
  const known = number === 'auto' ? ':best :good :eco :low' : ':420 :444';
  if (number === 'jpegmini' || (more && !isAmong(known, more))) unsupported('q');
  set(ask, 'q', number, 'q');
}

function cloudinaryFlags(ask, flags) {
  flags.split('.').forEach((text) => {
    const flag = cloudinaryBefore(text, ':');
    if (isAmong('keep_attribution keep_iptc', flag)) {
      set(ask, 'meta', 'copyright', 'fl');
    } else if (!isAmong('any_format attachment force_strip immutable_cache lossy png24 png32 ' +
                        'png8 progressive strip_profile', flag)) {
      unsupported('fl');
    }
  });
}

// A named transformation. Theirs may have '_', our presets not.
function cloudinaryPreset(ask, text) {
  ask.yielding = ask.named;
  ask.named = {};
  set(ask, 'p', cloudinaryDashed(text), 't');
}

function cloudinaryEncoding(ask, chain, settings) {
  ['t', 'dpr', 'q', 'f'].forEach((key) => {
    const text = settings[key];
    if (settings[key] === undefined) return;
    if (chain.encoded[key]) cloudinaryChainFails();
    chain.encoded[key] = 1;
    if (key === 't') cloudinaryPreset(ask, text);
    else if (key === 'q') cloudinaryQuality(ask, text);
    else if (key === 'f') cloudinarySetKnown(ask, key, text, key);
    else set(ask, key, text, key);
  });
}

function cloudinaryIsComponent(segment) {
  return segment.split(',').every((part) => {
    const key = cloudinaryBefore(part, '_');
    const isKnown = isAmong(CLOUDINARY_KEYS, key) || isAmong(CLOUDINARY_OTHER_KEYS, key);
    return key !== part && (part[0] === '$' || isKnown);
  });
}

// By key. The last of a key counts; `listed` are the keys in the order of those.
function cloudinarySettings(segment) {
  const settings = {__proto__: null, listed: []};
  segment.split(',').reverse().forEach((part) => {
    const key = cloudinaryBefore(part, '_');
    if (settings.listed.indexOf(key) >= 0) return;
    settings.listed.unshift(key);
    settings[key] = cloudinaryBehind(part, '_');
  });
  return settings;
}

function cloudinaryRefuseOthers(settings) {
  settings.listed.forEach((key) => {
    const isOther = key[0] === '$' || isAmong(CLOUDINARY_OTHER_KEYS, key);
    if (isOther && !isAmong(CLOUDINARY_PLAIN, key + '_' + settings[key])) unsupported(key);
  });
}

function cloudinaryComponent(ask, chain, segment) {
  const settings = cloudinarySettings(segment);
  const isBox = cloudinaryIsBox(settings);
  const effect = settings.e !== undefined ? settings.e : '';
  const trims = cloudinaryBefore(effect, ':') === 'trim';
  const resizes = !isBox && settings.listed.some((key) => isAmong('c w h ar', key));
  cloudinaryRefuseOthers(settings);
  cloudinaryEncoding(ask, chain, settings);
  if (settings.fl !== undefined) cloudinaryFlags(ask, settings.fl);
  if (isBox) cloudinaryBox(ask, chain, settings);
  if (trims) cloudinaryTrim(ask, chain, effect.slice(5));
  if (resizes) cloudinaryResize(ask, chain, settings);
  if (settings.e !== undefined && !trims) cloudinaryEffect(ask, chain, effect);
  if (settings.a !== undefined) cloudinaryAngle(ask, chain, settings.a);
  if (settings.b === undefined) return;
  // Behind a resize it is laid under what is there; with one it is the colour of the padding too.
  if (!resizes) cloudinaryAdvance(chain, 8);
  cloudinaryBackground(ask, settings.b);
}

// [type of delivery, rest]. The mount's path may end with the type.
function cloudinaryLocate(mount, whole) {
  const types = ['upload', 'fetch', 'private', 'authenticated'];
  const mounted = types.filter((type) => mount.path.slice(-7 - type.length) === '/image/' + type);
  if (mounted[0]) return [mounted[0], whole];
  let first = cloudinaryBefore(whole, '/');
  let rest = cloudinaryBehind(whole, '/');
  if (mount.path === '/' && !isAmong('image video raw iu', first)) {
    first = cloudinaryBefore(rest, '/');
    rest = cloudinaryBehind(rest, '/');
  }
  if (first === 'iu') return ['upload', rest];
  if (isAmong('video raw', first)) unsupported('resource type');
  if (first !== 'image') return ['upload', whole];
  first = cloudinaryBefore(rest, '/');
  if (types.indexOf(first) < 0) unsupported('delivery type');
  return [first, cloudinaryBehind(rest, '/')];
}

// Eight characters of SHA-1 or 32 of SHA-256, in base64.
function cloudinaryCheck(mount, theirs, text) {
  const isShort = theirs.length === 8;
  const isSigned = mount.keys.some((pair) => {
    const sum = base64(digest(isShort ? 'sha1' : 'sha256', text + pair[0]));
    return isEqual(sum.slice(0, isShort ? 8 : 32), theirs);
  });
  if (!isSigned) unsigned();
}

// True where the request does not name the option. It then counts as named, so that the site's own
// defaults do not change what a URL means, but yields to a preset.
function cloudinaryFallsBack(ask, ours) {
  if (ask.named[ours]) return false;
  ask.yielding[ours] = 1;
  mark(ask, ours);
  return true;
}

function cloudinaryDefaults(ask) {
  // What is named behind the preset does not yield to it, though it was named before it too.
  Object.keys(ask.yielding).forEach((ours) => {
    if (ask.named[ours]) delete ask.yielding[ours];
    mark(ask, ours);
  });
  // A preset says by itself how it scales.
  const isScaled = !ask.t.p;
  if (cloudinaryFallsBack(ask, 'fit') && isScaled) ask.t.fit = 'stretch';
  if (cloudinaryFallsBack(ask, 'up') && isScaled) ask.t.up = true;
  if (cloudinaryFallsBack(ask, 'f')) keepFormat(ask);
  ['small', 'g', 'q', 'bg'].forEach((ours) => {
    cloudinaryFallsBack(ask, ours);
  });
}

function cloudinarySource(ask, mount, type, id, query) {
  if (type === 'fetch') {
    ask.source = sourceOfUrl(mount, id);
    return;
  }
  ask.source = checkSource(id);
  query.split('&').forEach((parameter) => {
    const word = cloudinaryBefore(parameter, '=');
    // _a is what the vendor's clients say of themselves.
    if (word && word !== '_a') ask.unknown.push(word);
  });
}

function parseCloudinary(mount, received, query) {
  const ask = newAsk(mount);
  const chain = {step: 0, encoded: {}};
  const place = cloudinaryLocate(mount, decode(received, 'path'));
  const type = place[0];
  let rest = place[1];
  const signed = rest.indexOf('s--') === 0 && /^s--([^\/]+)--\//.exec(rest + '/');
  if (signed) rest = rest.slice(signed[0].length);
  const whole = rest;
  while (cloudinaryBehind(rest, '/') && cloudinaryIsComponent(cloudinaryBefore(rest, '/'))) {
    rest = cloudinaryBehind(rest, '/');
  }
  const components = whole.slice(0, whole.length - rest.length);
  const numbered = rest[0] === 'v' && /^v(\d+)\/(?=[\s\S])/.exec(rest);
  let id = numbered ? cloudinaryBehind(rest, '/') : rest;
  // An address has escapes of its own.
  if (type === 'fetch') id = unescaped(id) || id;
  if (mount.keys.length || isAmong('private authenticated', type)) {
    cloudinaryCheck(mount, signed ? signed[1] : '', components + id);
  }
  components.split('/').slice(0, -1).forEach((segment) => {
    cloudinaryComponent(ask, chain, segment);
  });
  // Clients put v1 before each id that has folders.
  if (numbered && numbered[1] !== '1') set(ask, 'v', numbered[1], 'v');
  cloudinarySource(ask, mount, type, id, query);
  cloudinaryDefaults(ask);
  return ask;
}
