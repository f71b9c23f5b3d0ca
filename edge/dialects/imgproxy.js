// SPDX-License-Identifier: Apache-2.0
// imgproxy's URLs, as src/dialect/imgproxy.cc and imgproxy_options.cc read them.
//
// The draft is what the options say: {result, fit, isDown, extend, extend_aspect_ratio, fitAnchor,
// area, cutAnchor, qualities, own}. `result` is the Ask. An anchor is [gravity, x, y] with offsets
// in ten-thousandths, an area [width, height] in the same; both extends are the gravity of one that
// is on; `own` holds the options that do not yield to a preset.

const IMGPROXY_WITHOUT_EFFECT = 'strip_metadata sm strip_color_profile scp cachebuster cb ' +
  'filename fn att return_attachment dpi disable_animation da';
const IMGPROXY_REFUSED = 'watermark wm skip_processing skp max_src_resolution msr ' +
  'max_src_file_size msfs max_animation_frames maf max_animation_frame_resolution mafr ' +
  'max_result_dimension mrd resizing_algorithm ra crop_aspect_ratio crop_ar car ' +
  'objects_position obj_pos op background_alpha bga adjust a brightness br contrast co ' +
  'saturation sa monochrome mc duotone dt unsharp_masking ush blur_detections bd ' +
  'draw_detections dd colorize col gradient gr watermark_url wmu watermark_text wmt ' +
  'watermark_size wms watermark_rotate wm_rot wmr watermark_shadow wmsh style st autoquality ' +
  'aq jpeg_options jpgo png_options pngo webp_options webpo avif_options avifo page pg pages ' +
  'pgs video_thumbnail_second vts video_thumbnail_keyframes vtk video_thumbnail_tile vtt ' +
  'video_thumbnail_animation vta fallback_image_url fiu hashsum hs';
const IMGPROXY_OTHER_FORMATS = 'jxl gif ico svg heic bmp tiff best mp4 pdf psd';
// How many arguments are taken, the long name, the short ones.
const IMGPROXY_OPTIONS = '8 resize rs|7 size s|1 resizing_type rt|1 width w|1 height h|1 dpr|' +
  '1 enlarge el|4 extend ex|4 extend_aspect_ratio extend_ar exar|99 gravity g|99 crop c|' +
  '4 trim t|1 auto_rotate ar|1 rotate rot|2 flip fl|3 background bg|1 blur bl|1 sharpen sh|' +
  '1 quality q|99 format_quality fq|1 format f ext|1 keep_copyright kcr|99 preset pr|' +
  '1 expires exp|2 zoom z|1 pixelate pix|4 padding pd|1 min-width mw|1 min-height mh|' +
  '1 max_bytes mb|1 raw|1 enforce_thumbnail eth';
// Our option, the largest number, its decimals, the least: below it nothing is asked for.
const IMGPROXY_NUMBERS = 'width=w,16383,0,1 height=h,16383,0,1 dpr=dpr,800,2,10 ' +
  'quality=q,100,0,1 blur=blur,10000,2,30 sharpen=sharp,1000,2,10';
const IMGPROXY_GRAVITIES = 'ce=c no=n so=s ea=e we=w sm=smart noea=ne nowe=nw soea=se sowe=sw';
// The longest side of a crop, in pixels: it reaches to the picture's edge.
const IMGPROXY_EDGE = 65535;

// ---- Arguments

function imgproxyNumber(name, text, most, decimals) {
  const number = fixed(text, decimals), hasPoint = text.indexOf('.') >= 0;
  if (number === null || number > most || (!decimals && hasPoint)) wrong(name);
  return number;
}

function imgproxyIsOff(text) {
  return !text || text === '0' || text === 'f' || lower(text) === 'false';
}

function imgproxySwitch(name, text) {
  if (text === '1' || text === 't' || lower(text) === 'true') return true;
  return imgproxyIsOff(text) ? false : wrong(name);
}

