// SPDX-License-Identifier: Apache-2.0
// The walk of a request from its target to the canonical path (as parse_target and name_variant in
// C++), and the function that CloudFront calls with a viewer's request.
//
// Three constants come from the builder: CONFIG, DIALECTS and PARTS. The last names what only some
// sites need, so that nobody else carries it: {allow: checkAllowed, leave: leaveToService,
// mounting: parseMounted or passMounted, pass: passedOn, redirect: redirection, sign:
// checkSignature, snap: snapToLadder}, each where a site or mount asks for it.

// The mount whose path is the longest prefix that ends at a segment's end; CONFIG has the longest
// first.
function mountAt(route) {
  return CONFIG.mounts.filter((mount) => {
    return mount.path === '/' || (route + '/').indexOf(mount.path + '/') === 0;
  })[0];
}

// The mount that a path is read by; none where no mount is. Canonical paths are served wherever
// they cannot be anything else: outside of all mounts, below the mount at "/", and where a mount
// has the name of its own site; imgproxy's "/_/" stands for "not signed".
function mountFor(route) {
  const mount = mountAt(route);
  const isOwn = mount && (mount.path === '/' || mount.path === '/' + mount.site);
  return isOwn && route.lastIndexOf('/_/') > 0 ? undefined : mount;
}

// The Ask of a request below a mount; nothing where no mount is.
function parseMounted(target, fields) {
  const parts = cut(target, '?');
  const route = parts[0];
  const mount = mountFor(route);
  if (!mount) return mount;
  const parser = DIALECTS[mount.dialect];
  // Whose dialect is not here is for the service to read, and to check.
  if (!parser) return PARTS.pass(target, mount, fields);
  const secrets = (mount.keys || []).map((pair) => pair.map((text) => fromHex(text)));
  const known = {path: mount.path, site: mount.site, keys: secrets, sources: mount.sources || []};
  const begin = mount.path === '/' ? 1 : mount.path.length + 1;
  const ask = parser(known, route.slice(begin), parts[1] || '');
  ask.vouched = secrets.length > 0;
  return ask;
}

// The same where no mount's dialect is here, which takes fewer bytes.
function passMounted(target, fields) {
  const mount = mountFor(cut(target, '?')[0]);
  return mount && passedOn(target, mount, fields);
}

// The path that asks the service to read a target: "/_/ask/<format>,<dpr>,<width>,<slow>/<target>".
// What the client says beyond its formats is only said where something can depend on it.
function passedOn(target, mount, fields) {
  if (!has(CONFIG.sites, mount.site)) fail('not-found');
  const rules = CONFIG.sites[mount.site];
  const says = [negotiated(fields, rules.order), '', '', ''];
  // The words that mean it: of all dialects, of Scene7, Fastly, and imgix's base64.
  const hidden = /auto|dpr=on|optimize=|64=/;
  if (rules.auto || (target + loosened(target)).toLowerCase().search(hidden) >= 0) {
    says[1] = dprClass(fields);
    says[2] = widthClass(fields, ladderOf(rules));
    if (isSlow(fields)) says[3] = 1;
  }
  const path = '/_/ask/' + says.join(',') + '/' + escaped(target).split('/').join('%2F');
  if (path.length > 8192) fail('too-long');
  return {site: mount.site, vouched: true, canonical: path};
}

// Of a site whose signatures the service checks, canonical paths too. What bears none, or whose
// time is over, ends here: a cache behind would go on answering.
function leaveToService(ask, target, fields, seconds) {
  if (ask.vouched) return;
  if (!ask.s) unsigned();
  if (seconds > ask.expires) fail('forbidden', 'expires');
  ask.canonical = passedOn(target, ask, fields).canonical;
}

function parseTarget(target) {
  const parts = cut(target, '?');
  const route = parts[0];
  const query = parts[1] || '';
  const marker = route.lastIndexOf('/_/');
  return marker < 0 ? parseNative({}, route.slice(1), query) :
      parseCanonical(route, marker, query);
}

// Before anything is filled in. What is canonical could carry any option.
function checkCaller(ask, rules, seconds) {
  if (ask.vouched) return;
  if (rules.keys) {
    PARTS.sign(ask, rules.keys, seconds);
  } else if (rules.allowed && ask.canonical) {
    unsigned();
  }
}

// Which fields settling looks at: 1 Accept, 2 dpr, 4 width, 8 network.
function hintsRead(ask, rules) {
  return (!ask.t.f && rules.order.length > 0 ? 1 : 0) + (ask.t.q === 'auto' ? 8 : 0) +
      (ask.t.w === 'auto' ? 6 : ask.t.dpr === 'auto' ? 2 : 0);
}

