// Makes the reduced schemas in schemas/ again, when a provider moves on:
//   node schemas.mjs cdktf FOLDER_OF_@cdktf/provider-X RESOURCE...     from the types of the CDK's prebuilt provider
//   node schemas.mjs docs FOLDER_OF_THE_PROVIDERS_docs PREFIX RESOURCE... from pages that tfplugindocs wrote
// Prints JSON. A resource with the prefix `data.` is a data source.
import fs from 'node:fs';
import path from 'node:path';

const [kind, folder, ...rest] = process.argv.slice(2);
const primitives = { string: 'string', number: 'number', boolean: 'bool', any: 'dynamic', json: 'dynamic' };
const maps = { StringMap: ['map', 'string'], BooleanMap: ['map', 'bool'], NumberMap: ['map', 'number'] };
const general = new Set(['connection', 'count', 'dependsOn', 'forEach', 'lifecycle', 'provider', 'provisioners', 'alias']);
const snake = name => name.replace(/[A-Z]/g, c => `_${c.toLowerCase()}`);
const sorted = map => Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));

function cdktf() {
  const { types, name } = JSON.parse(fs.readFileSync(path.join(folder, '.jsii'), 'utf8'));
  const provider = /provider-(.*)$/.exec(name)[1];
  const isBlock = docs => / block\.?/.test(docs?.summary ?? '');

  function convert(type, computed) {
    if (type.primitive) {
      return { type: primitives[type.primitive] };
    }
    if (type.union) {
      const real = type.union.types.filter(t => t.fqn !== 'cdktf.IResolvable');
      return real.length === 1 || real.some(t => t.collection || t.fqn) ? convert(real[0], computed) : { type: primitives[real[0].primitive] };
    }
    if (type.collection) {
      const inner = convert(type.collection.elementtype, computed);
      const nesting = type.collection.kind === 'array' ? 'list' : 'map';
      if (nesting === 'map' && inner.type === 'dynamic') {
        return { type: 'dynamic' };
      }
      return inner.nested ? { nested: inner.nested, nesting, struct: inner.struct } : { type: [nesting, inner.type] };
    }
    if (type.fqn.startsWith('cdktf.')) {
      return { type: maps[type.fqn.slice(6)] ?? 'dynamic' };
    }
    const [, base, shape] = /^(.*?)(OutputReference|List|Map)?$/.exec(type.fqn);
    const struct = types[base] ?? types[type.fqn];
    const own = (struct?.properties ?? []).length > 0 ? struct : types[`${base}OutputReference`];
    const nested = {};
    for (const p of own?.properties ?? []) {
      if (p.name !== 'fqn' && p.name !== 'internalValue') {
        const only = own !== struct ? { computed: true } : p.optional ? { optional: true } : { required: true };
        nested[snake(p.name)] = { ...convert(p.type, computed), ...only, ...(isBlock(p.docs) ? { block: true } : {}) };
      }
    }
    return { nested, nesting: shape === 'List' ? 'list' : shape === 'Map' ? 'map' : 'single', struct: true };
  }

  function split(all) {
    const attributes = {};
    const blocks = {};
    for (const [key, { block, struct, ...value }] of Object.entries(all)) {
      if (block && value.nested) {
        blocks[key] = { ...split(value.nested), nesting: value.nesting === 'single' ? 'list' : value.nesting,
          ...(value.nesting === 'single' ? { max: 1 } : {}), ...(value.required ? { min: 1 } : {}) };
      } else {
        attributes[key] = value.nested ? { ...value, nested: split(value.nested).attributes } : value;
      }
    }
    return { attributes: sorted(attributes), ...(Object.keys(blocks).length > 0 ? { blocks: sorted(blocks) } : {}) };
  }

  function described(config, type) {
    const all = {};
    for (const p of config.properties.filter(p => !general.has(p.name))) {
      all[snake(p.name)] = { ...convert(p.type), ...(p.optional ? { optional: true } : { required: true }), ...(isBlock(p.docs) ? { block: true } : {}) };
    }
    for (const p of type?.properties ?? []) {
      const key = snake(p.name);
      if (!p.static && p.immutable && !p.name.endsWith('Input') && !all[key] && !general.has(p.name)) {
        all[key] = { ...convert(p.type), computed: true };
      }
    }
    if (all.id?.optional) {
      all.id.computed = true;
    }
    return split(all);
  }

  const title = provider[0].toUpperCase() + provider.slice(1);
  const byName = new Map();
  for (const entry of fs.readdirSync(path.join(folder, 'lib'))) {
    const file = path.join(folder, 'lib', entry, 'index.js');
    if (fs.existsSync(file)) {
      for (const [, cls, tf] of fs.readFileSync(file, 'utf8').matchAll(/^(\w+)\.tfResourceType = "(\w+)"/gm)) {
        const module = entry.replace(/-([a-z0-9])/g, (_, c) => c.toUpperCase());
        byName.set(`${cls.startsWith(`Data${title}`) ? 'data.' : ''}${tf}`, `${name}.${module}.${cls}`);
      }
    }
  }
  const out = { provider: described(types[`${name}.provider.${title}ProviderConfig`]), resources: {}, data: {} };
  for (const wanted of rest) {
    const fqn = byName.get(wanted);
    if (!fqn) {
      throw new Error(`${wanted} is not in ${name}`);
    }
    const config = types[fqn.endsWith('Config') ? `${fqn}A` : `${fqn}Config`] ?? types[`${fqn}Config`] ?? types[`${fqn}ConfigA`];
    (wanted.startsWith('data.') ? out.data : out.resources)[wanted.replace('data.', '')] = described(config, types[fqn]);
  }
  return out;
}

