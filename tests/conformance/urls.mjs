// SPDX-License-Identifier: Apache-2.0
// Prints what test_clients.py asks, a JSON object a line. The URLs are those that the vendors' own
// builders (package.json) make, with the host taken off and the mount's path (mounts.json) put
// before; the expected answers are those of the vendors' documentation, not of Tintype's.
//
//   {client, target, accept, width, height, type}   a picture
//   {client, target, status, code}                  a refusal
//
// Sources: dress.jpg is 1200x1600, cat.png 451x300, juice.png 2160x2160 with alpha.
import {createHash, createHmac} from 'node:crypto';
import {readFileSync} from 'node:fs';

import {Cloudinary} from '@cloudinary/url-gen';
import * as delivery from '@cloudinary/url-gen/actions/delivery';
import {sepia} from '@cloudinary/url-gen/actions/effect';
import {name} from '@cloudinary/url-gen/actions/namedTransformation';
import {source} from '@cloudinary/url-gen/actions/overlay';
import * as resize from '@cloudinary/url-gen/actions/resize';
import {byAngle} from '@cloudinary/url-gen/actions/rotate';
import {max} from '@cloudinary/url-gen/actions/roundCorners';
import {color} from '@cloudinary/url-gen/qualifiers/background';
import {face} from '@cloudinary/url-gen/qualifiers/focusOn';
import {autoGravity, compass, focusOn} from '@cloudinary/url-gen/qualifiers/gravity';
import {image} from '@cloudinary/url-gen/qualifiers/source';
import ImgixClient from '@imgix/js-core';
import {generateUrl} from '@imgproxy/imgproxy-js-core';
import Thumbor from 'thumbor';
import {transformUrl} from 'unpic';

const JPEG = 'image/jpeg', PNG = 'image/png', WEBP = 'image/webp', AVIF = 'image/avif';
const BROWSER = 'image/webp,image/*,*/*;q=0.8';  // takes WebP where the format is left open
const CHROME = 'image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8';
const CDN = 'https://cdn.shop.example/';

const mounts = JSON.parse(readFileSync(new URL('mounts.json', import.meta.url)));
const keyOf = (path) => mounts.find((mount) => mount.path === path).keys[0];
const withoutHost = (url) => url.replace(/^https:\/\/[^/]+/, '');

const print = (row) => console.log(JSON.stringify(row));
const picture = (client, target, [width, height], type, accept = BROWSER) =>
  print({client, target, accept, width, height, type});
const unsupported = (client, target) =>
  print({client, target, status: 400, code: 'unsupported-option'});
const forbidden = (client, target) => print({client, target, status: 403, code: 'forbidden'});
// The same URL with another width: what a signature is there to forbid.
function forged(client, target) {
  const changed = target.replace('400', '401');
  if (changed === target) throw new Error(`${target}: nothing to forge`);
  forbidden(client, changed);
}

// ---- @imgix/js-core