// A place of a focal point, else an offset, which may be missing or negative.
function imgproxyCoordinate(name, text, isFocal) {
  if (isFocal) return imgproxyNumber(name, text, 1e4, 4);
  const isNegative = text[0] === '-';
  const number = text && imgproxyNumber(name, text.slice(+isNegative), IMGPROXY_EDGE * 1e4, 4);
  return isNegative ? -number : +number;
}

function imgproxyAnchor(name, args) {
  const word = args[0], isFocal = word === 'fp', ours = wordBehind(IMGPROXY_GRAVITIES, word);
  if (isAmong('obj objw', word)) unsupported(name);
  if ((ours === word && !isFocal) || args.length > (word === 'sm' ? 1 : 3)) wrong(name);
  const at = [1, 2].map((i) => imgproxyCoordinate(name, args[i] || '', isFocal));
  return isFocal ? [at, 0, 0] : [ours, at[0], at[1]];
}

// Ours, or '' for one that is not written here.
function imgproxyFormat(name, word) {
  const ours = word === 'jpg' ? 'jpeg' : word;
  if (isAmong('jpeg webp avif png', ours)) return ours;
  return isAmong(IMGPROXY_OTHER_FORMATS, word) ? '' : wrong(name);
}

// The angle of a turn, 0 to 270. Digit by digit: its number may be longer than doubles are exact.
function imgproxyTurn(name, text) {
  let angle = 0;
  if (integer(text) === null) wrong(name);
  for (let i = 0; i < text.length; ++i) {
    if (text[i] !== '-') angle = (angle * 10 + Number(text[i])) % 360;
  }
  if (angle % 90) wrong(name);
  return text[0] === '-' ? (360 - angle) % 360 : angle;
}

// ---- Options

function imgproxyKeep(draft, key, kept) {
  draft.result.t[key] = kept;
  mark(draft.result, key);
  draft.own[key] = 1;
}

// <on>[:<gravity>]
function imgproxyExtension(name, args) {
  const isOn = imgproxySwitch(name, args[0]);
  const anchor = args.length > 1 ? imgproxyAnchor(name, args.slice(1)) : ['c', 0, 0];
  if (!isAmong('c n s e w ne nw se sw', anchor[0]) || anchor[1] || anchor[2]) unsupported(name);
  return isOn && anchor[0];
}

// <width>:<height>:<enlarge>:<extend>, where an empty one leaves things as they are.
function imgproxySize(draft, args) {
  ['width', 'height', 'enlarge'].forEach((name, i) => {
    if (args[i]) imgproxyApply(draft, name, [args[i]]);
  });
  if (args[3]) imgproxyApply(draft, 'extend', args.slice(3));
}

function imgproxyResizing(draft, name, word) {
  const ours = wordBehind('fit=inside fill=cover fill-down=cover force=stretch', word);
  if (word === 'auto') unsupported(name);
  if (ours === word) wrong(name);
  draft.fit = ours;
  draft.isDown = word === 'fill-down';
}

function imgproxyCrop(draft, name, args) {
  const side = (text) => imgproxyNumber(name, text, IMGPROXY_EDGE * 1e4, 4);
  draft.area = [side(args[0]), args.length > 1 ? side(args[1]) : 0];
  draft.cutAnchor = args.length > 2 ? imgproxyAnchor(name, args.slice(2)) : undefined;
}

// <threshold>:<color>:<equal_hor>:<equal_ver>; no threshold: no trim.
function imgproxyTrim(name, args) {
  if (!args[0]) return;
  if (args[1] || !imgproxyIsOff(args[2]) || !imgproxyIsOff(args[3])) unsupported(name);
  return Math.max(1, Math.floor((imgproxyNumber(name, args[0], 1000, 1) + 5) / 10));
}

