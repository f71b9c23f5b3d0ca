// SPDX-License-Identifier: Apache-2.0
// What no vector shows: the tools of core.js at their edges, and the handler as CloudFront calls
// it.
//
//   node --test tests/edge/core_test.mjs
import assert from 'node:assert/strict';
import {test} from 'node:test';
import {load, script} from './sources.mjs';

const NAMES = ['handler', 'walk', 'fixed', 'printShare', 'integer', 'decimal', 'lower', 'isAmong',
  'wordBehind', 'hex', 'fromHex', 'base64', 'fromBase64', 'hmac', 'digest', 'isEqual', 'isUtf8',
  'unescaped', 'sourceOfUrl', 'formatOf', 'optionNamed', 'parseOption', 'printOption',
  'breaksAvif'];
const edge = load(script().code, NAMES);

// Arrays and objects of the other context, as ours.
const plain = (it) => it === undefined ? undefined : JSON.parse(JSON.stringify(it));

function site(rules) {
  return {order: ['avif', 'webp'], limits: [8192, 8192], presets: {}, defaults: {}, ...rules};
}

function setUp(rules, mounts = []) {
  edge.CONFIG.sites = {shop: site(rules)};
  edge.CONFIG.mounts = mounts;
}

function ask(request) {
  return plain(edge.handler({request: {method: 'GET', headers: {}, querystring: {}, ...request}}));
}

test('numbers are those of C++', () => {
  const rows = [['1.005', 2, 101], ['.5', 2, 50], ['2.', 2, 200], ['.', 2, null], ['', 2, null],
    ['1.2.3', 2, null], ['999999999', 0, 999999999], ['1000000000', 0, null], ['1e5', 2, null],
    ['0000000000012', 0, 12], ['8\n', 0, null], ['0.99995', 4, 10000]];
  for (const [text, decimals, expected] of rows) assert.equal(edge.fixed(text, decimals), expected);
  assert.equal(edge.integer('9223372036854775807'), 2 ** 63);
  for (const text of ['9223372036854775808', '-9223372036854775809', '+1', '', '-', '1 ', '8\n']) {
    assert.equal(edge.integer(text), null, text);
  }
  assert.equal(edge.integer('-0012'), -12);
  for (const text of ['.', '', '-', '1e3', '1.2.3', '+1', '9'.repeat(400), '8\n']) {
    assert.equal(edge.decimal(text), null, text);
  }
  assert.equal(edge.decimal('-.5'), -0.5);
  const zeros = '0'.repeat(300);
  assert.equal(edge.fixed(zeros + '12.5', 1), 125);
  assert.equal(edge.decimal(`-${zeros}12.5`), -12.5);
  assert.equal(edge.decimal(`0.${'0'.repeat(120)}25`), 25e-122);
  const shares = {0: '0', 5: '0.0005', 539: '0.0539', 3000: '0.3', 10000: '1'};
  for (const part of Object.keys(shares)) assert.equal(edge.printShare(part), shares[part]);
});

test('words are found whole', () => {
  assert.ok(edge.isAmong('a b', 'b') && !edge.isAmong('a b', 'a b') && !edge.isAmong('a b', ''));
  assert.equal(edge.wordBehind('a=b c=', 'a'), 'b');
  assert.equal(edge.wordBehind('a=b c=', 'c'), '');
  assert.equal(edge.wordBehind('a=b', 'a=b'), 'a=b');
  assert.equal(edge.lower('A\xC0z'), 'a\xC0z');
  assert.equal(edge.optionNamed('WIDTH'), 'w');
  for (const name of ['', 'constructor', 'width=w', 'x']) {
    assert.equal(edge.optionNamed(name), undefined);
  }
});

