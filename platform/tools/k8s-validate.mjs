// Checks Kubernetes objects: node k8s-validate.mjs [--crds DIR] FILE...
// Built-in kinds: their published schema, and every field must be known to the API. Custom kinds: the schemas in
// schemas/ (only the fields we use, nothing else allowed) and, with --crds, the vendor's own in DIR/<group>/<kind>_<version>.json.
// Prints {"documents": n, "findings": [...]}; exit 1 when there are findings.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import * as api from '@kubernetes/client-node';
import Ajv from 'ajv';
import addFormats from 'ajv-formats';
import yaml from 'js-yaml';

const here = path.dirname(fileURLToPath(import.meta.url));
const scalars = new Set(['string', 'number', 'boolean', 'any', 'Date', 'object', 'IntOrString']);
const validators = new Map();
const findings = [];

function typeName(apiVersion, kind) {
  const version = apiVersion.split('/').pop();
  return version[0].toUpperCase() + version.slice(1) + kind;
}

function unknownFields(type, value, at, report) {
  if (value == null || scalars.has(type)) {
    return;
  }
  const list = /^Array<(.*)>$/.exec(type);
  if (list) {
    if (!Array.isArray(value)) {
      report(`${at}: a list is expected`);
      return;
    }
    value.forEach((item, index) => unknownFields(list[1], item, `${at}[${index}]`, report));
    return;
  }
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map) {
    Object.keys(value).forEach(key => unknownFields(map[1], value[key], `${at}.${key}`, report));
    return;
  }
  const known = api[type]?.getAttributeTypeMap?.();
  if (!known) {
    return;
  }
  const types = new Map(known.map(attribute => [attribute.baseName, attribute.type]));
  for (const key of Object.keys(value)) {
    if (types.has(key)) {
      unknownFields(types.get(key), value[key], `${at}.${key}`, report);
    } else {
      report(`${at}.${key}: unknown field`);
    }
  }
}

async function builtIn(document, report) {
  const type = typeName(document.apiVersion, document.kind);
  if (!api[type]) {
    return false;
  }
  unknownFields(type, document, document.kind, report);
  await published(`kubernetes-models/${document.apiVersion}/${document.kind}`, document, report);
  return true;
}

async function published(module, document, report) {
  let model;
  try {
    model = (await import(module))[document.kind];
  } catch (error) {
    if (/ERR_MODULE_NOT_FOUND|ERR_PACKAGE_PATH_NOT_EXPORTED|ERR_UNSUPPORTED_DIR_IMPORT/.test(error.code)) {
      return;
    }
    throw error;
  }
  try {
    new model(document).validate();
  } catch (error) {
    report(error.message);
  }
}

function schemaCheck(folder, document, report) {
  const [group, version] = document.apiVersion.split('/');
  const file = path.join(folder, group, `${document.kind.toLowerCase()}_${version}.json`);
  if (!fs.existsSync(file)) {
    return false;
  }
  if (!validators.has(file)) {
    const ajv = new Ajv({ strict: false, allErrors: true, logger: false, unicodeRegExp: false });
    addFormats(ajv);
    validators.set(file, ajv.compile(JSON.parse(fs.readFileSync(file, 'utf8'))));
  }
  const validate = validators.get(file);
  if (!validate(document)) {
    validate.errors.forEach(e => report(`${e.instancePath || '/'}: ${e.message} ${JSON.stringify(e.params)}`));
  }
  return true;
}

const args = process.argv.slice(2);
const crds = args[0] === '--crds' ? args.splice(0, 2)[1] : undefined;
let documents = 0;
for (const file of args) {
  for (const document of yaml.loadAll(fs.readFileSync(file, 'utf8'))) {
    if (!document) {
      continue;
    }
    documents++;
    const report = text => findings.push(`${path.basename(file)} ${document.kind}/${document.metadata?.name}: ${text}`);
    if (!document.apiVersion || !document.kind || !document.metadata?.name) {
      report('apiVersion, kind and metadata.name are required');
      continue;
    }
    if (await builtIn(document, report)) {
      continue;
    }
    await published(`@kubernetes-models/gateway-api/${document.apiVersion}/${document.kind}`, document, report);
    if (!schemaCheck(path.join(here, 'schemas'), document, report)) {
      report(`no schema for ${document.apiVersion} ${document.kind} in platform/tools/schemas`);
    }
    if (crds) {
      schemaCheck(crds, document, report);
    }
  }
}
process.stdout.write(JSON.stringify({ documents, findings }));
process.exitCode = findings.length > 0 ? 1 : 0;
