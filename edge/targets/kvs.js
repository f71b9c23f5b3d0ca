// SPDX-License-Identifier: Apache-2.0
// For a function whose policies are in a CloudFront KeyValueStore: reads the site's, then answers.
// Nothing is kept between requests, so that a changed policy is in force at once. `cf` is imported
// by the builder.

// The site that walk() will ask for.
function siteNamed(route) {
  const mount = mountFor(route);
  return mount ? mount.site : unescaped(route.slice(1, (route + '/').indexOf('/', 1)));
}

// A value holds 1,024 bytes: the first says how many there are.
async function readPolicy(name) {
  const store = cf.kvs();
  const isThere = await store.exists(name);
  if (!isThere) return;
  const first = await store.get(name);
  const space = first.indexOf(' ');
  let text = first.slice(space + 1);
  for (let i = 1; i < first.slice(0, space); ++i) {
    const more = await store.get(name + '/' + i);
    text += more;
  }
  CONFIG.sites[name] = JSON.parse(text);
}

async function handler(event) {
  const name = siteNamed(event.request.uri);
  CONFIG.sites = {};
  // What cannot be a site's name is not looked for.
  if (name && /^[A-Za-z0-9\-._~]{1,64}(?![\s\S])/.test(name)) await readPolicy(name);
  return handleNow(event);
}
