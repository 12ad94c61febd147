// Reads HCL as JSON: node hcl2json.mjs FILE... prints {"<file>": {...}}.
import fs from 'node:fs';
import { parse } from '@cdktf/hcl2json';

const out = {};
for (const file of process.argv.slice(2)) {
  out[file] = await parse(file, fs.readFileSync(file, 'utf8'));
}
process.stdout.write(JSON.stringify(out));
