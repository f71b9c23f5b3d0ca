// SPDX-License-Identifier: Apache-2.0
// The edge function as Lambda@Edge calls it, on viewer or origin requests: its events in CloudFront
// Functions' words to handler(), and the answer back. Node.js.

// A header's lines in one text, as CloudFront Functions has it.
function valuesOf(given) {
  const out = {};
  Object.keys(given).forEach((name) => {
    out[name] = {value: given[name].map((line) => line.value).join(', ')};
  });
  return out;
}

function linesFrom(headers) {
  const out = {};
  Object.keys(headers).forEach((name) => {
    out[name] = [{key: name, value: headers[name].value}];
  });
  return out;
}

function handleRecord(event) {
  const viewed = event.Records[0].cf.request;
  const asked = {
    method: viewed.method,
    uri: viewed.uri,
    rawQueryString: () => viewed.querystring,
    headers: valuesOf(viewed.headers)
  };
  const out = handler({request: asked});
  if (out.statusCode) {
    return {
      status: String(out.statusCode),
      statusDescription: require('http').STATUS_CODES[out.statusCode],
      headers: linesFrom(out.headers),
      body: out.body || ''
    };
  }
  viewed.uri = out.uri;
  viewed.querystring = '';
  return viewed;
}

exports.handler = async (event) => handleRecord(event);
