// SPDX-License-Identifier: Apache-2.0
// What a site's policy makes of an Ask (admit), and what is left of its options once no `auto`
// stands in them and equal pictures have equal options (settle). As src/policy/admit.cc,
// src/transform/settle.cc, negotiate.cc and client_hints.cc.

// ---- Policy

// A preset, and the site's defaults, only fill what the request does not name itself, and what of
// that gives way all the same.
function fillIn(ask, given, givesWay) {
  Object.keys(given).forEach((name) => {
    if (ask.named[name] && !givesWay[name]) return;
    ask.t[name] = given[name] === null ? undefined : given[name];
    mark(ask, name);
  });
}

// The quotient of whole numbers, half up, at least 1.
function scaled(side, numerator, denominator) {
  return Math.max(1, Math.floor((2 * side * numerator + denominator) / (2 * denominator)));
}

// Sides are compared after dpr, and after the aspect ratio has given the missing side.
function checkLimits(asked, limit) {
  const factor = asked.dpr > 0 ? asked.dpr : 100;
  const aspect = asked.ar;
  let across = asked.w > 0 ? scaled(asked.w, factor, 100) : 0;
  let down = asked.h ? scaled(asked.h, factor, 100) : 0;
  if (aspect && across && !down) {
    down = Math.floor((across * aspect[1] + Math.floor(aspect[0] / 2)) / aspect[0]);
  } else if (aspect && down && !across) {
    across = Math.floor((down * aspect[0] + Math.floor(aspect[1] / 2)) / aspect[1]);
  }
  if (across > limit[0]) wrong('w');
  if (down > limit[1]) wrong('h');
}

function checkAllowed(ask, names) {
  OPTIONS.forEach((name) => {
    const asks = name === 'p' ? ask.preset : name === 'v' ? ask.version :
        ask.named[name] && printOption(ask.t, name);
    if (asks && names.indexOf(name) < 0) wrong(name);
  });
}

// Over the path as asked: before presets, defaults and settling.
function checkSignature(ask, secrets, seconds) {
  let text = pathOf(ask, ask.t);
  if (ask.expires !== undefined) text += '\n' + ask.expires;
  const isSigned = secrets.filter((key) => {
    return isEqual(base64(hmac('sha256', fromHex(key), text)), ask.signature);
  }).length > 0;
  if (!isSigned) unsigned();
  if (seconds > ask.expires) fail('forbidden', 'expires');
}

function checkCaller(ask, rules, seconds) {
  if (rules.keys) {
    PARTS.sign(ask, rules.keys, seconds);
  } else if (rules.allowed && ask.canonical) {
    // It could carry any option.
    unsigned();
  }
}

function admit(ask, rules) {
  if (!ask.canonical) {
    if (rules.refuse && ask.unknown.length > 0) wrong(ask.unknown[0].slice(0, 64));
    if (rules.allowed) PARTS.allow(ask, rules.allowed);
    if (ask.preset !== '') {
      if (!has(rules.presets, ask.preset)) wrong('p');
      fillIn(ask, rules.presets[ask.preset], ask.yielding);
      ask.preset = '';
    }
    fillIn(ask, rules.defaults, {});
  }
  checkLimits(ask.t, rules.limits);
}

// ---- What a client says of its screen and network

// A field under its newer name counts before the older one.
function hint(fields, name) {
  return trimmed(fields['sec-ch-' + name] || fields[name] || '');
}

// The next step; beyond the last one `beyond`, or the last one itself.
function stepUp(list, number, beyond) {
  return list.filter((one) => one >= number)[0] || beyond || list[list.length - 1];
}

function dprClass(fields) {
  const screen = fixed(hint(fields, 'dpr'), 2);
  return screen ? stepUp([100, 150, 200, 300], screen) : undefined;
}

function widthClass(fields, list) {
  let side = fixed(hint(fields, 'width'), 0);
  if (!side) {
    const viewport = fixed(hint(fields, 'viewport-width'), 0);
    if (!viewport) return undefined;
    side = Math.floor(Math.min(viewport, 100000) * (dprClass(fields) || 100) / 100);
  }
  return list.length > 0 ? stepUp(list, side) : undefined;
}

function isSlow(fields) {
  if (lower(trimmed(fields['save-data'] || '')) === 'on') return true;
  if (isAmong('slow-2g 2g 3g', lower(trimmed(fields.ect || '')))) return true;
  const speed = fixed(trimmed(fields.downlink || ''), 2);
  if (speed !== null && speed < 100) return true;
  return fixed(trimmed(fields.rtt || ''), 0) >= 400;
}