function docs() {
  const [prefix, ...resources] = rest;
  const shapes = { String: 'string', Boolean: 'bool', Number: 'number', Dynamic: 'dynamic' };

  function page(text) {
    const sections = { '': text.split('\n## Schema\n')[1].split(/\n<a id=/)[0] };
    for (const [, id, body] of text.matchAll(/<a id="nested(?:block|att|objatt)--([^"]*)"><\/a>\n([\s\S]*?)(?=\n<a id=|\n## |$)/g)) {
      sections[id] = body;
    }
    function read(id) {
      const out = { attributes: {}, blocks: {} };
      let flag = id === '' ? undefined : 'computed';
      for (const line of (sections[id] ?? '').split('\n')) {
        const heading = /^(?:### )?(Required|Optional|Read-Only):?$/.exec(line.trim());
        flag = heading ? { Required: 'required', Optional: 'optional', 'Read-Only': 'computed' }[heading[1]] : flag;
        const item = /^- `(\w+)` \(([^)]*)\)/.exec(line);
        if (!item || !flag) {
          continue;
        }
        const [, key, signature] = item;
        const [first] = signature.split(', ');
        const of = /^(List|Set|Map) of (\w+)/.exec(first);
        const at = id === '' ? key : `${id}--${key}`;
        if (signature.startsWith('Block') || /^(Attributes)/.test(signature)) {
          const max = Number(/Max: (\d+)/.exec(signature)?.[1] ?? 0);
          const min = Number(/Min: (\d+)/.exec(signature)?.[1] ?? 0);
          const nesting = /Block Set/.test(signature) ? 'set' : /Block List/.test(signature) ? 'list' : 'single';
          out.blocks[key] = { ...read(at), nesting, ...(max ? { max } : {}), ...(min ? { min } : {}) };
        } else if (of && of[2] === 'Object') {
          const inner = Object.fromEntries(Object.entries(read(at).attributes).map(([k, v]) => [k, v.type]));
          out.attributes[key] = { type: [of[1].toLowerCase(), ['object', inner]], [flag]: true };
        } else {
          out.attributes[key] = { type: of ? [of[1].toLowerCase(), shapes[of[2]]] : shapes[first], [flag]: true,
            ...(signature.includes('Sensitive') ? { sensitive: true } : {}) };
        }
      }
      if (out.attributes.id?.optional) {
        out.attributes.id.computed = true;
      }
      return { attributes: sorted(out.attributes), ...(Object.keys(out.blocks).length > 0 ? { blocks: sorted(out.blocks) } : {}) };
    }
    return read('');
  }

  const out = { provider: { attributes: { api_token: { type: 'string', optional: true, sensitive: true } } }, resources: {}, data: {} };
  for (const wanted of resources) {
    const data = wanted.startsWith('data.');
    const name = wanted.replace('data.', '');
    const file = path.join(folder, data ? 'data-sources' : 'resources', `${name.slice(prefix.length + 1)}.md`);
    (data ? out.data : out.resources)[name] = page(fs.readFileSync(file, 'utf8'));
  }
  return out;
}

const made = kind === 'cdktf' ? cdktf() : docs();
process.stdout.write(`${JSON.stringify(made)}\n`);