// What a client says of its screen never makes a request fail: where the limits do not allow it,
// the request is settled as if nothing had been said. The canonical path.
function settledPath(ask, fields, rules, bits) {
  let asked = ask.t;
  try {
    if (bits > 1) asked = Object.assign({}, asked);
    settle(ask, asked, fields, rules);
    if (bits > 1) checkLimits(asked, rules.limits);
  } catch (e) {
    if (bits < 2) throw e;
    asked = ask.t;
    settle(ask, asked, {accept: fields.accept, 'user-agent': fields['user-agent']}, rules);
    checkLimits(asked, rules.limits);
  }
  return pathOf(ask, asked);
}

// `target` is bytes, `fields` the request's headers by lower-case name, as text or as CloudFront
// has them, `seconds` the time. {path}, and where it was not canonical already {reads, redirect}.
function walk(target, fields, seconds) {
  if (target[0] !== '/') wrong();
  const ask = (PARTS.mounting && PARTS.mounting(target, fields)) || parseTarget(target);
  if (!has(CONFIG.sites, ask.site)) fail('not-found');
  const rules = CONFIG.sites[ask.site];
  checkCaller(ask, rules, seconds);
  if (rules.pass) PARTS.leave(ask, target, fields, seconds);
  if (ask.canonical) return {path: ask.canonical};
  admit(ask, rules);
  const bits = hintsRead(ask, rules);
  return {
    path: settledPath(ask, fields, rules, bits),
    reads: bits,
    redirect: rules.redirect
  };
}

// ---- CloudFront

// The statuses of failures.
const PROBLEMS = {
  'bad-request': 400,
  'unsupported-option': 400,
  forbidden: 403,
  'not-found': 404,
  'method-not-allowed': 405,
  'too-long': 414
};

// As src/delivery/failure.cc says it, but for the sentences. JSON leaves out what is undefined.
function refusal(kind, name) {
  const status = PROBLEMS[kind];
  const kept = status > 404 ? 'no-store' : 'public, max-age=' + (status < 404 ? 60 : 30);
  return {
    statusCode: status,
    headers: {
      'content-type': {value: 'application/problem+json'},
      'cache-control': {value: kept}
    },
    body: JSON.stringify({
      type: 'urn:tintype:error:' + kind,
      status: status,
      code: kind,
      option: name && name.replace(/[^ -~]/g, '?')
    })
  };
}

// With the bits of hintsRead.
const VARY = ['Accept', 'Sec-CH-DPR, DPR',
  'Sec-CH-Width, Width, Sec-CH-Viewport-Width, Viewport-Width', 'Save-Data, ECT, Downlink, RTT'];

function redirection(found) {
  const kept = found.reads ? 'private, max-age=60' : 'public, max-age=300';
  const fields = {location: {value: found.path}, 'cache-control': {value: kept}};
  if (found.reads) {
    fields.vary = {value: VARY.filter((names, i) => (found.reads >> i) % 2 === 1).join(', ')};
  }
  return {statusCode: 302, headers: fields};
}

// CloudFront's object as text again; what is repeated stands together there.
function queryOf(given) {
  return Object.keys(given).map((name) => {
    const lines = given[name].multiValue;
    return name + '=' + (lines ? textsOf(lines).join('&' + name + '=') : given[name].value);
  }).join('&');
}

// What is not ASCII becomes escapes of its UTF-8; half a surrogate pair is refused.
function targetOf(viewed) {
  const query = viewed.rawQueryString ? viewed.rawQueryString() :
      queryOf(viewed.querystring);
  const target = viewed.uri + (query ? '?' + query : '');
  if (target.search(/[^\x00-\x7f]/) < 0) return target;
  try {
    return target.replace(/[^\x00-\x7f]+/g, encodeURIComponent);
  } catch (e) {
    return wrong();
  }
}

function handler(event) {
  const viewed = event.request;
  try {
    if (!isAmong('GET HEAD OPTIONS', viewed.method)) fail('method-not-allowed');
    const target = targetOf(viewed);
    if (target.length > 8192) fail('too-long');
    const found = walk(target, viewed.headers, Math.floor(Date.now() / 1000));
    if (found.redirect) return PARTS.redirect(found);
    viewed.uri = found.path;
    viewed.querystring = {};
    return viewed;
  } catch (e) {
    // A fault of ours is CloudFront's to report.
    if (!PROBLEMS[e.code]) throw e;
    return refusal(e.code, e.option);
  }
}
