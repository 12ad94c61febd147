// Which exceptions from policies end soon or have ended: node exceptions.mjs YYYY-MM-DD FILE...
// Exit 1 when one has ended; the nightly workflow runs it.
import fs from 'node:fs';
import yaml from 'js-yaml';

const warningDays = 30;
const day = 24 * 60 * 60 * 1000;
const [today, ...files] = process.argv.slice(2);
const findings = [];
for (const file of files) {
  for (const e of yaml.loadAll(fs.readFileSync(file, 'utf8')).filter(d => d?.kind === 'PolicyException')) {
    const end = e.metadata.labels?.['cleanup.kyverno.io/ttl'];
    const left = Math.floor((Date.parse(end) - Date.parse(today)) / day);
    if (!(left > warningDays)) {
      findings.push({ name: e.metadata.name, end, ended: !(left > 0) });
    }
  }
}
process.stdout.write(JSON.stringify({ findings }));
process.exitCode = findings.some(f => f.ended) ? 1 : 0;
