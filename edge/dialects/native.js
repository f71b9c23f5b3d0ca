// SPDX-License-Identifier: Apache-2.0
// The native dialect and canonical paths, as src/dialect/native.cc.

// Like a token, and '_' too, but not alone: "_" marks the options.
function parseSite(raw) {
  const name = decode(raw);
  if (name.search(/^(_|\.\.?)?(?!.|\s)|[^\w.~-]|.{65}/) >= 0) wrong();
  return name;
}

// What is given twice must be the same; lists are compared by their text. An empty signature is
// none.
function keep(ask, into, name, parsed) {
  const isGiven = ask.named[name] || ask[name] || ask[name] === 0;
  if (parsed === null || (isGiven && String(into[name]) !== String(parsed))) wrong(name);
  into[name] = parsed;
  if (into === ask.t) mark(ask, name);
}

// The signature and the time it ends at are no options, and where a site has no keys neither
// counts. The value of an unknown parameter is never looked at: trackers write what they like. A
// canonical path says all but the signature itself.
function parseQuery(ask, query) {
  query.split('+').join(' ').split('&').forEach((part) => {
    if (part === '') return;
    const pair = cut(part, '=');
    const rest = pair[1] || '';
    const name = ask.canonical ? unescaped(pair[0]) || '' : decode(pair[0]);
    const known = optionNamed(name);
    const isOption = known !== 's' && known !== 'expires';
    if (!known) {
      ask.unknown.push(name);
    } else if (!isOption || !ask.canonical) {
      keep(ask, isOption ? ask.t : ask, known, valueOf(known, decode(rest, known)));
    }
  });
}

// `marker`: where the last "/_/" of the path stands. What is behind it is left to the service,
// which answers what it would not have printed exactly so with a failure.
function parseCanonical(route, marker, query) {
  const slash = route.indexOf('/', 1);
  const ask = newAsk({site: parseSite(route.slice(1, slash))});
  // "/<site>/_/…": the marker stands where the source should.
  if (slash >= marker) fail('not-found');
  ask.canonical = '/' + ask.site + escapedSource(parseSource(route.slice(slash + 1, marker))) +
      route.slice(marker + 1);
  parseQuery(ask, query);
  return ask;
}

function parseNative(mount, route, query) {
  const ask = newAsk(mount);
  const parts = ask.site ? ['', route] : cut(route, '/');
  const rest = parts[1] || '';
  if (route === '') fail('not-found');
  if (!ask.site) ask.site = parseSite(parts[0]);
  if ((rest + '/').indexOf('_/') === 0) fail('not-found');
  if (rest.slice(-2) === '/_') wrong();
  ask.source = parseSource(rest);
  parseQuery(ask, query);
  return ask;
}