function imgix() {
  const client = new ImgixClient({domain: 'shop.imgix.net', secureURLToken: keyOf('/imgix')});
  const url = (path, params) => '/imgix' + withoutHost(client.buildURL(path, params));
  const pictures = [
    ['dress.jpg', {w: 300}, [300, 400], JPEG],
    ['dress.jpg', {w: 400, h: 300, fit: 'crop', crop: 'top,left', auto: 'format,compress'},
      [400, 300], WEBP],
    ['dress.jpg', {w: 120, auto: 'format'}, [120, 160], AVIF, CHROME],
    ['dress.jpg', {w: 120, auto: 'format'}, [120, 160], JPEG, '*/*'],
    ['dress.jpg', {w: 120, fm: 'avif', q: 40}, [120, 160], AVIF],
    ['dress.jpg', {w: 300, h: 300, fit: 'max'}, [225, 300], JPEG],
    ['cat.png', {w: 902}, [902, 600], PNG],  // clip, the default, enlarges
    ['cat.png', {w: 902, fit: 'max'}, [451, 300], PNG],
    ['cat.png', {w: 800, h: 600, fit: 'min'}, [400, 300], PNG],
    ['cat.png', {w: 600, h: 600, fit: 'fillmax', bg: 'f0f4f8'}, [600, 600], PNG],
    ['juice.png', {w: 500, h: 400, fit: 'fill', fill: 'solid', bg: 'fff', fm: 'jpg'},
      [500, 400], JPEG],
    ['dress.jpg', {w: 300, h: 300, fit: 'scale'}, [300, 300], JPEG],
    ['dress.jpg', {w: 300, ar: '3:2', fit: 'crop', dpr: 2}, [600, 400], JPEG],
    ['dress.jpg', {rect: '100,200,300,400', w: 150}, [150, 200], JPEG],
    ['dress.jpg', {w: 200, h: 200, fit: 'crop', crop: 'focalpoint', 'fp-x': 0.25, 'fp-y': 0.75},
      [200, 200], JPEG],
    ['dress.jpg', {w64: '300'}, [300, 400], JPEG],
    [`${CDN}dress.jpg`, {w: 300, fm: 'webp'}, [300, 400], WEBP],
  ];
  for (const [path, params, ...answer] of pictures) {
    picture('imgix', url(path, params), ...answer);
  }
  // The fluid srcset says each width ("… 116w"), the fixed one each density ("… 2x"). Up to 700:
  // wider ones, to 8192 by default, are no other test and take longer.
  const srcset = (...args) => client.buildSrcSet(...args).split(',\n').map((entry) => {
    const [address, descriptor] = entry.split(' ');
    return ['/imgix' + withoutHost(address), parseInt(descriptor)];
  });
  for (const [target, width] of srcset('dress.jpg', {auto: 'format'}, {maxWidth: 700})) {
    picture('imgix srcset', target, [width, Math.round(width * 4 / 3)], WEBP);
  }
  for (const [target, times] of srcset('dress.jpg', {w: 90, h: 60, fit: 'crop'})) {
    picture('imgix srcset', target, [90 * times, 60 * times], JPEG);
  }
  unsupported('imgix', url('dress.jpg', {w: 400, mark: '/logo.png', 'mark-align': 'top,right'}));
  unsupported('imgix', url('dress.jpg', {w: 400, h: 400, fit: 'facearea', facepad: 2}));
  unsupported('imgix', url('dress.jpg', {w: 400, sat: -100}));
  unsupported('imgix', url('dress.jpg', {w: 400, fm: 'gif'}));
  forged('imgix', url('dress.jpg', {w: 400}));
  forbidden('imgix', '/imgix/dress.jpg?w=400');
  forbidden('imgix', url('https://evil.example/dress.jpg', {w: 400}));
}

// ---- @cloudinary/url-gen: it writes signatures and leaves computing them to the server's SDKs

function signed(asset, {algorithm = 'sha1', length = 8} = {}) {
  const text = [asset.transformation?.toString(), asset.publicID].filter(Boolean).join('/');
  const digest = createHash(algorithm).update(text + keyOf('/signed')).digest('base64url');
  return withoutHost(asset.setSignature(digest.slice(0, length)).toURL());
}

