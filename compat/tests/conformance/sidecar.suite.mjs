// The official JS SDK (client and pub/sub server) against the sidecar, over HTTP and gRPC, with a private Valkey.
// With LP_RECORDINGS naming a folder of recorded cases and their runner, those cases are played as well.
// Last line: "N passed, N failed".
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = process.env.LP_ROOT ?? path.resolve(here, '../../..');
const sidecar = process.env.LP_SIDECAR ?? path.join(root, 'artifacts/bin/LocalPlus.Sidecar/debug/daprd');
const WAIT_MS = 30_000;

if (!fs.existsSync(path.join(here, 'node_modules/@dapr/dapr')))
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: here, stdio: 'inherit' });
const { CommunicationProtocolEnum, DaprClient, DaprServer, HttpMethod, LogLevel } = (await import('@dapr/dapr'));

let passed = 0, failed = 0;
const stopAtEnd = [];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'conformance-'));
const freePort = () => new Promise(resolve => { const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => resolve(port)); }); });
const same = (actual, expected, what) => { if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`); };

async function until(condition, what) {
  for (const end = Date.now() + WAIT_MS; Date.now() < end;) {
    try { const value = await condition(); if (value) return value; } catch { /* not yet */ }
    await new Promise(r => setTimeout(r, 50));
  }
  throw new Error(`${what} did not happen within ${WAIT_MS / 1000} s`);
}

async function test(name, body) {
  try { await body(); passed++; console.log(`ok   ${name}`); }
  catch (e) { failed++; console.log(`FAIL ${name}\n     ${e?.message ?? e}`); }
}

function start(command, args, env) {
  const log = fs.openSync(path.join(folder, `${path.basename(command)}.log`), 'a');
  const child = spawn(command, args.map(String), { stdio: ['ignore', log, log], env: { ...process.env, ...env } });
  fs.closeSync(log);
  stopAtEnd.push(() => child.kill('SIGKILL'));
  return child;
}

const component = (name, type, metadata = {}) => `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: ${name}
spec:
  type: ${type}
  version: v1
  metadata:
${Object.entries(metadata).map(([k, v]) => `  - name: ${k}\n    value: "${v}"`).join('\n')}
`;

async function main() {
  const [valkeyPort, appPort, httpPort, grpcPort] = [await freePort(), await freePort(), await freePort(), await freePort()];
  start('valkey-server', ['--port', valkeyPort, '--bind', '127.0.0.1', '--save', '', '--dir', folder]);
  const resources = path.join(folder, 'resources');
  fs.mkdirSync(resources);
  fs.writeFileSync(path.join(folder, 'secrets.json'), JSON.stringify({ plain: 'p1', db: { password: 'pw' } }));
  const valkey = { redisHost: `127.0.0.1:${valkeyPort}` };
  fs.writeFileSync(path.join(resources, 'all.yaml'), [
    component('store', 'state.redis', valkey), component('pubsub', 'pubsub.redis', valkey), component('memory', 'state.in-memory'),
    component('secrets', 'secretstores.local.file', { secretsFile: path.join(folder, 'secrets.json') }), component('settings', 'configuration.redis', valkey),
    // The SDK's HTTP server cannot name a dead letter topic: a declarative subscription to a path that it does not serve can.
    'apiVersion: dapr.io/v2alpha1\nkind: Subscription\nmetadata:\n  name: refused\nspec:\n  pubsubname: pubsub\n  topic: refused\n  routes:\n    default: /not-served\n  deadLetterTopic: refused-dead\n',
  ].join('---\n'));
  await until(() => new Promise(r => { const s = net.connect(valkeyPort, '127.0.0.1', () => { s.destroy(); r(true); }).on('error', () => r(false)); }), 'Valkey');

  const logger = { level: LogLevel.Error };
  const client = { daprHost: '127.0.0.1', daprPort: String(httpPort), communicationProtocol: CommunicationProtocolEnum.HTTP, logger };
  const server = new DaprServer({ serverHost: '127.0.0.1', serverPort: String(appPort), clientOptions: client, logger });
  const received = {};
  const keep = topic => async data => { (received[topic] ??= []).push(data); };
  await server.pubsub.subscribe('pubsub', 'orders', keep('orders'));
  await server.pubsub.subscribe('pubsub', 'texts', keep('texts'));
  await server.pubsub.subscribe('pubsub', 'refused-dead', keep('refused-dead'));
  await server.invoker.listen('hello', async data => ({ body: data.body, query: data.query }), { method: HttpMethod.POST });
  const daprd = start(sidecar, ['--app-id', 'conformance', '--app-port', appPort, '--dapr-http-port', httpPort, '--dapr-grpc-port', grpcPort, '--metrics-port', 0, '--resources-path', resources]);
  const exited = new Promise(r => daprd.on('exit', (code, signal) => r({ code, signal })));
  await server.start();
  await until(async () => (await fetch(`http://127.0.0.1:${httpPort}/v1.0/healthz`)).status === 204, 'the sidecar');

  const http = new DaprClient(client);
  const grpc = new DaprClient({ ...client, daprPort: String(grpcPort), communicationProtocol: CommunicationProtocolEnum.GRPC });
  for (const [name, dapr] of [['http', http], ['grpc', grpc]]) {
    await stateTests(name, dapr);
    await etagTests(name, dapr);
  }
  await configurationTests(grpc, command => new Promise((resolve, reject) => {
    const socket = net.connect(valkeyPort, '127.0.0.1', () => socket.write(`${command}\r\n`)).on('data', answer => { socket.destroy(); resolve(String(answer)); }).on('error', reject);
  }));
  await pubsubTests({ http, grpc }, received);
  await otherTests({ http, grpc }, exited, daprd);
  await server.stop().catch(() => {});
}

