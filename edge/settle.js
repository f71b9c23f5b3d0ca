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
    ask.t[name] = given[name];
    mark(ask, name);
  });
}

// The quotient of whole numbers, half up, at least 1.
function scaled(side, numerator, denominator) {
  return numerator === denominator ? side :
      Math.max(1, Math.round(side * numerator / denominator));
}

// Sides are compared after dpr, and after the aspect ratio has given the missing side.
function checkLimits(asked, limit) {
  const factor = asked.dpr > 0 ? asked.dpr : 100;
  const aspect = asked.ar;
  let across = asked.w > 0 && scaled(asked.w, factor, 100);
  let down = asked.h && scaled(asked.h, factor, 100);
  if (aspect) {
    down = down || (across && scaled(across, aspect[1], aspect[0]));
    across = across || (down && scaled(down, aspect[0], aspect[1]));
  }
  if (across > limit[0]) wrong('w');
  if (down > limit[1]) wrong('h');
}

function checkAllowed(ask, names) {
  // Also what is named at its default: it would beat a preset's.
  Object.keys(ask.named).sort().forEach((name) => {
    if (names.indexOf(name) < 0) wrong(name);
  });
}

// Over the path as asked: before presets, defaults and settling. What is named at its default has
// nothing behind its dash.
function checkSignature(ask, secrets, seconds) {
  const end = ask.expires;
  const text = pathOf(ask, ask.t, ask.named) + (end === undefined ? '' : '\n' + end);
  const isSigned = secrets.filter((key) => {
    const keyed = require('crypto').createHmac('sha256', Buffer.from(key, 'hex'));
    return isEqual(keyed.update(text)['digest']('base64url'), ask.s || '');
  }).length > 0;
  if (!isSigned) unsigned();
  if (seconds > end) fail('forbidden', 'expires');
}

function admit(ask, rules) {
  if (rules.refuse && ask.unknown.length > 0) wrong(ask.unknown[0].slice(0, 64));
  if (rules.allowed) PARTS.allow(ask, rules.allowed);
  const preset = ask.t.p;
  if (preset) {
    if (!has(rules.presets, preset)) wrong('p');
    fillIn(ask, rules.presets[preset], ask.yielding);
    ask.t.p = 0;
  }
  fillIn(ask, rules.defaults, {});
  checkLimits(ask.t, rules.limits);
}

// ---- What a client says of its screen and network

// The repetitions of a header or parameter of CloudFront.
function textsOf(lines) {
  return lines.map((one) => one.value);
}

// `fields`: the headers by lower-case name, as text or as CloudFront has them.
function fieldOf(fields, name) {
  const given = fields[name] || '';
  return trimmed(given.multiValue ? textsOf(given.multiValue).join(', ') :
      given.value === undefined ? given : given.value);
}

// A field under its newer name counts before the older one.
function hint(fields, name, decimals) {
  return fixed(fieldOf(fields, 'sec-ch-' + name) || fieldOf(fields, name), decimals);
}

// The next step; beyond the last one `beyond`, or the last one itself.
function stepUp(list, number, beyond) {
  return list.filter((one) => one >= number)[0] || beyond || list[list.length - 1];
}

function dprClass(fields) {
  const screen = hint(fields, 'dpr', 2);
  return screen ? stepUp([100, 150, 200, 300], screen) : undefined;
}

function widthClass(fields, list) {
  const viewport = Math.min(hint(fields, 'viewport-width', 0), 100000);
  const side = hint(fields, 'width', 0) ||
      Math.floor(viewport * (dprClass(fields) || 100) / 100);
  return side ? stepUp(list, side) : undefined;
}

function isSlow(fields) {
  const speed = fixed(fieldOf(fields, 'downlink'), 2);
  return fieldOf(fields, 'save-data').toLowerCase() === 'on' ||
      isAmong('slow-2g 2g 3g', fieldOf(fields, 'ect').toLowerCase()) ||
      (speed !== null && speed < 100) || fixed(fieldOf(fields, 'rtt'), 0) >= 400;
}

const UNSURE_SAFARI =
    /^(?!.*Chrom(e|ium)\/)((?!Version\/16\.).)*Version\/16\.[0-3](?!\d).*Safari\//;

// Safari 16.0 to 16.3 says that it takes AVIF and shows some as noise.
function breaksAvif(userAgent) {
  return userAgent.indexOf('Version/16.') >= 0 && userAgent.search(UNSURE_SAFARI) >= 0;
}

// ---- The format

// The weight of a member such as "image/avif;v=b3;q=0.8", -1 for what is no weight (RFC 9110,
// section 12.4.2).
function memberWeight(member) {
  let weight = 1;
  member.forEach((part) => {
    const pair = cut(part, '=');
    if (pair.length < 2 || trimmed(pair[0]) !== 'q') return;
    const text = trimmed(pair[1]);
    weight = weight < 0 || text.search(/^(0(\.\d{0,3})?|1(\.0{0,3})?)(?!.|\s)/) < 0 ? -1 :
        Number(text);
  });
  return weight;
}

// An Accept field without its quoted strings, which never count here and become "!"; one that is
// never closed takes its member and all behind it along.
function unquoted(field) {
  return field.indexOf('"') < 0 ? field :
      field.replace(/"([^"\\]|\\[\s\S])*"/g, '!').replace(/(^|,)[^,"]*"[\s\S]*/, '');
}

