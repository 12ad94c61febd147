// Formats, validates and tests Terraform roots offline: node terraform.mjs WORK_FOLDER ROOT... [--over FOLDER]
// Works on a copy, so that nothing is left in the checkout; files of --over replace the copy's. AWS's provider comes from a mirror where there is one
// (LP_TF_PLUGINS, or where Terraform and images keep them), else from the network; Cloudflare's, Aiven's and Vault's are
// stood in for by their schemas (terraform/provider.mjs) unless LP_TF_REAL=1.
// Prints {"terraform": version, "roots": {name: {"findings": [...], "passed": n, "failed": n}}}.
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const repository = path.resolve(here, '../..');
const registry = 'registry.terraform.io';
const stubs = { 'cloudflare/cloudflare': '5.14.0', 'aiven/aiven': '4.44.0', 'hashicorp/vault': '5.6.0' };
const real = process.env.LP_TF_REAL === '1';
const [work, ...roots] = process.argv.slice(2);
const over = roots.includes('--over') ? roots.splice(roots.indexOf('--over'))[1] : undefined;

function version() {
  try {
    const clean = { ...process.env, TF_CLI_CONFIG_FILE: os.devNull };
    return JSON.parse(execFileSync('terraform', ['version', '-json'], { env: clean, stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch (error) {
    throw new Error(`terraform is not installed (${error.code ?? error.message}); it needs 1.11 or later`);
  }
}

function mirrorOf(source) {
  const inOpt = fs.existsSync('/opt') ? fs.readdirSync('/opt').map(name => path.join('/opt', name)) : [];
  const places = [process.env.LP_TF_PLUGINS, path.join(os.homedir(), '.terraform.d/plugins'),
    '/usr/local/share/terraform/plugins', '/usr/share/terraform/plugins', ...inOpt];
  return places.filter(Boolean).find(place => fs.existsSync(path.join(place, registry, source)));
}

function prepare(platform) {
  const mirror = path.join(work, 'mirror');
  fs.rmSync(work, { recursive: true, force: true });
  for (const [source, number] of real ? [] : Object.entries(stubs)) {
    const folder = path.join(mirror, registry, source, number, platform);
    const name = source.split('/')[1];
    const schema = path.join(here, 'terraform/schemas', `${name}.json`);
    fs.mkdirSync(folder, { recursive: true });
    fs.writeFileSync(path.join(folder, `terraform-provider-${name}_v${number}`),
      `#!/bin/sh\nexec "${process.execPath}" "${path.join(here, 'terraform/provider.mjs')}" "${schema}"\n`, { mode: 0o755 });
  }
  const aws = mirrorOf('hashicorp/aws');
  const mirrors = [[mirror, real ? [] : Object.keys(stubs)], ...(aws ? [[aws, ['hashicorp/aws']]] : [])]
    .filter(([, sources]) => sources.length > 0);
  const list = sources => sources.map(source => `"${source}"`).join(', ');
  fs.mkdirSync(mirror, { recursive: true });
  const blocks = mirrors.map(([place, sources]) =>
    `  filesystem_mirror {\n    path    = "${place}"\n    include = [${list(sources)}]\n  }\n`);
  fs.writeFileSync(path.join(work, 'terraformrc'), `disable_checkpoint = true\nprovider_installation {\n${blocks.join('')}`
    + `  direct {\n    exclude = [${list(mirrors.flatMap(([, sources]) => sources))}]\n  }\n}\n`);
  for (const folder of ['platform/terraform', 'components']) {
    fs.cpSync(path.join(repository, folder), path.join(work, folder), { recursive: true });
  }
  if (over) {
    fs.cpSync(over, path.join(work, 'platform/terraform'), { recursive: true });
  }
}

const env = { ...process.env, TF_CLI_CONFIG_FILE: path.join(work, 'terraformrc'), TF_IN_AUTOMATION: '1', AWS_EC2_METADATA_DISABLED: 'true' };
delete env.TF_LOG;

function terraform(root, ...args) {
  const run = spawnSync('terraform', [`-chdir=${path.join(work, 'platform/terraform', root)}`, ...args],
    { env, encoding: 'utf8', maxBuffer: 1 << 28 });
  return { code: run.status, lines: run.stdout.split('\n').filter(Boolean), error: run.stderr };
}

function check(root) {
  const findings = [];
  const formatted = terraform(root, 'fmt', '-check', '-recursive', '-list=true');
  formatted.lines.forEach(file => findings.push(`${file}: terraform fmt would change it`));
  const init = terraform(root, 'init', '-backend=false', '-input=false', '-no-color');
  if (init.code !== 0) {
    return { findings: [...findings, `init: ${init.error}`], passed: 0, failed: 0 };
  }
  // It validates before it runs, so the provider, which takes seconds to say what it knows, is started once and not twice.
  const events = terraform(root, 'test', '-json').lines.map(line => JSON.parse(line));
  const summary = events.find(e => e.type === 'test_summary')?.test_summary;
  // What may never be destroyed cannot be cleared away after a test either; it was never there.
  const kept = 'Instance cannot be destroyed';
  events.filter(e => e.diagnostic && e.diagnostic.summary !== kept).forEach(({ diagnostic: d }) =>
    findings.push(`${d.range?.filename}:${d.range?.start.line} ${d.summary}: ${d.detail}`));
  if (!summary) {
    findings.push('terraform test printed no summary');
  }
  return { findings, passed: summary?.passed ?? 0, failed: (summary?.failed ?? 0) + (summary?.errored ?? 0) + (summary?.skipped ?? 0) };
}

const { terraform_version: number, platform } = version();
prepare(platform);
const checked = Object.fromEntries(roots.map(root => [root, check(root)]));
process.stdout.write(JSON.stringify({ terraform: number, roots: checked }));