function cloudinary() {
  const cloud = new Cloudinary({cloud: {cloudName: 'signed'}});
  const of = (id) => cloud.image(id);
  const pictures = [
    [of('dress.jpg'), [1200, 1600], JPEG],
    [of('dress.jpg').resize(resize.fill(400, 300).gravity(autoGravity()))
      .delivery(delivery.format('auto')).delivery(delivery.quality('auto')), [400, 300], WEBP],
    [of('dress.jpg').resize(resize.scale().width(120)).delivery(delivery.format('auto')),
      [120, 160], AVIF, CHROME],
    [of('dress.jpg').resize(resize.scale(120)).delivery(delivery.format('avif')), [120, 160], AVIF],
    [of('dress.jpg').resize(resize.scale(300, 300)), [300, 300], JPEG],
    [of('dress.jpg').resize(resize.fit(300, 300)), [225, 300], JPEG],
    [of('cat.png').resize(resize.fit(902, 902)), [902, 600], PNG],
    [of('cat.png').resize(resize.limitFit(902, 902)), [451, 300], PNG],
    [of('cat.png').resize(resize.limitFill(800, 600)), [451, 300], PNG],
    [of('cat.png').resize(resize.limitPad(600, 600)), [600, 600], PNG],
    [of('juice.png').resize(resize.pad(500, 400).background(color('white')))
      .delivery(delivery.format('jpg')), [500, 400], JPEG],
    [of('dress.jpg').resize(resize.crop(300, 400).x(100).y(200)), [300, 400], JPEG],
    [of('dress.jpg').resize(resize.crop(300, 400).gravity(compass('south_east'))),
      [300, 400], JPEG],
    [of('dress.jpg').resize(resize.thumbnail(150, 150).gravity(focusOn(face()))), [150, 150], JPEG],
    [of('dress.jpg').resize(resize.fill(320).aspectRatio('16:9')), [320, 180], JPEG],
    [of('dress.jpg').resize(resize.fill(200, 150)).delivery(delivery.dpr('2.0')), [400, 300], JPEG],
    [of('dress.jpg').resize(resize.scale(300)).rotate(byAngle(90)), [400, 300], JPEG],
    [of('dress.jpg').namedTransformation(name('pdp')), [400, 400], JPEG],
    [of('dress.jpg').resize(resize.scale(300)).setVersion(1700000000), [300, 400], JPEG],
    [of(`${CDN}dress.jpg`).setDeliveryType('fetch').resize(resize.scale(300)), [300, 400], JPEG],
  ];
  for (const [asset, ...answer] of pictures) picture('cloudinary', signed(asset), ...answer);
  const scaled = () => of('dress.jpg').resize(resize.scale(400));
  const long = {algorithm: 'sha256', length: 32};
  picture('cloudinary', signed(of('dress.jpg').resize(resize.scale(300)), long), [300, 400], JPEG);
  for (const url of [{shorten: true}, {useRootPath: true}]) {
    const asset = new Cloudinary({cloud: {cloudName: 'demo'}, url}).image('dress.jpg');
    picture('cloudinary', withoutHost(asset.resize(resize.scale(300)).toURL()), [300, 400], JPEG);
  }
  unsupported('cloudinary', signed(scaled().resize(resize.fill(200, 200))));
  unsupported('cloudinary', signed(scaled().overlay(source(image('logo')))));
  unsupported('cloudinary', signed(scaled().roundCorners(max())));
  unsupported('cloudinary', signed(scaled().effect(sepia())));
  forged('cloudinary', signed(scaled()));
  forged('cloudinary', signed(scaled(), long));
  forbidden('cloudinary', withoutHost(scaled().toURL()));
}

// ---- @imgproxy/imgproxy-js-core: it neither signs nor escapes

function imgproxy() {
  const {key, salt} = keyOf('/imgproxy');
  const sign = (path) => createHmac('sha256', Buffer.from(key, 'hex'))
    .update(Buffer.from(salt, 'hex')).update(path).digest('base64url');
  const url = (value, options, type = 'plain') => {
    const path = generateUrl({value, type}, options);
    return `/imgproxy/${sign(path)}${path}`;
  };
  const box = (type, width, height, more) =>
    ({resize: {resizing_type: type, width, height, ...more}});
  const pictures = [
    ['local:///dress.jpg', {width: 300}, [300, 400], JPEG],
    ['local:///dress.jpg', box('fit', 300, 300), [225, 300], JPEG],
    ['local:///dress.jpg', {...box('fill', 400, 300), gravity: {type: 'fp', x: 0.3, y: 0.6}},
      [400, 300], JPEG],
    ['local:///dress.jpg', {...box('fill', 400, 300), gravity: {type: 'sm'}}, [400, 300], JPEG],
    ['local:///dress.jpg', box('force', 300, 300), [300, 300], JPEG],
    ['local:///cat.png', {width: 902}, [451, 300], PNG],
    ['local:///cat.png', {width: 902, enlarge: 't'}, [902, 600], PNG],
    ['local:///cat.png', box('fill', 800, 600), [451, 300], PNG],
    ['local:///cat.png', box('fill', 300, 600), [300, 300], PNG],
    ['local:///cat.png', box('fill-down', 800, 600), [400, 300], PNG],
    ['local:///cat.png', {...box('fit', 600, 600), extend: {extend: 1}}, [600, 600], PNG],
    ['local:///juice.png', {...box('fit', 300, 300), background: 'ffffff', format: 'jpg'},
      [300, 300], JPEG],
    ['local:///dress.jpg', {width: 200, dpr: 2, quality: 60}, [400, 533], JPEG],
    ['local:///dress.jpg', {crop: {width: 300, height: 400, gravity: {type: 'nowe'}}, width: 150},
      [150, 200], JPEG],
    ['local:///dress.jpg', {width: 300, rotate: 90}, [300, 225], JPEG],
    ['local:///dress.jpg', {preset: ['pdp']}, [400, 400], JPEG],
    ['local:///dress.jpg@webp', {width: 300}, [300, 400], WEBP],
    ['local:///dress.jpg', {width: 120, format: 'avif'}, [120, 160], AVIF],
    [`${CDN}dress.jpg`, {width: 300, cachebuster: 'v7'}, [300, 400], JPEG],
  ];
  for (const [value, options, ...answer] of pictures) {
    picture('imgproxy', url(value, options), ...answer);
  }
  const encoded = Buffer.from(`${CDN}dress.jpg`).toString('base64url');
  picture('imgproxy', url(encoded, {width: 300}, 'base64'), [300, 400], JPEG);
  picture('imgproxy', url(`${encoded}.webp`, {width: 300}, 'base64'), [300, 400], WEBP);
  const dress = (options) => url('local:///dress.jpg', {width: 400, ...options});
  unsupported('imgproxy', dress({watermark: {opacity: 0.5, position: 'soea'}}));
  unsupported('imgproxy', dress({pixelate: 8}));
  unsupported('imgproxy', dress({padding: 10}));
  forged('imgproxy', dress({}));
  forbidden('imgproxy', '/imgproxy/unsafe/w:400/plain/local:///dress.jpg');
  forbidden('imgproxy', url('https://evil.example/dress.jpg', {width: 400}));
}