// <R>:<G>:<B>, hexadecimal, or empty for none.
function imgproxyBackground(draft, name, args) {
  if (args.length === 3) {
    const color = args.map((text) => imgproxyNumber(name, text, 255, 0));
    return imgproxyKeep(draft, 'bg', color.concat(255));
  }
  imgproxyKeep(draft, 'bg', undefined);
  if (!args[0]) return;
  if (args.length > 1 || args[0].length % 3) wrong(name);
  set(draft.result, 'bg', '#' + args[0], name);
}

// <format>:<quality>:… That of a format that is not written here is never needed.
function imgproxyQualities(draft, name, args) {
  for (let i = 0; i < args.length; i += 2) {
    const percent = imgproxyNumber(name, args[i + 1] || '', 100, 0);
    draft.qualities[imgproxyFormat(name, args[i])] = percent;
  }
}

// What has been named so far yields to the preset.
function imgproxyPreset(draft, name, args) {
  if (args.length > 1 || draft.result.t.p) unsupported(name);
  set(draft.result, 'p', args[0], name);
  draft.own = {};
}

// `name`: the long one.
function imgproxyApply(draft, name, args) {
  const ours = wordBehind(IMGPROXY_NUMBERS, name).split(','), first = args[0] || '';
  const keep = (key, kept) => imgproxyKeep(draft, key, kept);
  if (ours.length > 1) {
    const number = imgproxyNumber(name, first, +ours[1], +ours[2]);
    if (name === 'dpr' && number < 10) wrong(name);
    keep(ours[0], number < ours[3] ? undefined : number);
  } else if (name === 'resize') {
    if (first) imgproxyApply(draft, 'resizing_type', [first]);
    imgproxySize(draft, args.slice(1));
  } else if (name === 'size') {
    imgproxySize(draft, args);
  } else if (name === 'resizing_type') {
    imgproxyResizing(draft, name, first);
    keep('fit');
    keep('small');
  } else if (name === 'enlarge') {
    keep('up', imgproxySwitch(name, first));
  } else if (isAmong('extend extend_aspect_ratio', name)) {
    draft[name] = imgproxyExtension(name, args);
    keep('fit');
  } else if (name === 'gravity') {
    draft.fitAnchor = imgproxyAnchor(name, args);
    keep('g');
  } else if (name === 'crop') {
    imgproxyCrop(draft, name, args);
    keep('crop');
  } else if (name === 'trim') {
    keep('trim', imgproxyTrim(name, args));
  } else if (name === 'rotate') {
    keep('rot', imgproxyTurn(name, first) || undefined);
  } else if (name === 'flip') {
    const isLeft = imgproxySwitch(name, first), isUp = imgproxySwitch(name, args[1] || '');
    keep('flip', (isLeft ? 'h' : '') + (isUp ? 'v' : '') || undefined);
  } else if (name === 'background') {
    imgproxyBackground(draft, name, args);
  } else if (name === 'format_quality') {
    imgproxyQualities(draft, name, args);
  } else if (name === 'format') {
    keep('f', imgproxyFormat(name, first) || unsupported(name));
  } else if (name === 'keep_copyright') {
    keep('meta', imgproxySwitch(name, first) ? 'copyright' : undefined);
  } else if (name === 'preset') {
    imgproxyPreset(draft, name, args);
  } else if (name === 'auto_rotate') {
    if (!imgproxySwitch(name, first)) unsupported(name);
  } else if (name === 'expires' || !args.every(isAmong('zoom pixelate', name) ?
    (text) => text === '1' : imgproxyIsOff)) {
    unsupported(name);
  }
}

// `text`: "rs:fill:300:400", decoded.
function imgproxyOption(draft, text) {
  const args = text.split(':'), word = args.shift();
  if (isAmong(IMGPROXY_WITHOUT_EFFECT, word)) return;
  if (isAmong(IMGPROXY_REFUSED, word)) unsupported(word);
  const known = IMGPROXY_OPTIONS.split('|').map((line) => line.split(' '))
    .filter((words) => words.indexOf(word) > 0)[0];
  if (!known) return draft.result.unknown.push(word);
  if (args.length > known[0]) wrong(known[1]);
  imgproxyApply(draft, known[1], args);
}