// Named twice, a refusal stands; otherwise the higher weight. `field` ends with a comma. No
// recursion: njs takes some sixty calls, and a header may have a thousand members.
function weightIn(field, type) {
  let most = -1;
  let end = 0;
  for (let at = field.indexOf(type); at >= 0; at = field.indexOf(type, end)) {
    end = field.indexOf(',', at);
    const member = field.slice(field.lastIndexOf(',', at) + 1, end).split(';');
    const weight = trimmed(member[0]) === type ? memberWeight(member) : -1;
    most = most && weight && Math.max(most, weight);
  }
  return most;
}

// The highest weight that names a format of `formats`, if any; AVIF and WebP are never chosen by
// "image/*".
function negotiated(fields, formats) {
  const field = unquoted(fieldOf(fields, 'accept').toLowerCase()) + ',';
  let best = '';
  let most = 0;
  formats.forEach((kind) => {
    const weight = most < 1 && weightIn(field, 'image/' + kind);
    if (weight <= most || (kind === 'avif' && breaksAvif(fieldOf(fields, 'user-agent')))) return;
    most = weight;
    best = kind;
  });
  return best;
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
  if (!isAuto) foldDprInto(asked, 'w');
  foldDprInto(asked, 'h');
  asked.dpr = 0;
}

function foldAspect(asked) {
  const aspect = asked.ar;
  const across = asked.w;
  const down = asked.h;
  if (!aspect) return;
  asked.fit = asked.fit || (!(across && down) && 'cover');
  asked.h = down || (across && scaled(across, aspect[1], aspect[0]));
  asked.w = across || (down && scaled(down, aspect[0], aspect[1]));
  if (asked.w > 16383 || asked.h > 16383) wrong('ar');
  // Without a size only cutting, padding and stretching can meet an aspect ratio.
  if (asked.w || isAmong('inside outside cut', asked.fit)) asked.ar = 0;
}

// A width between two steps becomes the wider one, its height grows with it, where it may.
function snapToLadder(asked, rules) {
  // A box that is cut out shows other things when it grows.
  if (!asked.w || asked.fit === 'cut') return;
  const wider = stepUp(ladderOf(rules), asked.w, asked.w);
  const taller = asked.h && scaled(asked.h, wider, asked.w);
  if (taller > rules.limits[1]) return;
  asked.h = taller;
  asked.w = wider;
}

function settledGravity(gravity, kind) {
  const isPoint = gravity.map;
  // A padded picture is whole: where its subject is does not matter.
  if (!isAmong('cover pad cut', kind) || (kind === 'pad' && (isPoint || gravity === 'smart'))) {
    return 0;
  }
  // A focal point at an edge, a corner or the middle is the compass point of that name.
  return !isPoint || gravity[0] % 5000 || gravity[1] % 5000 ? gravity :
      'nw n ne w c e sw s se'.split(' ')[gravity[1] / 5000 * 3 + gravity[0] / 5000];
}

function settleBox(asked) {
  const hasSides = asked.w && asked.h;
  const hasSide = asked.w || asked.h;
  // A cut of one side only leaves the other as it is.
  if (!hasSides && !asked.ar && !(hasSide && asked.fit === 'cut')) asked.fit = 0;
  if (asked.g) asked.g = settledGravity(asked.g, asked.fit);
  if (!hasSide || asked.fit === 'cut') asked.up = 0;
  if (asked.fit !== 'cover' || !hasSides || asked.up) asked.small = 0;
}

// Turns and flips form a group of eight; each is written as a turn, then at most a flip
// left-right. A half turn commutes with both flips, and v is a half turn with h.
function reduceTurn(asked) {
  const flipped = asked.flip;
  if (!flipped) return;
  if (flipped !== 'h') asked.rot = ((asked.rot || 0) + 180) % 360;
  asked.flip = flipped === 'hv' ? 0 : 'h';
}

// Percentages can be clipped to the picture without knowing it; a crop of all of it is none.
function settleCrop(asked) {
  const box = asked.crop;
  if (!box || !box[4]) return;
  const across = Math.min(box[2], 10000 - box[0]);
  const down = Math.min(box[3], 10000 - box[1]);
  asked.crop = across + down < 20000 && [box[0], box[1], across, down, true];
}

function settleBackground(asked) {
  let color = asked.bg;
  if (!color) return;
  const alpha = color[3];
  // Nothing transparent is left for PNG to hold.
  if (asked.f === 'jpng' && alpha === 255) asked.f = 'jpeg';
  const isOpaque = asked.f === 'jpeg';
  if (isOpaque) {
    color = color.map((channel) => Math.round(255 - (255 - channel) * alpha / 255));
    color[3] = 255;
  }
  asked.bg = (isOpaque ? color[0] + color[1] + color[2] < 765 : alpha) && color;
}

function settleQuality(asked, fields, rules) {
  const usual = asked.f === 'avif' ? 60 : 80;
  if (asked.q === 'auto') asked.q = isSlow(fields) ? usual - 20 : usual;
  if (asked.q && rules.steps) asked.q = stepUp(rules.steps, asked.q);
  if (asked.f === 'png' || asked.q === usual) asked.q = 0;
}

// Changes `asked`.
function settle(ask, asked, fields, rules) {
  settleScreen(asked, fields, rules);
  foldAspect(asked);
  if (rules.snap) PARTS.snap(asked, rules);
  settleBox(asked);
  reduceTurn(asked);
  settleCrop(asked);
  // JPEG has no alpha, so that a source named so needs no look at its header.
  if (!asked.f) {
    asked.f = negotiated(fields, rules.order) ||
        (ask.source.search(/\.jpe?g(?!.|\s)/i) < 0 ? 'jpng' : 'jpeg');
  }
  settleBackground(asked);
  settleQuality(asked, fields, rules);
}
