// SPDX-License-Identifier: Apache-2.0
// The walk of a request from its target to the canonical path (as parse_target and name_variant in
// C++), and the function that CloudFront calls with a viewer's request.
//
// Three constants come from the builder: CONFIG, DIALECTS and PARTS. The last names what only some
// sites need, so that nobody else carries it: {allow: checkAllowed, mounting: parseMounted,
// redirect: redirection, sign: checkSignature, snap: snapToLadder}, each where a site asks for it.

// The mount whose path is the longest prefix that ends at a segment's end.
function mountAt(route) {
  return CONFIG.mounts
      .filter((mount) => mount.path === '/' || (route + '/').indexOf(mount.path + '/') === 0)
      .sort((a, b) => b.path.length - a.path.length)[0];
}

// The Ask of a request below a mount; nothing where no mount is. Canonical paths are served
// wherever they cannot be anything else: outside of all mounts, below the mount at "/", and where a
// mount has the name of its own site; imgproxy's "/_/" stands for "not signed".
function parseMounted(route, query, marker) {
  const mount = mountAt(route);
  if (!mount) return null;
  const isRoot = mount.path === '/';
  if (marker > 0 && (isRoot || mount.path === '/' + mount.site)) return null;
  const rest = route.slice(isRoot ? 1 : mount.path.length + 1);
  const secrets = (mount.keys || []).map((pair) => pair.map((text) => fromHex(text)));
  const prefixes = mount.sources || [];
  const known = {path: mount.path, site: mount.site, keys: secrets, sources: prefixes};
  const ask = DIALECTS[mount.dialect](known, rest, query);
  ask.vouched = secrets.length > 0;
  return ask;
}

function parseTarget(target) {
  if (target.charAt(0) !== '/') wrong();
  const parts = cut(target, '?');
  const route = parts[0];
  const query = parts[1] || '';
  const marker = route.lastIndexOf('/_/');
  const ask = PARTS.mounting && PARTS.mounting(route, query, marker);
  if (ask) return ask;
  return marker < 0 ? parseNative({site: ''}, route.slice(1), query) :
      parseCanonical(route, marker, query);
}

// Which fields settling looks at: 1 Accept, 2 dpr, 4 width, 8 network.
function hintsRead(ask, rules) {
  if (ask.canonical) return 0;
  const readsWidth = ask.t.w === 'auto';
  return (!ask.t.f && rules.order.length > 0 ? 1 : 0) +
      (readsWidth || ask.t.dpr === 'auto' ? 2 : 0) + (readsWidth ? 4 : 0) +
      (ask.t.q === 'auto' ? 8 : 0);
}

// What a client says of its screen never makes a request fail: where the limits do not allow it,
// the request is settled as if nothing had been said.
function settleWithinLimits(ask, fields, rules, bits) {
  if (bits < 2) return settle(ask, fields, rules);
  try {
    const asked = settle(ask, fields, rules);
    checkLimits(asked, rules.limits);
    return asked;
  } catch (e) {
    const silent = {accept: fields.accept, 'user-agent': fields['user-agent']};
    const plain = settle(ask, silent, rules);
    checkLimits(plain, rules.limits);
    return plain;
  }
}

// `target` is bytes, `fields` the request's headers by lower-case name, `seconds` the time.
function walk(target, fields, seconds) {
  const ask = parseTarget(target);
  if (!has(CONFIG.sites, ask.site)) fail('not-found');
  const rules = CONFIG.sites[ask.site];
  if (!ask.vouched) checkCaller(ask, rules, seconds);
  admit(ask, rules);
  const bits = hintsRead(ask, rules);
  const asked = ask.canonical ? ask.t : settleWithinLimits(ask, fields, rules, bits);
  return {
    path: pathOf(ask, asked),
    ask: ask,
    redirect: rules.redirect === true && !ask.canonical,
    reads: bits
  };
}

// ---- CloudFront

// The statuses of failures.
const PROBLEMS = 'bad-request=400 unsupported-option=400 forbidden=403 not-found=404 ' +
    'method-not-allowed=405 too-long=414';

function response(status, phrase, fields) {
  const shown = {};
  Object.keys(fields).forEach((name) => {
    shown[name] = {value: fields[name]};
  });
  return {statusCode: status, statusDescription: phrase, headers: shown};
}

// As src/delivery/failure.cc says it, but for the sentences; 0 seconds: not to be kept. JSON leaves
// out what is undefined.
function refusal(kind, name) {
  const status = Number(wordBehind(PROBLEMS, kind));
  const seconds = status < 404 ? 60 : status === 404 ? 30 : 0;
  const shown = name && name.replace(/[^ -~]/g, '?');
  const out = response(status, kind, {
    'content-type': 'application/problem+json',
    'cache-control': seconds > 0 ? 'public, max-age=' + seconds : 'no-store'
  });
  out.body = JSON.stringify({
    type: 'urn:tintype:error:' + kind,
    title: kind,
    status: status,
    detail: shown && kind + ': ' + shown,
    code: kind,
    option: shown
  });
  return out;
}

// With the bits of hintsRead.
const VARY = ['Accept', 'Sec-CH-DPR, DPR',
  'Sec-CH-Width, Width, Sec-CH-Viewport-Width, Viewport-Width', 'Save-Data, ECT, Downlink, RTT'];

function redirection(found) {
  const fields = {location: found.path, 'cache-control': 'public, max-age=300'};
  if (found.reads > 0) {
    fields['cache-control'] = 'private, max-age=60';
    fields.vary = VARY.filter((names, i) => (found.reads >> i) % 2 === 1).join(', ');
  }
  return response(302, 'Found', fields);
}

// The text of a header or parameter, its repetitions one after the other.
function linesOf(given) {
  return (given.multiValue || [given]).map((one) => one.value);
}

// CloudFront's object as text again; what is repeated stands together there.
function queryOf(given) {
  return Object.keys(given).map((name) => {
    return linesOf(given[name]).map((line) => name + '=' + line).join('&');
  }).join('&');
}

// What is not ASCII becomes escapes of its UTF-8; half a surrogate pair is refused.
function targetOf(viewed) {
  const query = typeof viewed.rawQueryString === 'function' ? viewed.rawQueryString() :
      queryOf(viewed.querystring || {});
  const target = viewed.uri + (query ? '?' + query : '');
  try {
    return target.replace(/[^\x00-\x7f]+/g, (part) => encodeURIComponent(part));
  } catch (e) {
    return wrong();
  }
}

function fieldsOf(given) {
  const fields = {};
  Object.keys(given || {}).forEach((name) => {
    fields[name] = linesOf(given[name]).join(', ');
  });
  return fields;
}

function answered(viewed) {
  if (!isAmong('GET HEAD OPTIONS', viewed.method)) fail('method-not-allowed');
  const target = targetOf(viewed);
  if (target.length > 8192) fail('too-long');
  const found = walk(target, fieldsOf(viewed.headers), Math.floor(Date.now() / 1000));
  if (found.redirect) return PARTS.redirect(found);
  viewed.uri = found.path;
  viewed.querystring = {};
  return viewed;
}

function handler(event) {
  try {
    return answered(event.request);
  } catch (e) {
    // A fault of ours is CloudFront's to report.
    if (!pairOf(PROBLEMS, e.code).length) throw e;
    return refusal(e.code, e.option);
  }
}
