// SPDX-License-Identifier: Apache-2.0
// Bunny Optimizer's Dynamic Images (src/dialect/bunny.cc).

// "auto" is a number to set(), and not one here. Bunny counts quality from 0.
function bunnyNumber(ask, name, value) {
  if (lower(value) === 'auto') wrong(name);
  set(ask, optionNamed(name), name === 'quality' && value === '0' ? '1' : value, name);
}

function bunnyUpscaling(ask, name, value) {
  if (!isAmong('off resampling', value)) wrong(name);
  ask.t.up = value !== 'off' || undefined;
  mark(ask, 'up');
}

function bunnyFormat(ask, name, value) {
  if (value === 'gif') unsupported(name);
  if (lower(value) === 'auto') wrong(name);
  set(ask, 'f', value, name);
}

function bunnyClass(ask, name, value) {
  set(ask, 'p', value, name);
}

function bunnySwitch(name, value) {
  if (!isAmong('true 1 false 0', value)) wrong(name);
  return isAmong('true 1', value);
}

// flip comes before flop; of both, each mirrors.
function bunnyMirror(ask, name, value) {
  if (bunnySwitch(name, value)) {
    ask.t.flip = name === 'flip' ? 'v' : ask.t.flip ? 'hv' : 'h';
  }
  mark(ask, 'flip');
}

function bunnyRotate(ask, name, value) {
  if (!isAmong('-270 -180 -90 0 90 180 270', value)) wrong(name);
  ask.t.rot = (+value + 360) % 360 || undefined;
  mark(ask, 'rot');
}

// Bunny names no sigma: that of libvips' mild sharpening.
function bunnySharpen(ask, name, value) {
  if (bunnySwitch(name, value)) ask.t.sharp = 50;
  mark(ask, 'sharp');
}

// Bunny names no scale: 0 to 100 is taken for the sigma.
function bunnyBlur(ask, name, value) {
  const sigma = fixed(value, 2);
  if (sigma === null || sigma > 10000) wrong(name);
  if (sigma) ask.t.blur = Math.max(sigma, 30);
  mark(ask, 'blur');
}

function bunnyAspect(ask, name, value) {
  if (value !== 'auto') set(ask, 'ar', value, name);
}

function bunnyGravity(ask, name, value) {
  const names = 'center north south east west northeast northwest southeast southwest';
  if (!isAmong(names, value)) wrong(name);
  set(ask, 'g', value, name);
}

// Without its place, which would take the size of the source, a rectangle is cut out unscaled.
function bunnyCut(ask, name, value) {
  const parts = value.split(',');
  if (!parseOption('h', parts[0]) || !parseOption('h', parts[1] || '')) wrong(name);
  if (ask.t.w || ask.t.h || ask.t.ar || ask.t.crop || ask.t.fit) unsupported(name);
  set(ask, 'w', parts[0], name);
  set(ask, 'h', parts[1], name);
  mark(ask, 'dpr');
  setFit(ask, 'cut', ask.t.up);
}

// "width,height" by crop_gravity, or "width,height,x,y".
function bunnyCrop(ask, name, value) {
  const parts = value.split(',');
  if (parts.length === 2) return bunnyCut(ask, name, value);
  if (parts.length !== 4 || value.search(/[^0-9,]/) >= 0) wrong(name);
  set(ask, 'crop', [parts[2], parts[3], parts[0], parts[1]].join(','), name);
}

// "width,height" around the faces. To see all faces, true, would take knowing their size.
function bunnyFaces(ask, name, value) {
  if (isAmong('false 0', value)) return;
  if (isAmong('true 1', value)) unsupported(name);
  if (value.split(',').length !== 2) wrong(name);
  bunnyCut(ask, name, value);
  setGravity(ask, 'smart');
}

// "width,height,x,y" around a point in shares of the picture; in pixels the share is not known.
function bunnyFocus(ask, name, value) {
  const parts = value.split(',');
  if (parts.length !== 4) wrong(name);
  const x = fixed(parts[2], 4);
  const y = fixed(parts[3], 4);
  if (x === null || y === null) wrong(name);
  if (x > 10000 || y > 10000) unsupported(name);
  bunnyCut(ask, name, value);
  setGravity(ask, [x, y]);
}

// The sides come first, since a cut by its size leaves no room for them.
const BUNNY_OPTIONS = [
  ['width', bunnyNumber],
  ['height', bunnyNumber],
  ['upscaling', bunnyUpscaling],
  ['aspect_ratio', bunnyAspect],
  ['crop_gravity', bunnyGravity],
  ['crop', bunnyCrop],
  ['face_crop', bunnyFaces],
  ['focus_crop', bunnyFocus],
  ['flip', bunnyMirror],
  ['flop', bunnyMirror],
  ['rotate', bunnyRotate],
  ['sharpen', bunnySharpen],
  ['blur', bunnyBlur],
  ['quality', bunnyNumber],
  ['format', bunnyFormat],
  ['class', bunnyClass]
];

// Refuses what changes pixels in ways that we cannot. The tokens of a pull zone are not looked at.
function bunnySort(ask, name, value) {
  const isLevel = isAmong('brightness contrast gamma hue saturation sepia tint', name);
  if (isLevel || isAmong('auto_optimize watermark', name)) {
    if (value && !(isLevel && value === '0')) unsupported(name);
    return;
  }
  const inert =
    'bcdn_token expires token token_countries token_countries_blocked token_path token_ver';
  if (isAmong(inert, name) || BUNNY_OPTIONS.some((known) => known[0] === name)) return;
  ask.unknown.push(name);
}

// Bounds around what a ratio has cut: the side that binds gives the other.
function bunnyRatio(asked) {
  if (!asked.ar || !asked.w || !asked.h) return;
  delete asked[asked.w * asked.ar[1] <= asked.h * asked.ar[0] ? 'h' : 'w'];
}

// What Bunny does where neither the URL nor the class says otherwise.
function bunnyDefaults(ask) {
  if (!ask.named.q) ask.t.q = 85;
  if (!ask.t.fit) ask.t.fit = ask.t.ar ? 'cover' : 'inside';
  'fit f q small up'.split(' ').forEach((option) => {
    const cuts = option === 'fit' && ask.t.fit !== 'inside';
    if (!ask.named[option] && !cuts) ask.yielding[option] = 1;
    mark(ask, option);
  });
}

function parseBunny(mount, path, query) {
  const ask = newAsk(mount);
  ask.source = parseSource(path);
  const values = Object.create(null);
  parameters(query, true).forEach((one) => {
    values[one[0] === 'output' ? 'format' : one[0]] = one[1];
  });
  Object.keys(values).sort().forEach((name) => bunnySort(ask, name, values[name]));
  BUNNY_OPTIONS.forEach((known) => {
    const value = values[known[0]];
    if (value !== undefined) known[1](ask, known[0], value);
  });
  bunnyRatio(ask.t);
  bunnyDefaults(ask);
  return ask;
}
