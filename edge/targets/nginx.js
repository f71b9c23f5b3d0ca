// SPDX-License-Identifier: Apache-2.0
// nginx's side of the edge function: a request as bytes in, an answer or the canonical path out.

// Bytes above 0x7F become escapes, whatever they are: nothing guesses an encoding.
function bytesOf(buffer) {
  let out = '';
  for (let i = 0; i < buffer.length; ++i) {
    out += buffer[i] < 128 ? String.fromCharCode(buffer[i]) : '%' + (256 + buffer[i]).toString(16)
        .slice(1).toUpperCase();
  }
  return out;
}

// Several lines of one header are one, as everywhere in HTTP.
function headersOf(r) {
  const out = {};
  r.rawHeadersIn.forEach((pair) => {
    const name = pair[0].toLowerCase();
    out[name] = out[name] === undefined ? pair[1] : out[name] + ', ' + pair[1];
  });
  return out;
}

// The path is the whole request; a body is a fault, or meant for another reader of the bytes.
function hasBody(fields) {
  return has(fields, 'transfer-encoding') || (fields['content-length'] || '').search(/[^0]/) >= 0;
}

// {path, redirect, reads: the bits of the headers that it depends on}.
function walked(target, fields) {
  if (target.length > 8192) fail('too-long');
  return walk(target, fields, Math.floor(Date.now() / 1000));
}

// Status -> code, sentence, Cache-Control. What does not come of the target alone is not stored:
// it would be the answer to everybody who asks for that target.
const FAILURES = {
  '400': ['bad-request', 'The request cannot be understood.', 'no-store'],
  '404': ['not-found', 'There is no such picture.', 'public, max-age=30'],
  '405': ['method-not-allowed', 'Only GET and HEAD are served.', 'no-store'],
  '410': ['not-found', 'There is no such picture.', 'public, max-age=30'],
  '414': ['too-long', 'The request target is too long.', 'no-store'],
  '431': ['bad-request', 'The header fields are too large.', 'no-store'],
  '500': ['internal', 'Something went wrong on our side.', 'no-store'],
  '501': ['bad-request', 'The request asks for what is not served.', 'no-store'],
  '502': ['origin-failed', 'This picture could not be had.', 'public, max-age=3'],
  '503': ['busy', 'Too many pictures are being made; try again.', 'no-store'],
  '504': ['timeout', 'This picture took too long.', 'public, max-age=3'],
  '505': ['bad-request', 'Only HTTP/1 is served.', 'no-store']
};

// An answer for what nginx refuses, or could not get.
function failure(status) {
  const words = FAILURES[status] || FAILURES['500'];
  const fields = {
    'content-type': {value: 'application/problem+json'},
    'cache-control': {value: words[2]}
  };
  if (status === 503) fields['retry-after'] = {value: '1'};
  return {
    statusCode: status,
    headers: fields,
    body: JSON.stringify({
      type: 'urn:tintype:error:' + words[0],
      title: words[1],
      status: status,
      code: words[0]
    })
  };
}

function health() {
  return {
    statusCode: 200,
    headers: {
      'content-type': {value: 'application/json'},
      'cache-control': {value: 'no-store'}
    },
    body: '{"status":"ok"}\n'
  };
}

// A redirection's target goes where the body does; as a field nginx would add a second one.
function send(r, out) {
  const place = out.headers.location;
  Object.keys(out.headers).forEach((name) => {
    if (name !== 'location') r.headersOut[name] = out.headers[name].value;
  });
  r.return(out.statusCode, place ? place.value : out.body);
}

// For js_content: answers a request that is wrong, hands the others on under their canonical path.
// nginx comes here with its own failures as well, by error_page.
function answer(r) {
  const status = Number(r.variables.status);
  if (status >= 400) {
    send(r, failure(status));
    return;
  }
  let found = null;
  try {
    if (!isAmong('GET HEAD', r.method)) fail('method-not-allowed');
    const fields = headersOf(r);
    if (hasBody(fields)) {
      send(r, failure(400));
      return;
    }
    const target = bytesOf(r.rawVariables.request_uri);
    if (target === '/_edge/health') {
      send(r, health());
      return;
    }
    found = walked(target, fields);
  } catch (e) {
    if (!e.code) throw e;
    send(r, refusal(e.code, e.option));
    return;
  }
  if (found.redirect) {
    send(r, redirection(found));
    return;
  }
  r.variables.edge_path = found.path;
  r.variables.edge_vary = VARY.filter((names, i) => (found.reads >> i) % 2 === 1).join(', ');
  r.internalRedirect('@variant');
}

export default {answer};
