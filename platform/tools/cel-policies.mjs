// Evaluates Kyverno's CEL policies without a cluster:
//   node cel-policies.mjs test FILE...            files as `kyverno test` reads them (kyverno-test.yaml), or image-test.yaml
//   node cel-policies.mjs apply POLICIES OBJECTS [NAMESPACE]   every policy on every object, as at admission
// Knows ValidatingPolicy (with the pod controllers it is generated for), ImageValidatingPolicy, MutatingPolicy (apply
// configurations), GeneratingPolicy and PolicyException; no look-ups in a cluster or a registry: what an image is signed by,
// an image test says itself. Prints {"checked": n, "findings": [...], "stopped": {policy: [message]}}; exit 1 with findings.
import fs from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { Environment } from '@marcbachmann/cel-js';
import yaml from 'js-yaml';

const templates = {
  CronJob: o => o.spec?.jobTemplate?.spec?.template,
  ...Object.fromEntries(['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'].map(kind => [kind, o => o.spec?.template])),
};
const irregular = { NetworkPolicy: 'networkpolicies', PolicyException: 'policyexceptions', Ingress: 'ingresses' };
const plural = kind => irregular[kind] ?? `${kind.toLowerCase()}s`;
const read = file => yaml.loadAll(fs.readFileSync(file, 'utf8')).filter(Boolean);

// CEL's whole numbers are 64 bits wide, which JavaScript calls BigInt.
function toCel(value) {
  if (typeof value === 'number') {
    return Number.isInteger(value) ? BigInt(value) : value;
  }
  if (Array.isArray(value)) {
    return value.map(toCel);
  }
  return value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toCel(v)])) : value;
}

function fromCel(value) {
  if (typeof value === 'bigint') {
    return Number(value);
  }
  if (Array.isArray(value)) {
    return value.map(fromCel);
  }
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([k, v]) => [k, fromCel(v)]));
  }
  return value && typeof value === 'object' ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, fromCel(v)])) : value;
}

function environment(functions = {}) {
  const made = new Environment({ unlistedVariablesAreDyn: true, enableOptionalTypes: true });
  Object.entries(functions).forEach(([signature, handler]) => made.registerFunction(signature, handler));
  return made;
}

function context(policy, object, more, functions) {
  const made = {
    object: toCel(object), oldObject: null, variables: {},
    request: { operation: 'CREATE', namespace: object.metadata?.namespace ?? '' }, ...more,
  };
  for (const { name, expression } of policy.spec.variables ?? []) {
    let value;
    let known = false;
    Object.defineProperty(made.variables, name, {
      enumerable: true, configurable: true,
      get() {
        if (!known) {
          value = environment(functions).evaluate(expression, made);
          known = true;
        }
        return value;
      },
    });
  }
  return made;
}

function selects(selector, labels) {
  const one = ({ key, operator, values }) => ({
    In: () => values.includes(labels[key]), NotIn: () => !values.includes(labels[key]),
    Exists: () => key in labels, DoesNotExist: () => !(key in labels),
  })[operator]();
  return Object.entries(selector?.matchLabels ?? {}).every(([k, v]) => labels[k] === v) && (selector?.matchExpressions ?? []).every(one);
}

function matches(policy, object, namespaces) {
  const [group, version] = object.apiVersion.includes('/') ? object.apiVersion.split('/') : ['', object.apiVersion];
  const rules = policy.spec.matchConstraints?.resourceRules ?? [];
  const has = (list, value) => list.includes('*') || list.includes(value);
  const name = object.metadata?.namespace;
  const labels = namespaces[name] ?? { 'kubernetes.io/metadata.name': name };
  return rules.some(r => has(r.apiGroups, group) && has(r.apiVersions, version) && has(r.resources, plural(object.kind)) && has(r.operations, 'CREATE'))
    && selects(policy.spec.matchConstraints.namespaceSelector, labels);
}

// The object itself, the pod that a controller makes (Kyverno generates that rule), or nothing.
function subject(policy, object, namespaces) {
  if (matches(policy, object, namespaces)) {
    return object;
  }
  const template = templates[object.kind]?.(object);
  const wanted = policy.spec.autogen?.podControllers?.controllers;
  if (!template || (wanted && !wanted.includes(object.kind))) {
    return undefined;
  }
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: object.metadata.name, namespace: object.metadata.namespace, ...template.metadata }, spec: template.spec };
  return matches(policy, pod, namespaces) ? pod : undefined;
}

function excepted(policy, object, exceptions) {
  return exceptions.some(e => e.spec.policyRefs.some(r => r.name === policy.metadata.name && r.kind === policy.kind)
    && (e.spec.matchConditions ?? []).every(c => environment().evaluate(c.expression, context({ spec: {} }, object)) === true));
}

const glob = pattern => new RegExp(`^${pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*')}$`);

// What a registry would say: images = {reference: {signed: [{issuer, subject}], attestations: {type: {by: {…}, payload}}}}.
function imageFunctions(policy, images) {
  const identities = attestors => attestors.flatMap(a => a.cosign.keyless.identities);
  const trusted = (who, attestors) => identities(attestors).some(i => i.issuer === who.issuer
    && (i.subject ? i.subject === who.subject : new RegExp(i.subjectRegExp).test(who.subject)));
  const attested = (image, attestation) => images[image]?.attestations?.[attestation.intoto.type];
  return {
    'verifyImageSignatures(dyn, list): int': (image, attestors) =>
      BigInt((images[image]?.signed ?? []).filter(who => trusted(who, attestors)).length),
    'verifyAttestationSignatures(dyn, dyn, list): int': (image, attestation, attestors) => {
      const found = attested(image, attestation);
      return found && trusted(found.by, attestors) ? 1n : 0n;
    },
    'extractPayload(dyn, dyn): dyn': (image, attestation) => toCel(attested(image, attestation)?.payload ?? { predicate: { bomFormat: '' } }),
  };
}