// ---- thumbor

function thumbor() {
  const of = (path) => new Thumbor(keyOf('/thumbor'), '/thumbor').setImagePath(path);
  const pictures = [
    [of('dress.jpg').resize(300, 0), [300, 400], JPEG],
    [of('dress.jpg').resize(400, 300).smartCrop(true), [400, 300], JPEG],
    [of('dress.jpg').resize(400, 300).halign('left').valign('top').flipHorizontally(),
      [400, 300], JPEG],
    [of('cat.png').resize(902, 600), [902, 600], PNG],
    [of('cat.png').resize(902, 600).filter('no_upscale()'), [451, 300], PNG],
    [of('dress.jpg').fitIn(300, 300), [225, 300], JPEG],
    [of('cat.png').fitIn(902, 902), [451, 300], PNG],
    [of('cat.png').fitIn(902, 902).filter('upscale()'), [902, 600], PNG],
    [of('dress.jpg').fitIn(400, 400).filter('fill(white)'), [400, 400], JPEG],
    [of('dress.jpg').crop(100, 200, 400, 600).resize(150, 0), [150, 200], JPEG],
    [of('dress.jpg').resize(300, 0).filter('format(webp)').filter('quality(80)'), [300, 400], WEBP],
  ];
  for (const [builder, ...answer] of pictures) picture('thumbor', builder.buildUrl(), ...answer);
  const dress = () => of('dress.jpg').resize(400, 300);
  unsupported('thumbor', dress().filter('watermark(logo.png,10,10,50)').buildUrl());
  unsupported('thumbor', dress().filter('round_corner(20,255,255,255)').buildUrl());
  unsupported('thumbor', dress().metaDataOnly(true).buildUrl());
  forged('thumbor', dress().buildUrl());
  forbidden('thumbor', '/thumbor/unsafe/400x300/dress.jpg');
}

// ---- unpic, which speaks for the image components of most frameworks

// at: the mount, where the provider does not write its path. from: where the sources seem to be.
// type: of an answer without a format; null is the source's. small: 451x300 asked for as 800x600.
// refused: an operation of the provider's language that Tintype has not.
const PROVIDERS = {
  imgix: {at: '/imgix-open', from: 'https://shop.imgix.net/', type: WEBP, small: [400, 300],
    refused: {mark: '/logo.png'}},
  cloudinary: {from: 'https://res.cloudinary.com/demo/image/upload/', type: WEBP,
    small: [451, 300], refused: {r: 'max'}},
  scene7: {from: 'https://s7d1.scene7.com/is/image/acme/', type: JPEG, small: [800, 600],
    refused: {layer: 1, src: 'logo'}},
  cloudflare: {from: '/', type: WEBP, small: [800, 600], refused: {border: 5}},
  ipx: {from: '/', type: WEBP, small: [400, 300], refused: {grayscale: true}},
  bunny: {at: '/bunny', from: 'https://shop.b-cdn.net/', type: WEBP, small: [400, 300],
    refused: {brightness: 20}},
  netlify: {from: '/', type: WEBP, small: [800, 600], refused: {fm: 'blurhash'}},
  vercel: {from: '/', type: WEBP, small: [451, 300], isWidthOnly: true},
  nextjs: {from: '/', type: WEBP, small: [451, 300], isWidthOnly: true},
  wsrv: {at: '/wsrv', from: CDN, type: null, small: [800, 600], refused: {mask: 'circle'}},
};

