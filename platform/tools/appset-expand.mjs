// Expands ApplicationSets as Argo CD would, out of this checkout: node appset-expand.mjs HELM CLUSTERS_FOLDER FILE...
// Knows the generators clusters, list, git (files and directories) and matrix of two; Helm, which has the same template
// language, renders. Prints {"applications": [...], "findings": [...]}.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import yaml from 'js-yaml';

const repository = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const [helm, clusterFolder, ...files] = process.argv.slice(2);
const findings = [];

// Argo CD reads clusters from secrets; ours are made of these, and say the same in their template.
const clusters = fs.readdirSync(clusterFolder).sort().map(f => yaml.load(fs.readFileSync(path.join(clusterFolder, f), 'utf8')).spec.target.template)
  .filter(t => t.metadata.labels['argocd.argoproj.io/secret-type'] === 'cluster')
  .map(t => ({ name: t.data.name, nameNormalized: t.data.name, metadata: t.metadata }));

function selects(selector, labels) {
  return Object.entries(selector?.matchLabels ?? {}).every(([k, v]) => labels[k] === v)
    && (selector?.matchExpressions ?? []).every(({ key, operator, values }) => ({
      Exists: key in labels, DoesNotExist: !(key in labels), In: values?.includes(labels[key]), NotIn: !values?.includes(labels[key]),
    })[operator]);
}

function wildcard(pattern, wanted) {
  const folder = path.join(repository, path.dirname(pattern));
  const name = new RegExp(`^${path.basename(pattern).replace(/[.]/g, '\\.').replace(/\*/g, '[^/]*')}$`);
  return fs.existsSync(folder) ? fs.readdirSync(folder, { withFileTypes: true })
    .filter(e => name.test(e.name) && (wanted === 'file' ? e.isFile() : e.isDirectory()))
    .map(e => path.join(path.dirname(pattern), e.name)).sort() : [];
}

function place(of, extra) {
  return { path: of, basename: path.basename(of), basenameNormalized: path.basename(of).replaceAll('_', '-'), segments: of.split('/'), ...extra };
}

function generate(generator) {
  if (generator.clusters) {
    return clusters.filter(c => selects(generator.clusters.selector, c.metadata.labels));
  }
  if (generator.list) {
    return generator.list.elements;
  }
  if (generator.git?.files) {
    return generator.git.files.flatMap(f => wildcard(f.path, 'file')).map(f => ({
      ...yaml.load(fs.readFileSync(path.join(repository, f), 'utf8')), path: place(path.dirname(f), { filename: path.basename(f) }),
    }));
  }
  if (generator.git?.directories) {
    const excluded = new Set(generator.git.directories.filter(d => d.exclude).flatMap(d => [d.path, ...wildcard(d.path, 'folder')]));
    return generator.git.directories.filter(d => !d.exclude).flatMap(d => wildcard(d.path, 'folder'))
      .filter(d => !excluded.has(d)).map(d => ({ path: place(d) }));
  }
  if (generator.matrix?.generators.length === 2) {
    const [first, second] = generator.matrix.generators;
    return generate(first).flatMap(a => generate(second).map(b => ({ ...a, ...b })));
  }
  throw new Error(`unknown generator ${JSON.stringify(Object.keys(generator))}`);
}

// missingkey=error: a key that no generator gives stops Argo CD; Helm would render nothing.
function missing(text, parameters) {
  const chains = [...text.matchAll(/\{\{[^}]*\}\}/g)].flatMap(([action]) => [...action.matchAll(/(?<![\w"$)])\.((?:\w+\.)*\w+)/g)].map(m => m[1]));
  return [...new Set(chains)].filter(chain => chain.split('.').reduce((at, key) => at?.[key], parameters) === undefined);
}

const applications = [];
for (const file of files) {
  const set = yaml.load(fs.readFileSync(file, 'utf8'));
  const template = yaml.dump({ ...set.spec.template, apiVersion: 'argoproj.io/v1alpha1', kind: 'Application' }, { lineWidth: -1 });
  const parameters = set.spec.generators.flatMap(generate);
  if (parameters.length === 0) {
    findings.push(`${set.metadata.name}: expands to nothing`);
  }
  parameters.forEach(p => missing(template, p).forEach(key => findings.push(`${set.metadata.name}: nobody gives .${key}`)));
  const chart = fs.mkdtempSync(path.join(os.tmpdir(), 'appset-'));
  try {
    fs.mkdirSync(path.join(chart, 'templates'));
    fs.writeFileSync(path.join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: appset\nversion: 0.0.0\n');
    fs.writeFileSync(path.join(chart, 'values.yaml'), yaml.dump({ sets: parameters }, { noRefs: true }));
    fs.writeFileSync(path.join(chart, 'templates/all.yaml'), `{{- range .Values.sets }}\n---\n${template}{{- end }}\n`);
    const rendered = execFileSync(helm, ['template', 'appset', chart], { encoding: 'utf8' });
    yaml.loadAll(rendered).filter(Boolean).forEach(a => applications.push({ ...a, metadata: { ...a.metadata, namespace: set.metadata.namespace } }));
  } finally {
    fs.rmSync(chart, { recursive: true });
  }
}
applications.sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
process.stdout.write(JSON.stringify({ applications, findings }));