test('bytes come through', () => {
  const all = Array.from({length: 256}, (_, i) => String.fromCharCode(i)).join('');
  assert.equal(edge.fromHex(edge.hex(all)), all);
  assert.equal(edge.fromBase64(edge.base64(all)), all);
  assert.equal(edge.fromBase64('_-8='), edge.fromBase64('/+8'));
  for (const text of ['a', 'ab=c', 'a!', 'aa\n', '/x']) assert.equal(edge.fromBase64(text), null);
  assert.equal(edge.fromHex('abc'), null);
  assert.equal(edge.hex(edge.digest('md5', '')), 'd41d8cd98f00b204e9800998ecf8427e');
  // RFC 4231, test case 2.
  assert.equal(edge.hex(edge.hmac('sha256', 'Jefe', 'what do ya want for nothing?')),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843');
  assert.ok(edge.isEqual('ab', 'ab') && !edge.isEqual('ab', 'abc') && !edge.isEqual('ab', 'aB'));
  assert.ok(edge.isUtf8('\xf0\x90\x80\x80%') && !edge.isUtf8('\xed\xa0\x80'));
  assert.ok(!edge.isUtf8('\xc0\xae') && !edge.isUtf8('\xf4\x90\x80\x80'));
});

test('option values are printed as they are read', () => {
  const rows = [['ar', '32:18', '16-9'], ['crop', '10%,10p,80P,80%', '10p-10p-80p-80p'],
    ['bg', '#F008', 'ff000088'], ['g', 'FP:0.30:.6', 'fp-0.3-0.6'], ['g', 'center', ''],
    ['rot', '-90', '270'], ['up', '', '1'], ['trim', '', '10'], ['dpr', '1.0', ''],
    ['dpr', 'AUTO', 'auto'], ['blur', '0.305', '0.31'], ['small', 'RATIO', ''],
    ['g', 'Top-Left', 'nw'], ['g', 'southe', 'se'], ['g', 'right', 'e'], ['f', 'JPG', 'jpeg']];
  for (const [name, text, printed] of rows) {
    const asked = {[name]: edge.parseOption(name, text).value};
    assert.equal(String(edge.printOption(asked, name)), printed);
  }
  for (const [name, text] of [['w', '8\n'], ['h', 'auto'], ['g', 'fp-'], ['crop', '1,2,3,4,5'],
    ['ar', '0:1'], ['f', 'jpg=jpeg'], ['bg', '##fff'], ['q', '1.0'], ['g', '-e'], ['g', 'n-'],
    ['fit', 'X'], ['fit', 'x'], ['fit', ''], ['flip', 'jpg'], ['rot', 'false'], ['up', '360'],
    ['bg', 'f'], ['bg', 'ff'], ['v', ''], ['v', 'a_b']]) {
    assert.equal(edge.parseOption(name, text), null, name + text);
  }
});

test('a request is given its canonical path', () => {
  setUp({});
  const request = ask({uri: '/shop/a.jpg', querystring: {width: {value: '8'}},
    headers: {accept: {value: 'text/html', multiValue: [{value: 'text/html'},
      {value: 'image/avif'}]}}});
  assert.equal(request.uri, '/shop/a.jpg/_/w-8.avif');
  assert.deepEqual(request.querystring, {});
});

test('the query is taken raw, else put together', () => {
  setUp({});
  const twice = {w: {value: '9', multiValue: [{value: '8'}, {value: '9'}]}};
  assert.equal(ask({uri: '/shop/a.jpg', querystring: twice}).statusCode, 400);
  assert.equal(ask({uri: '/shop/a.jpg', rawQueryString: () => 'w=%38&up'}).uri,
      '/shop/a.jpg/_/up-1_w-8.jpeg');
  assert.equal(ask({uri: '/shop/café.jpg'}).uri, '/shop/caf%C3%A9.jpg/_/full.jpeg');
  assert.equal(ask({uri: '/shop/a\ud800.jpg'}).statusCode, 400);
});

test('failures are problem documents', () => {
  setUp({refuse: true});
  const rows = [[{uri: '/shop/a.jpg', method: 'POST'}, 405, 'method-not-allowed', 'no-store'],
    [{uri: '/shop/' + 'a'.repeat(8187)}, 414, 'too-long', 'no-store'],
    [{uri: '/other/a.jpg'}, 404, 'not-found', 'public, max-age=30'],
    [{uri: '/constructor/a.jpg'}, 404, 'not-found', 'public, max-age=30'],
    [{uri: '/shop/a.jpg', rawQueryString: () => 'w=x'}, 400, 'bad-request', 'public, max-age=60'],
    [{uri: '/shop/a.jpg', rawQueryString: () => 'p=toString'}, 400, 'bad-request',
      'public, max-age=60']];
  for (const [request, status, code, kept] of rows) {
    const answer = ask(request);
    const problem = JSON.parse(answer.body);
    assert.deepEqual([answer.statusCode, answer.headers['cache-control'].value, problem.type,
      problem.status], [status, kept, `urn:tintype:error:${code}`, status]);
  }
  const odd = ask({uri: '/shop/a.jpg', rawQueryString: () => '%C3%A9%22=1'});
  assert.equal(JSON.parse(odd.body).option, '??"');
});

test('where a site redirects, other spellings are sent on', () => {
  setUp({redirect: true});
  const headersOf = (query) => ask({uri: '/shop/a.jpg', rawQueryString: () => query}).headers;
  assert.deepEqual(headersOf('f=webp'), {location: {value: '/shop/a.jpg/_/full.webp'},
    'cache-control': {value: 'public, max-age=300'}});
  assert.deepEqual(headersOf('f=webp&dpr=auto&q=auto'), {
    location: {value: '/shop/a.jpg/_/full.webp'},
    'cache-control': {value: 'private, max-age=60'},
    vary: {value: 'Sec-CH-DPR, DPR, Save-Data, ECT, Downlink, RTT'}});
  assert.equal(ask({uri: '/shop/a.jpg/_/full.webp'}).uri, '/shop/a.jpg/_/full.webp');
});

test('what the screen says never makes a request fail', () => {
  setUp({limits: [1000, 1000]});
  const fields = {'sec-ch-dpr': '3', 'sec-ch-width': '5000'};
  assert.equal(edge.walk('/shop/a.jpg?w=900&dpr=auto', fields, 0).path,
      '/shop/a.jpg/_/w-900.jpeg');
  assert.equal(edge.walk('/shop/a.jpg?w=auto', fields, 0).path, '/shop/a.jpg/_/w-960.jpeg');
  assert.throws(() => edge.walk('/shop/a.jpg?w=900&dpr=2', fields, 0), {option: 'w'});
});

test('an Accept field may be as long as a request', () => {
  setUp({});
  const often = 'image/avif;q=0.1,'.repeat(900);
  const pathOf = (accept) => edge.walk('/shop/a.jpg', {accept}, 0).path;
  assert.equal(pathOf(often + 'image/webp'), '/shop/a.jpg/_/full.webp');
  assert.equal(pathOf(often + 'image/avif;x=image/avif;q=0'), '/shop/a.jpg/_/full.jpeg');
  assert.equal(pathOf('image/avif, a;b="' + 'x'.repeat(9000)), '/shop/a.jpg/_/full.avif');
});

test('a mount beside the site it is of', () => {
  const mount = {path: '/shop', dialect: 'native', site: 'shop', keys: [], sources: []};
  setUp({}, [{...mount, path: '/shop/deep'}, mount]);
  assert.equal(edge.walk('/shop/p/a.jpg?w=8', {}, 0).path, '/shop/p/a.jpg/_/w-8.jpeg');
  assert.equal(edge.walk('/shop/p/a.jpg/_/w-8.jpeg', {}, 0).path, '/shop/p/a.jpg/_/w-8.jpeg');
  assert.equal(edge.walk('/shop/deep/a.jpg', {}, 0).path, '/shop/a.jpg/_/full.jpeg');
});

test('canonical options are left to the service', () => {
  setUp({allowed: undefined});
  assert.deepEqual(plain(edge.walk('/sh%6Fp/a%2b.jpg/_/W-8_x.gif?w=9', {}, 0)),
      {path: '/shop/a%2B.jpg/_/W-8_x.gif'});
  assert.throws(() => edge.walk('/other/a.jpg/_/w-8.webp', {}, 0), {code: 'not-found'});
  setUp({allowed: ['w']});
  assert.throws(() => edge.walk('/shop/a.jpg/_/w-8.webp', {}, 0), {code: 'forbidden'});
});

test('what the function cannot read is passed on whole', () => {
  const mount = {path: '/is/image', dialect: 'scene8', site: 'shop', keys: [['ab']]};
  setUp({}, [mount]);
  const fields = {accept: 'image/webp', dpr: '1.4', width: '700', 'save-data': 'on'};
  const pathOf = (target) => edge.walk(target, fields, 0).path;
  assert.equal(pathOf('/is/image/a?wid=8'), '/_/ask/webp,,,/%2Fis%2Fimage%2Fa%3Fwid%3D8');
  assert.equal(pathOf('/is/image/a_~b?w=%61UTO'),
      '/_/ask/webp,150,800,1/%2Fis%2Fimage%2Fa_~b%3Fw%3D%2561UTO');
  for (const words of ['dpr=on', 'DPR%3Don', 'optimize=low', 'w64=YXV0bw']) {
    assert.match(pathOf('/is/image/a?' + words), /ask\/webp,150,800,1\//, words);
  }
  assert.throws(() => pathOf('/is/image/a?wid=' + '='.repeat(3000)), {code: 'too-long'});
  setUp({auto: true, order: []}, [mount]);
  assert.equal(pathOf('/is/image/a%zz'), '/_/ask/,150,800,1/%2Fis%2Fimage%2Fa%25zz');
  assert.equal(edge.walk('/is/image/a', {}, 0).path, '/_/ask/,,,/%2Fis%2Fimage%2Fa');
});
