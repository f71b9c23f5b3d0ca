// SPDX-License-Identifier: Apache-2.0
// The opponent on misses: the least server that resizes with sharp. One picture = one libvips
// thread, nothing cached, as a fair match for one render worker a core.
//   GET /<file>?w=800&f=webp&q=80
import http from 'node:http';
import path from 'node:path';
import { createRequire } from 'node:module';

const [folder, modules] = process.argv.slice(2);
const sharp = createRequire(path.join(modules, 'x.js'))('sharp');
sharp.concurrency(1);
sharp.cache(false);

const encode = {
  jpeg: (picture, quality) => picture.flatten({ background: '#fff' }).jpeg({ quality }),
  webp: (picture, quality) => picture.webp({ quality }),
  avif: (picture, quality) => picture.avif({ quality }),
  png: (picture) => picture.png(),
};

const server = http.createServer(async (request, response) => {
  try {
    const url = new URL(request.url, 'http://x');
    const file = path.join(folder, path.basename(url.pathname));
    const format = url.searchParams.get('f');
    const picture = sharp(file).rotate().resize({ width: Number(url.searchParams.get('w')) });
    const body = await encode[format](picture, Number(url.searchParams.get('q'))).toBuffer();
    response.writeHead(200, { 'Content-Type': `image/${format}`, 'Content-Length': body.length });
    response.end(body);
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
});
server.listen(0, '127.0.0.1', () => {
  console.log(JSON.stringify({ port: server.address().port, versions: sharp.versions }));
});