async function stateTests(name, dapr) {
  await test(`${name}: a saved object is read back`, async () => {
    await dapr.state.save('store', [{ key: `${name}-a`, value: { n: 1, s: 'é"<' } }]);
    same(await dapr.state.get('store', `${name}-a`), { n: 1, s: 'é"<' }, 'value');
  });
  await test(`${name}: an absent key is empty`, async () => same(await dapr.state.get('store', `${name}-none`) || '', '', 'value'));
  await test(`${name}: a deleted key is gone`, async () => {
    await dapr.state.save('memory', [{ key: `${name}-d`, value: 'x' }]);
    await dapr.state.delete('memory', `${name}-d`);
    same(await dapr.state.get('memory', `${name}-d`) || '', '', 'value');
  });
  await test(`${name}: several keys in one read`, async () => {
    await dapr.state.save('store', [{ key: `${name}-1`, value: 1 }, { key: `${name}-2`, value: 2 }]);
    const items = await dapr.state.getBulk('store', [`${name}-1`, `${name}-2`]);
    same(items.map(i => Number(i.data)).sort(), [1, 2], 'values');
  });
  await test(`${name}: a transaction writes and deletes`, async () => {
    await dapr.state.save('store', [{ key: `${name}-old`, value: 1 }]);
    await dapr.state.transaction('store', [
      { operation: 'upsert', request: { key: `${name}-new`, value: 'v' } }, { operation: 'delete', request: { key: `${name}-old` } },
    ]);
    same(await dapr.state.get('store', `${name}-new`), 'v', 'new');
    same(await dapr.state.get('store', `${name}-old`) || '', '', 'old');
  });
}

async function etagTests(name, dapr) {
  await test(`${name}: a stale etag is refused and the value stays`, async () => {
    await dapr.state.save('memory', [{ key: `${name}-e`, value: 1 }]);
    const answer = await dapr.state.save('memory', [{ key: `${name}-e`, value: 2, etag: '00000000-0000-0000-0000-000000000000', options: { concurrency: 1, consistency: 2 } }]).catch(error => ({ error }));
    if (!answer?.error) throw new Error('it was accepted');
    same(Number(await dapr.state.get('memory', `${name}-e`)), 1, 'value');
  });
  await test(`${name}: a value with a time to live goes`, async () => {
    await dapr.state.save('memory', [{ key: `${name}-ttl`, value: 'x', metadata: { ttlInSeconds: '1' } }]);
    await until(async () => (await dapr.state.get('memory', `${name}-ttl`) || '') === '', 'the end of its time');
  });
  await test(`${name}: a store that does not exist is an error`, async () => {
    const answer = await dapr.state.save('nope', [{ key: 'a', value: 1 }]).catch(error => ({ error }));
    if (!answer?.error) throw new Error('it was accepted');
  });
}

async function configurationTests(grpc, valkey) {
  await test('grpc: a configuration item with its version', async () => {
    await valkey('SET limit 10||3');
    const { items } = await grpc.configuration.get('settings', ['limit', 'absent']);
    same([Object.keys(items), items.limit.value, items.limit.version], [['limit'], '10', '3'], 'items');
  });
  await test('grpc: a change of a configuration item is pushed', async () => {
    let seen;
    const stream = await grpc.configuration.subscribeWithKeys('settings', ['limit'], async change => { seen = change.items.limit?.value; });
    await until(async () => { await valkey('SET limit 11||4'); return seen === '11'; }, 'the push');
    stream.stop();
  });
}

