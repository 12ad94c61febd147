// A Terraform provider that knows its schema and nothing else: node provider.mjs SCHEMA.json
// With mock_provider that is all `terraform validate` and `terraform test` ask for. It can neither plan nor apply.
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const protocol = 6;
const nestings = { single: 1, list: 2, set: 3, map: 4 };
if (!process.env.TF_PLUGIN_MAGIC_COOKIE) {
  process.stderr.write('This is a Terraform plugin; Terraform starts it.\n');
  process.exit(1);
}

// Written short: {name: {type, required|optional|computed|sensitive}} or {name: {nested: {...}, nesting}}, and blocks.
function attributes(short) {
  return Object.entries(short ?? {}).map(([name, { type, nested, nesting, ...flags }]) => nested
    ? { name, nested_type: { attributes: attributes(nested), nesting: nestings[nesting] }, ...flags }
    : { name, type: Buffer.from(JSON.stringify(type)), ...flags });
}

function block(short) {
  return {
    attributes: attributes(short.attributes),
    block_types: Object.entries(short.blocks ?? {}).map(([name, inner]) => ({
      type_name: name, block: block(inner), nesting: nestings[inner.nesting ?? 'list'],
      min_items: inner.min ?? 0, max_items: inner.nesting === 'single' ? 0 : inner.max ?? 0,
    })),
  };
}

const schemas = short => Object.fromEntries(Object.entries(short ?? {}).map(([name, s]) => [name, { block: block(s) }]));

function certificate() {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'provider-'));
  try {
    const [key, cert] = ['key.pem', 'cert.pem'].map(f => path.join(folder, f));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
      '-keyout', key, '-out', cert, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost',
      '-addext', 'keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign',
      '-addext', 'extendedKeyUsage=serverAuth,clientAuth'], { stdio: 'ignore' });
    return { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

const short = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const schema = {
  provider: { block: block(short.provider) },
  resource_schemas: schemas(short.resources),
  data_source_schemas: schemas(short.data),
};
const proto = path.join(path.dirname(fileURLToPath(import.meta.url)), 'tfplugin6.proto');
const { Provider } = grpc.loadPackageDefinition(loader.loadSync(proto, { keepCase: true })).tfplugin6;
const raw = { requestSerialize: b => b, requestDeserialize: b => b, responseSerialize: () => Buffer.alloc(0), responseDeserialize: b => b };
const fine = (_, answer) => answer(null, {});
const server = new grpc.Server({ 'grpc.max_send_message_length': -1 });
server.addService(Provider.service, {
  GetProviderSchema: (_, answer) => answer(null, schema),
  ValidateProviderConfig: fine, ValidateResourceConfig: fine, ValidateDataResourceConfig: fine, StopProvider: fine,
});
server.addService({ Shutdown: { path: '/plugin.GRPCController/Shutdown', requestStream: false, responseStream: false, ...raw } }, {
  Shutdown: (_, answer) => { answer(null, {}); server.tryShutdown(() => process.exit(0)); },
});
const { key, cert } = certificate();
const peer = process.env.PLUGIN_CLIENT_CERT ? Buffer.from(process.env.PLUGIN_CLIENT_CERT) : null;
const credentials = grpc.ServerCredentials.createSsl(peer, [{ cert_chain: cert, private_key: key }], peer !== null);
server.bindAsync('127.0.0.1:0', credentials, (error, port) => {
  if (error) {
    throw error;
  }
  const own = new X509Certificate(cert).raw.toString('base64').replace(/=+$/, '');
  process.stdout.write(`1|${protocol}|tcp|127.0.0.1:${port}|grpc|${own}\n`);
});