function evaluate(policy, object, { namespaces = {}, exceptions = [], images = {} } = {}) {
  const target = subject(policy, object, namespaces);
  if (!target) {
    return { result: 'skip' };
  }
  if (excepted(policy, target, exceptions)) {
    return { result: 'skip', why: 'exception' };
  }
  const plain = context(policy, target);
  if ((policy.spec.matchConditions ?? []).some(c => environment().evaluate(c.expression, plain) !== true)) {
    return { result: 'skip' };
  }
  if (policy.kind === 'MutatingPolicy') {
    const patch = policy.spec.mutations.map(m => m.applyConfiguration.expression.replace(/Object(\.\w+)*\s*\{/g, '{').replace(/([{,]\s*)(\w+):/g, '$1"$2":'))
      .map(expression => fromCel(environment().evaluate(expression, plain)));
    return { result: 'pass', patched: patch.reduce(merge, target) };
  }
  if (policy.kind === 'GeneratingPolicy') {
    const generated = [];
    const functions = { 'generatorApply(string, list): bool': (_, list) => { generated.push(...list.map(fromCel)); return true; } };
    const now = context(policy, target, {}, functions);
    policy.spec.generate.forEach(g => environment(functions).evaluate(g.expression.replace('generator.Apply', 'generatorApply'), now));
    return { result: 'pass', generated };
  }
  let functions = {};
  let more = {};
  if (policy.kind === 'ImageValidatingPolicy') {
    const globs = policy.spec.matchImageReferences.map(r => glob(r.glob));
    const named = list => (list ?? []).map(c => c.image).filter(image => globs.some(g => g.test(image)));
    functions = imageFunctions(policy, images);
    more = {
      images: { containers: named(target.spec.containers), initContainers: named(target.spec.initContainers) },
      attestors: Object.fromEntries((policy.spec.attestors ?? []).map(a => [a.name, a])),
      attestations: Object.fromEntries((policy.spec.attestations ?? []).map(a => [a.name, a])),
    };
  }
  const all = context(policy, target, more, functions);
  for (const { expression, message } of policy.spec.validations) {
    if (environment(functions).evaluate(expression, all) !== true) {
      return { result: 'fail', why: message };
    }
  }
  return { result: 'pass' };
}

function merge(base, patch) {
  const isMap = v => v && typeof v === 'object' && !Array.isArray(v);
  return isMap(base) && isMap(patch) ? { ...base, ...Object.fromEntries(Object.entries(patch).map(([k, v]) => [k, merge(base[k], v)])) } : patch;
}

const findings = [];
const stopped = {};
let checked = 0;

function test(file) {
  const folder = path.dirname(file);
  const [described] = read(file);
  const load = list => (list ?? []).flatMap(f => read(path.join(folder, f)));
  const policies = load(described.policies);
  const exceptions = load(described.exceptions);
  const objects = load(described.resources);
  const namespaces = Object.fromEntries(objects.filter(o => o.kind === 'Namespace').map(o => [o.metadata.name, { 'kubernetes.io/metadata.name': o.metadata.name, ...o.metadata.labels }]));
  for (const { policy: name, kind, resources, result, patchedResources, generatedResource } of described.results) {
    const policy = policies.find(p => p.metadata.name === name);
    for (const resource of resources) {
      const object = objects.find(o => o.kind === kind && o.metadata.name === resource);
      const report = text => findings.push(`${path.basename(folder)}: ${kind}/${resource}: ${text}`);
      checked++;
      if (!policy || !object) {
        report(policy ? 'no such resource' : `no policy ${name}`);
        continue;
      }
      const got = evaluate(policy, object, { namespaces, exceptions, images: described.images });
      if (got.result === 'fail') {
        (stopped[name] ??= []).push(got.why);
      }
      if (got.result !== result) {
        report(`${result} was expected, ${got.result} it is${got.why ? `: ${got.why}` : ''}`);
      }
      if (patchedResources && !load([patchedResources]).some(p => isDeepStrictEqual(p, got.patched))) {
        report(`patched into ${JSON.stringify(got.patched)}`);
      }
      if (generatedResource && !isDeepStrictEqual(load([generatedResource]), got.generated)) {
        report(`generated ${JSON.stringify(got.generated)}`);
      }
    }
  }
}

function apply(policyFile, objectFile, namespace) {
  const all = read(policyFile);
  const exceptions = all.filter(p => p.kind === 'PolicyException');
  const rules = all.filter(p => p.kind === 'ValidatingPolicy');
  for (const object of read(objectFile)) {
    object.metadata.namespace ??= namespace;
    for (const policy of rules) {
      const { result, why } = evaluate(policy, object, { exceptions });
      checked += result === 'skip' ? 0 : 1;
      if (result === 'fail') {
        findings.push(`${object.kind}/${object.metadata.name}: ${policy.metadata.name}: ${why}`);
      }
    }
  }
}

const [verb, ...rest] = process.argv.slice(2);
if (verb === 'test') {
  rest.forEach(test);
} else {
  apply(...rest);
}
process.stdout.write(JSON.stringify({ checked, findings, stopped }));
process.exitCode = findings.length > 0 ? 1 : 0;
