// SPDX-License-Identifier: Apache-2.0
// Next.js, Vercel and Netlify: one path, everything in the query (src/dialect/front_doors.cc).

// The path is the mount's and no longer; what the doors have in common is filled in.
function openDoor(mount, path, isUp) {
  if (mount.keys.length) unsigned();
  if (path) fail('not-found');
  const ask = newAsk(mount);
  setFit(ask, 'inside', isUp);
  setGravity(ask, 'c');
  ask.t.q = 75;
  mark(ask, 'q');
  mark(ask, 'f');
  mark(ask, 'small');
  return ask;
}

// Undoes the escapes of the address itself. A '%' that begins none stands for itself.
function doorSource(mount, url) {
  if (url.search(/^(https?:\/\/|\/(?!\/))/) < 0) wrong('url');
  const found = sourceOfUrl(mount, url);
  const plain = unescaped(found);
  return checkSource(plain === null ? found : plain);
}

// "auto" is our own word, not theirs.
function doorSide(ask, option, one) {
  if (lower(one[1]) === 'auto') wrong(one[0]);
  set(ask, option, one[1], one[0]);
}

// As a height, which has no "auto".
function doorQuality(ask, one) {
  const percent = parseOption('h', one[1]);
  if (!percent || percent.value > 100) wrong(one[0]);
  ask.t.q = percent.value;
}

// `dpl` names the deployment that a page comes from, so that caches tell them apart.
function parseNext(mount, path, query) {
  const ask = openDoor(mount, path, false);
  const given = {};
  parameters(query, true).forEach((one) => {
    if (!isAmong('url w q', one[0])) {
      if (one[0] !== 'dpl') ask.unknown.push(one[0]);
      return;
    }
    if (given[one[0]]) wrong(one[0]);
    given[one[0]] = one;
  });
  const url = (given['url'] || [])[1];
  if (!url) wrong('url');
  ask.source = doorSource(mount, url);
  if (!given.w) wrong('w');
  doorSide(ask, 'w', given.w);
  if (given.q) doorQuality(ask, given.q);
  return ask;
}

function parseVercel(mount, path, query) {
  return parseNext(mount, path, query);
}

// ---- Netlify

function netlifyFit(ask, one) {
  if (!isAmong('contain cover fill', one[1])) wrong('fit');
  setFit(ask, wordBehind('contain=inside fill=stretch', one[1]), true);
}

function netlifyFormat(ask, one) {
  if (isAmong('gif blurhash', one[1])) unsupported('fm');
  if (!isAmong('avif webp jpg jpeg png', one[1])) wrong('fm');
  set(ask, 'f', one[1], 'fm');
}

function netlifyPosition(ask, one) {
  if (!isAmong('center top bottom left right', one[1])) wrong('position');
  set(ask, 'g', one[1], 'position');
}

function netlifyOption(ask, one) {
  if (isAmong('w width', one[0])) doorSide(ask, 'w', one);
  else if (isAmong('h height', one[0])) doorSide(ask, 'h', one);
  else if (isAmong('q quality', one[0])) doorQuality(ask, one);
  else if (one[0] === 'fit') netlifyFit(ask, one);
  else if (one[0] === 'position') netlifyPosition(ask, one);
  else if (one[0] === 'fm') netlifyFormat(ask, one);
  else ask.unknown.push(one[0]);
}

function parseNetlify(mount, path, query) {
  const ask = openDoor(mount, path, true);
  let url = '';
  parameters(query, true).forEach((one) => {
    if (one[0] === 'url') url = one[1];
    else netlifyOption(ask, one);
  });
  if (!url) wrong('url');
  // "owl.jpeg" is the site's, as "/owl.jpeg" is.
  if (url[0] !== '/' && url.indexOf('://') < 0) url = '/' + url;
  ask.source = doorSource(mount, url);
  return ask;
}