// Safari 16.0 to 16.3 says that it takes AVIF and shows some as noise.
function breaksAvif(userAgent) {
  const at = userAgent.indexOf('Version/16.');
  return at >= 0 && /^.{11}[0-3](?![0-9]).*Safari\//.test(userAgent.slice(at)) &&
      !/Chrom(e|ium)\//.test(userAgent);
}

// ---- The format

// Thousandths, null for what is no weight (RFC 9110, section 12.4.2).
function weightOf(text) {
  return /^(0(\.[0-9]{0,3})?|1(\.0{0,3})?)(?![\s\S])/.test(text) ? fixed(text, 3) : null;
}

// The weight of a member such as "image/avif;v=b3;q=0.8".
function memberWeight(member) {
  let weight = 1000;
  for (let i = 1; i < member.length; ++i) {
    const pair = cut(member[i], '=');
    if (pair.length < 2 || trimmed(pair[0]) !== 'q') continue;
    weight = weightOf(trimmed(pair[1]));
    if (weight === null) return null;
  }
  return weight;
}

// The members of an Accept field. What is quoted never counts here and becomes "!"; a quoted
// string that is never closed takes its member and all behind it along.
function membersOf(field) {
  if (field.indexOf('"') < 0) return field.split(',');
  const parts = cut(field.replace(/"([^"\\]|\\[\s\S])*"/g, '!'), '"');
  const members = parts[0].split(',');
  return parts.length < 2 ? members : members.slice(0, members.length - 1);
}

// JPEG has no alpha, so that a source named so needs no look at its header.
function fallbackFormat(decoded) {
  return /\.jpe?g(?![\s\S])/.test(lower(decoded)) ? 'jpeg' : 'jpng';
}

// The highest weight that names a format of `formats`; AVIF and WebP are never chosen by "image/*".
function negotiated(fields, formats, decoded) {
  const weights = formats.map(() => -1);
  membersOf((fields.accept || '').toLowerCase()).forEach((text) => {
    const member = text.split(';');
    const type = trimmed(member[0]);
    const at = type.slice(0, 6) === 'image/' ? formats.indexOf(type.slice(6)) : -1;
    const weight = at < 0 ? null : memberWeight(member);
    // Named twice, a refusal stands; otherwise the higher weight.
    if (weight === null || weights[at] === 0) return;
    weights[at] = weight === 0 ? 0 : Math.max(weights[at], weight);
  });
  let best = '';
  let most = 0;
  formats.forEach((kind, i) => {
    if (weights[i] <= most) return;
    if (kind === 'avif' && breaksAvif(fields['user-agent'] || '')) return;
    most = weights[i];
    best = kind;
  });
  return best || fallbackFormat(decoded);
}

// ---- Settling; each takes the options that it changes. What has no effect becomes 0, which is
// printed no more than what is absent.

const LADDER = [160, 240, 320, 480, 640, 800, 960, 1200, 1600, 1920, 2560, 3200, 3840];

// No step above the site's limit; where all are, w=auto says nothing.
function ladderOf(rules) {
  return (rules.ladder || LADDER).filter((one) => one <= rules.limits[0]);
}

function foldDprInto(asked, side) {
  if (!asked[side]) return;
  asked[side] = scaled(asked[side], asked.dpr, 100);
  if (asked[side] > 16383) wrong('dpr');
}

// The layout width is in device pixels: the ratio is in it already and is left to the height.
function settleScreen(asked, fields, rules) {
  if (asked.dpr === 'auto') asked.dpr = dprClass(fields);
  const isAuto = asked.w === 'auto';
  if (isAuto) asked.w = widthClass(fields, ladderOf(rules));
  if (!asked.dpr) return;
  if (!isAuto || !asked.w) foldDprInto(asked, 'w');
  foldDprInto(asked, 'h');
  asked.dpr = 0;
}

function foldAspect(asked) {
  const aspect = asked.ar;
  if (!aspect) return;
  if (asked.w && asked.h) {
    asked.ar = 0;
    return;
  }
  if (!asked.fit) asked.fit = 'cover';
  if (!asked.w && !asked.h) {
    // Without a size only cutting, padding and stretching can meet an aspect ratio.
    if (isAmong('inside outside cut', asked.fit)) asked.ar = 0;
    return;
  }
  const missing = asked.w ? 'h' : 'w';
  asked[missing] = asked.w ? scaled(asked.w, aspect[1], aspect[0]) :
      scaled(asked.h, aspect[0], aspect[1]);
  if (asked[missing] > 16383) wrong('ar');
  asked.ar = 0;
}

