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

// {path, redirect, reads: the bits of the headers that it depends on}.
function walked(r) {
  if (!isAmong('GET HEAD', r.method)) fail('method-not-allowed');
  const target = bytesOf(r.rawVariables.request_uri);
  if (target.length > 8192) fail('too-long');
  return walk(target, headersOf(r), Math.floor(Date.now() / 1000));
}

function send(r, out) {
  Object.keys(out.headers).forEach((name) => {
    r.headersOut[name] = out.headers[name].value;
  });
  r.return(out.statusCode, out.body || '');
}

// For js_content: answers a request that is wrong, hands the others on under their canonical path.
function answer(r) {
  let found = null;
  try {
    found = walked(r);
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