// Takes the options off the front of `rest`; what remains is the source.
function imgproxyOptions(draft, rest) {
  while (rest) {
    const raw = rest.split('/', 1)[0], text = decode(raw, 'option');
    if (text.indexOf(':') < 0) break;
    imgproxyOption(draft, text);
    rest = rest.slice(raw.length + 1);
  }
  return rest;
}

// ---- Signature and source

// `message`: everything behind the signature, with its slash.
function imgproxyCheck(mount, head, message) {
  const isIt = (entry) =>
    isEqual(head, base64(hmac('sha256', entry[0], entry[1] + message)));
  if (mount.keys.length && !mount.keys.some(isIt)) unsigned();
}

// A source without a scheme is a path below the origin (IMGPROXY_BASE_URL).
function imgproxySource(draft, mount, text) {
  const isPlain = text.slice(0, 6) === 'plain/';
  if (!text) fail('not-found');
  if (text.slice(0, 4) === 'enc/') unsupported('enc');
  const parts = isPlain ? text.slice(6).split('@') :
    decode(text, 'source').split('/').join('').split('.');
  const raw = isPlain ? parts[0] : fromBase64(parts[0]);
  if (raw === null || parts.length > 2) wrong('source');
  // What stands behind the @ or the dot is the format.
  if (parts[1]) imgproxyOption(draft, 'format:' + parts[1]);
  const address = decode(raw, 'source');
  const isAbsolute = address[0] === '/' || address.indexOf('://') >= 0;
  return sourceOfUrl(mount, isAbsolute ? address : '/' + address);
}

// ---- From the draft to the Ask

function imgproxyHasSides(ask) {
  return ask.t.w || ask.t.h || ask.t.p;
}

// What fill, fill-down and force cannot do where the source may be too small for the box, and
// what no gravity of ours says: an offset, a focal point of the turned crop.
function imgproxyCheckFit(draft, asked) {
  const anchor = draft.fitAnchor, isCover = draft.fit === 'cover';
  if (!asked.up && draft.fit !== 'inside') {
    const fills = isCover && !draft.isDown;
    const isElsewhere = draft.extend !== 'c' && draft.extend !== anchor[0];
    if (draft.extend && (!fills || isElsewhere)) unsupported('extend');
    if (draft.extend_aspect_ratio && fills) unsupported('extend_aspect_ratio');
  }
  const isMoved = asked.rot || asked.flip || draft.area[0] || draft.area[1];
  const isFocal = typeof anchor[0] !== 'string';
  if (isCover && (anchor[1] || anchor[2] || (isMoved && isFocal))) unsupported('gravity');
}

function imgproxySettleFit(draft, ask) {
  const asked = ask.t;
  let gravity = draft.fitAnchor[0];
  imgproxyCheckFit(draft, asked);
  if (draft.fit === 'inside' && (draft.extend || draft.extend_aspect_ratio)) {
    draft.fit = 'pad';
    gravity = draft.extend || draft.extend_aspect_ratio;
    asked.bg = asked.bg || [0, 0, 0, 0];
    mark(ask, 'bg');
  }
  // The other side would be the source's own.
  if (draft.fit === 'stretch' && !asked.w !== !asked.h && !ask.t.p) {
    unsupported('resizing_type');
  }
  setFit(ask, draft.fit, asked.up);
  setGravity(ask, gravity);
  // imgproxy lowers the ratio of pixels before it lets a side fall short of the box.
  if (draft.fit === 'cover' && !draft.isDown) {
    asked.small = draft.extend ? 'pad' : asked.dpr > 100 ? undefined : 'cut';
  }
  mark(ask, 'small');
}