// A width between two steps becomes the wider one, its height grows with it.
function snapToLadder(asked, list) {
  // A box that is cut out shows other things when it grows.
  if (!asked.w || asked.fit === 'cut') return;
  const wider = stepUp(list, asked.w, asked.w);
  if (asked.h) asked.h = Math.min(16383, scaled(asked.h, wider, asked.w));
  asked.w = wider;
}

// A focal point at an edge, a corner or the middle is the compass point of that name.
function reducedPoint(point) {
  if (point[0] % 5000 !== 0 || point[1] % 5000 !== 0) return point;
  return 'nw n ne w c e sw s se'.split(' ')[point[1] / 5000 * 3 + point[0] / 5000];
}

function settledGravity(gravity, kind) {
  if (!gravity || !isAmong('cover pad cut', kind || '')) return 0;
  const isPoint = typeof gravity !== 'string';
  // A padded picture is whole: where its subject is does not matter.
  if (kind === 'pad' && (isPoint || gravity === 'smart')) return 0;
  const it = isPoint ? reducedPoint(gravity) : gravity;
  return it === 'c' ? 0 : it;
}

function settleBox(asked) {
  const hasSides = asked.w && asked.h;
  const hasSide = asked.w || asked.h;
  // A cut of one side only leaves the other as it is.
  const cuts = asked.fit === 'cut' && hasSide && !asked.ar;
  if ((!hasSides && !asked.ar && !cuts) || asked.fit === 'inside') asked.fit = 0;
  asked.g = settledGravity(asked.g, asked.fit);
  if (!hasSide || asked.fit === 'cut') asked.up = 0;
  if (asked.fit !== 'cover' || !hasSides || asked.up) asked.small = 0;
}

// Turns and flips form a group of eight; each is written as a turn, then at most a flip
// left-right. A half turn commutes with both flips, and v is a half turn with h.
function reduceTurn(asked) {
  const addsHalf = asked.flip === 'v' || asked.flip === 'hv';
  asked.rot = ((asked.rot || 0) + (addsHalf ? 180 : 0)) % 360;
  asked.flip = asked.flip === 'v' || asked.flip === 'h' ? 'h' : 0;
}

// Percentages can be clipped to the picture without knowing it; a crop of all of it is none.
function settledCrop(box) {
  if (!box || !box[4]) return box;
  const across = Math.min(box[2], 10000 - box[0]);
  const down = Math.min(box[3], 10000 - box[1]);
  return across === 10000 && down === 10000 ? 0 : [box[0], box[1], across, down, true];
}

function settleBackground(asked) {
  let color = asked.bg;
  if (!color) return;
  // Nothing transparent is left for PNG to hold.
  if (asked.f === 'jpng' && color[3] === 255) asked.f = 'jpeg';
  const isOpaque = asked.f === 'jpeg';
  if (isOpaque) {
    const white = 255 * (255 - color[3]) + 127;
    const over = (i) => Math.floor((color[i] * color[3] + white) / 255);
    color = [over(0), over(1), over(2), 255];
  }
  const isDefault = isOpaque ? color[0] + color[1] + color[2] === 765 : color[3] === 0;
  asked.bg = isDefault ? 0 : color;
}

function settleQuality(asked, fields, rules) {
  const usual = asked.f === 'avif' ? 60 : asked.f === 'png' ? 100 : 80;
  if (asked.q === 'auto') asked.q = isSlow(fields) ? usual - 20 : usual;
  if (asked.q && rules.steps && rules.steps.length > 0) asked.q = stepUp(rules.steps, asked.q);
  if (asked.f === 'png' || asked.q === usual) asked.q = 0;
}

function settle(ask, fields, rules) {
  const asked = Object.assign({}, ask.t);
  settleScreen(asked, fields, rules);
  foldAspect(asked);
  if (rules.snap) PARTS.snap(asked, ladderOf(rules));
  settleBox(asked);
  reduceTurn(asked);
  asked.crop = settledCrop(asked.crop);
  if (!asked.f) asked.f = negotiated(fields, rules.order, ask.source);
  settleBackground(asked);
  settleQuality(asked, fields, rules);
  return asked;
}