function unpic() {
  for (const [provider, traits] of Object.entries(PROVIDERS)) {
    const {at = '', from, type, small, isWidthOnly, refused} = traits;
    const client = `unpic ${provider}`;
    const url = (path, asked, operations = {}) => {
      const made = transformUrl({url: path, provider, ...asked}, {[provider]: operations});
      return at + withoutHost(made);
    };
    const box = {width: 400, height: 300};
    const boxed = isWidthOnly ? [400, 533] : [400, 300];
    picture(client, url(`${from}dress.jpg`, {width: 300}), [300, 400], type ?? JPEG);
    picture(client, url(`${from}dress.jpg`, box), boxed, type ?? JPEG);
    const named = {...box, format: 'webp', quality: 60};
    picture(client, url(`${from}dress.jpg`, named), boxed, WEBP);
    picture(client, url(`${from}cat.png`, {width: 800, height: 600}), small, type ?? PNG);
    if (from === '/') {
      picture(client, url(`${CDN}dress.jpg`, {width: 300}), [300, 400], type);
      forbidden(client, url('https://evil.example/dress.jpg', {width: 300}));
    }
    if (refused) unsupported(client, url(`${from}dress.jpg`, {width: 300}, refused));
  }
}

// ---- By hand, as the vendors' pages say: there is no builder on npm

function dit() {
  const sign = (path) => createHmac('sha256', keyOf('/dit')).update(path).digest('hex');
  const encode = (request) => '/' + Buffer.from(JSON.stringify(request)).toString('base64');
  const url = (key, edits, more) => {
    const path = encode({bucket: 'shop', key, edits, ...more});
    return `/dit${path}?signature=${sign(path)}`;
  };
  const pictures = [
    ['dress.jpg', {resize: {width: 300}}, [300, 400], JPEG],
    ['dress.jpg', {resize: {width: 400, height: 300, fit: 'cover'}}, [400, 300], JPEG],
    ['dress.jpg', {resize: {width: 300, height: 300, fit: 'inside'}, toFormat: 'webp'},
      [225, 300], WEBP],
    ['cat.png', {resize: {width: 902, height: 600}}, [902, 600], PNG],
  ];
  for (const [key, edits, ...answer] of pictures) picture('dit', url(key, edits), ...answer);
  const query = '/dress.jpg?format=webp&height=300&width=400';
  picture('dit', `/dit${query}&signature=${sign(query)}`, [400, 300], WEBP);
  unsupported('dit', url('dress.jpg', {grayscale: true}));
  forged('dit', `/dit${query}&signature=${sign(query)}`);
}

function fastly() {
  const url = (path, query) => `/fastly/${path}?${new URLSearchParams(query)}`;
  const pictures = [
    ['dress.jpg', {width: 300}, [300, 400], JPEG],
    ['dress.jpg', {width: 400, height: 300, fit: 'crop'}, [400, 300], JPEG],
    ['dress.jpg', {width: 300, height: 300, fit: 'bounds'}, [225, 300], JPEG],
    ['dress.jpg', {width: 300, height: 300, fit: 'cover'}, [300, 400], JPEG],
    ['dress.jpg', {width: 300, crop: '1:1', auto: 'webp', quality: 70}, [300, 300], WEBP],
    ['dress.jpg', {width: 150, dpr: 2, format: 'pjpg'}, [300, 400], JPEG],
    ['cat.png', {width: 902}, [451, 300], PNG],
    ['cat.png', {width: 902, enable: 'upscale'}, [902, 600], PNG],
  ];
  for (const [path, query, ...answer] of pictures) picture('fastly', url(path, query), ...answer);
  unsupported('fastly', url('dress.jpg', {width: 300, brightness: 20}));
}

for (const client of [imgix, cloudinary, imgproxy, thumbor, unpic, dit, fastly]) client();