// [begin, extent] of a crop on one axis: in ten-thousandths of the picture or in pixels; null
// where that takes the picture's size.
function imgproxySpan(anchor, axis, extent, isShare) {
  const gravity = anchor[0], offset = anchor[axis + 1], room = 1e4 - extent;
  const isLow = gravity.indexOf('wn'[axis]) >= 0;
  if (!extent) return [0, isShare ? 1e4 : IMGPROXY_EDGE];
  if (!isShare) {
    const isWhole = isLow && room <= 0 && offset >= 0 && offset % 1e4 === 0;
    return isWhole ? [offset / 1e4, Math.floor(extent / 1e4)] : null;
  }
  if (room <= 0 || Math.abs(offset) >= 1e4) return null;
  let begin = Math.floor(room / 2) + offset;
  if (isLow) begin = offset;
  if (gravity.indexOf('es'[axis]) >= 0) begin = room - offset;
  if (typeof gravity !== 'string') begin = gravity[axis] - Math.floor(extent / 2);
  return [Math.max(0, Math.min(begin, room)), extent];
}

function imgproxyBox(draft, anchor, isShare) {
  const spans = draft.area.map((extent, axis) => imgproxySpan(anchor, axis, extent, isShare));
  return anchor[0] === 'smart' || !spans[0] || !spans[1] ? undefined :
    [spans[0][0], spans[1][0], spans[0][1], spans[1][1], isShare];
}

// Where nothing is resized, pixels anywhere are cut out by our fit=cut.
function imgproxyCut(draft, ask, anchor) {
  const isShare = (extent) => extent && extent < 1e4;
  if (imgproxyHasSides(ask) || anchor[1] || anchor[2] || draft.area.some(isShare)) return false;
  draft.area.forEach((extent, axis) => {
    if (extent) ask.t['wh'[axis]] = Math.min(16383, Math.floor(extent / 1e4));
  });
  ask.t.dpr = undefined;
  // A site's default for one of them would cut another rectangle.
  ['w', 'h', 'dpr'].forEach((key) => mark(ask, key));
  setFit(ask, 'cut', ask.t.up);
  setGravity(ask, anchor[0]);
  return true;
}

// imgproxy trims before it cuts, and cuts the turned picture; our rectangle is one of the upright
// picture, whose border is trimmed afterwards.
function imgproxySettleCrop(draft, ask) {
  const asked = ask.t, anchor = draft.cutAnchor || draft.fitAnchor;
  if (!draft.area[0] && !draft.area[1]) return;
  if (!asked.rot && !asked.flip && !asked.trim) {
    asked.crop = imgproxyBox(draft, anchor, true) || imgproxyBox(draft, anchor, false);
  }
  if (!asked.crop && (asked.flip || !imgproxyCut(draft, ask, anchor))) unsupported('crop');
}

function parseImgproxy(mount, raw, query) {
  const ask = newAsk(mount), asked = ask.t, head = raw.split('/', 1)[0];
  const draft =
    {result: ask, fit: 'inside', fitAnchor: ['c', 0, 0], area: [0, 0], qualities: {}, own: {}};
  imgproxyCheck(mount, head, raw.slice(head.length));
  const rest = imgproxyOptions(draft, raw.slice(head.length + 1));
  ask.source = imgproxySource(draft, mount, rest);
  parameters(query, true).forEach((parameter) => ask.unknown.push(parameter[0]));
  // Without a side dpr multiplies the source's own; where nothing is enlarged, above 1 to no
  // effect.
  if (!imgproxyHasSides(ask) && (asked.dpr < 100 || (asked.dpr > 100 && asked.up))) {
    unsupported('dpr');
  }
  imgproxySettleFit(draft, ask);
  imgproxySettleCrop(draft, ask);
  const hasFormat = asked.f;
  if (!hasFormat) keepFormat(ask);
  // A preset may choose another format, whose default is not that of this one.
  if (!asked.q && (hasFormat || !ask.t.p)) {
    asked.q = draft.qualities[asked.f] ||
      +wordBehind('jpeg=80 webp=79 avif=63 png=80', asked.f);
    mark(ask, 'q');
  }
  Object.keys(ask.named).forEach((key) => {
    if (!draft.own[key]) ask.yielding[key] = 1;
  });
  return ask;
}