async function pubsubTests({ http, grpc }, received) {
  await test('http: an object reaches the subscriber', async () => {
    await http.pubsub.publish('pubsub', 'orders', { id: 'http' });
    await until(() => received.orders?.some(o => o.id === 'http'), 'delivery');
  });
  await test('grpc: an object reaches the subscriber', async () => {
    await grpc.pubsub.publish('pubsub', 'orders', { id: 'grpc' });
    await until(() => received.orders?.some(o => o.id === 'grpc'), 'delivery');
  });
  await test('http: a text reaches the subscriber', async () => {
    await http.pubsub.publish('pubsub', 'texts', 'words');
    await until(() => received.texts?.includes('words'), 'delivery');
  });
  for (const [name, dapr] of [['http', http], ['grpc', grpc]])
    await test(`${name}: every entry of a bulk publish arrives`, async () => {
      const answer = await dapr.pubsub.publishBulk('pubsub', 'orders', [1, 2, 3].map(n => ({ id: `${name}-bulk-${n}` })));
      same(answer.failedMessages?.length ?? 0, 0, 'failed entries');
      await until(() => received.orders?.filter(o => o.id?.startsWith(`${name}-bulk`)).length === 3, 'delivery');
    });
  await test('a refused message goes to the dead letter topic', async () => {
    await http.pubsub.publish('pubsub', 'refused', { id: 'dead' });
    await until(() => received['refused-dead']?.some(o => o.id === 'dead'), 'the dead letter');
  });
  await test('an unknown pubsub is an error', async () => {
    const answer = await http.pubsub.publish('nope', 'orders', {});
    if (!answer?.error) throw new Error('it was accepted');
  });
}

async function otherTests({ http, grpc }, exited, daprd) {
  for (const [name, dapr] of [['http', http], ['grpc', grpc]]) {
    await test(`${name}: a secret`, async () => same(await dapr.secret.get('secrets', 'plain'), { plain: 'p1' }, 'secret'));
    await test(`${name}: all secrets`, async () => {
      const all = await dapr.secret.getBulk('secrets');
      if (!JSON.stringify(all).includes('db:password')) throw new Error(JSON.stringify(all));
    });
    await test(`${name}: metadata names the application`, async () => same((await dapr.metadata.get()).id, 'conformance', 'id'));
    await test(`${name}: metadata can be set`, async () => same(await dapr.metadata.set(`from-${name}`, 'yes'), true, 'answer'));
    await test(`${name}: the sidecar is healthy`, async () => same(await dapr.health.isHealthy(), true, 'health'));
  }
  await test('an invocation reaches the application', async () => {
    const answer = await http.invoker.invoke('conformance', 'hello', HttpMethod.POST, { a: 1 });
    if (!JSON.stringify(answer).includes('a')) throw new Error(JSON.stringify(answer));
  });
  await test('an invocation of what the application does not serve is its 404', async () => {
    const error = await http.invoker.invoke('conformance', 'nothing', HttpMethod.POST, {}).then(() => null, e => e);
    if (!String(error?.message ?? error).includes('404')) throw new Error(String(error));
  });
  await test('an application that nobody runs is an error of the sidecar', async () => {
    const error = await http.invoker.invoke('absent', 'x', HttpMethod.GET).then(() => null, e => e);
    if (!String(error?.message ?? error).includes('ERR_DIRECT_INVOKE')) throw new Error(String(error));
  });
  await test('the sidecar ends with 0 on SIGTERM', async () => {
    daprd.kill('SIGTERM');
    same(await exited, { code: 0, signal: null }, 'exit');
  });
}

// What LocalPlus uses of Dapr; the rest is left out on purpose (compat/README.md).
const IN_SCOPE = [
  'state', 'pubsub', 'secrets/local', 'secrets/none', 'secrets/scopes', 'secrets/references',
  ...['two-apps', 'callee-app-stopped', 'no-app', 'tokens', 'api-allow-list', 'resiliency', 'grpc-proxy'].map(g => `invoke/${g}`),
  ...['state-redis', 'state-postgres', 'none', 'pubsub', 'shutdown', 'limits', 'others/secret*', 'others/configuration', 'others/invoke*'].map(g => `grpc/${g}`),
  ...['plain', 'cors', 'tracing-on', 'shutdown', 'block-shutdown', 'app-health', 'configuration', 'resiliency-state', 'jobs-none', 'lock-none', 'middleware-missing', 'bad-component', 'bad-yaml'].map(g => `runtime/${g}`),
];

async function recordings(from) {
  const args = [path.join(from, 'runner.mjs'), 'check', '--sidecar', sidecar, ...IN_SCOPE.flatMap(c => ['--cases', c])];
  const child = spawn('node', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', d => { text += d; process.stdout.write(d); });
  await new Promise(r => child.on('close', r));
  const [, good, bad] = /(\d+) passed, (\d+) failed\s*$/.exec(text) ?? [null, 0, 1];
  passed += Number(good);
  failed += Number(bad);
}

process.on('exit', () => stopAtEnd.forEach(stop => stop()));
try { await main(); } catch (e) { failed++; console.log(`FAIL the suite: ${e?.stack ?? e}`); }
if (process.env.LP_RECORDINGS) await recordings(process.env.LP_RECORDINGS);
if (failed) console.log(`logs: ${folder}`); else fs.rmSync(folder, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
