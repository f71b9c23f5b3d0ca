// SPDX-License-Identifier: Apache-2.0
// The native dialect and canonical paths, as src/dialect/native.cc.

// Like a token, and '_' too, but not alone: "_" marks the options.
function parseSite(raw) {
  const name = token(undefined, decode(raw), '_');
  if (isAmong('_ . ..', name)) wrong();
  return name;
}

function keepToken(ask, field, name, text) {
  const word = token(name, text);
  if (ask[field] !== '' && ask[field] !== word) wrong(name);
  ask[field] = word;
  mark(ask, name);
}

function keepOption(ask, name, text) {
  if (name === 'p') return keepToken(ask, 'preset', name, text);
  if (name === 'v') return keepToken(ask, 'version', name, text);
  const parsed = parseOption(name, text);
  if (parsed === null) wrong(name);
  // Lists are compared by their text.
  if (ask.named[name] && String(ask.t[name]) !== String(parsed.value)) wrong(name);
  ask.t[name] = parsed.value;
  mark(ask, name);
}

// The signature and the time it ends at; neither is an option, and where a site has no keys
// neither counts.
function keepSignature(ask, name, text) {
  if (name === 's') {
    if (ask.signature !== '' && ask.signature !== text) wrong(name);
    ask.signature = text;
    return;
  }
  if (text === '' || text.length > 11 || !isMadeOf(text, DIGITS)) wrong(name);
  const seconds = Number(text);
  if (ask.expires !== undefined && ask.expires !== seconds) wrong(name);
  ask.expires = seconds;
}

// The value of an unknown parameter is never looked at: trackers write what they like.
function parseQuery(ask, query) {
  query.split('&').forEach((part) => {
    if (part === '') return;
    const pair = cut(part.split('+').join(' '), '=');
    const rest = pair[1] || '';
    // A canonical path says all but the signature itself.
    const name = ask.canonical ? unescaped(pair[0]) || '' : decode(pair[0]);
    const word = lower(name);
    const known = optionNamed(name);
    if (isAmong('s expires', word)) {
      keepSignature(ask, word, decode(rest, word));
    } else if (known === undefined) {
      ask.unknown.push(name);
    } else if (!ask.canonical) {
      keepOption(ask, known, decode(rest, known));
    }
  });
}

function parseItem(ask, item) {
  const dash = item.indexOf('-');
  const name = dash < 0 ? undefined : optionNamed(item.slice(0, dash));
  // A preset must be resolved, and the format is the extension.
  if (name === undefined || name === 'p' || name === 'f') wrong(name);
  set(ask, name, item.slice(dash + 1), name);
}

// Strict: what pathOf would not print exactly so is refused.
function parseCanonicalOptions(ask, text) {
  const dot = text.lastIndexOf('.');
  const extension = dot < 0 ? null :
      wordOf('avif webp jpeg jpg=jpeg jpe=jpeg png jpng', text.slice(dot + 1));
  if (extension === null) wrong('f');
  ask.t.f = extension;
  mark(ask, 'f');
  const list = text.slice(0, dot);
  if (list !== 'full') list.split('_').forEach((item) => parseItem(ask, item));
  ask.t = settle(ask, {}, {order: [], limits: [16383]});
  const printed = pathOf(ask, ask.t);
  if (printed.slice(printed.lastIndexOf('/') + 1) !== text) wrong();
}

// `marker`: where the last "/_/" of the path stands.
function parseCanonical(route, marker, query) {
  const slash = route.indexOf('/', 1);
  const ask = newAsk({site: parseSite(route.slice(1, slash))});
  // "/<site>/_/…": the marker stands where the source should.
  if (slash >= marker) fail('not-found');
  ask.source = parseSource(route.slice(slash + 1, marker));
  ask.canonical = true;
  parseCanonicalOptions(ask, route.slice(marker + 3));
  parseQuery(ask, query);
  return ask;
}

function parseNative(mount, route, query) {
  const ask = newAsk(mount);
  let rest = route;
  if (ask.site === '') {
    if (rest === '') fail('not-found');
    const parts = cut(rest, '/');
    ask.site = parseSite(parts[0]);
    rest = parts[1] || '';
  }
  if ((rest + '/').indexOf('_/') === 0) fail('not-found');
  if (rest.slice(-2) === '/_') wrong();
  ask.source = parseSource(rest);
  parseQuery(ask, query);
  return ask;
}
