// The official JS SDK's workflow worker and client, and the HTTP management API, against the sidecar with a PostgreSQL
// of its own. Last line: "N passed, N failed". The SDK sends nothing for an input of 0, so numbers begin with 1.
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = process.env.LP_ROOT ?? path.resolve(here, '../../..');
const sidecar = process.env.LP_SIDECAR ?? path.join(root, 'artifacts/bin/LocalPlus.Sidecar/debug/daprd');
const WAIT_S = 30;

if (!fs.existsSync(path.join(here, 'node_modules/@dapr/dapr')))
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: here, stdio: 'inherit' });
console.info = console.debug = () => {};
const { DaprWorkflowClient, LogLevel, WorkflowRuntime } = await import('@dapr/dapr');

let passed = 0, failed = 0;
const stopAtEnd = [];
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'workflow-'));
stopAtEnd.push(() => fs.rmSync(folder, { recursive: true, force: true, maxRetries: 10 }));
const freePort = () => new Promise(done => { const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => done(port)); }); });
const sleep = ms => new Promise(done => setTimeout(done, ms));
const same = (actual, expected, what) => { if (JSON.stringify(actual) !== JSON.stringify(expected)) throw new Error(`${what}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`); };

async function test(name, body) {
  const late = new Promise((_, no) => setTimeout(() => no(new Error(`no end within ${WAIT_S} s`)), WAIT_S * 1000).unref());
  try { await Promise.race([body(), late]); passed++; console.log(`ok   ${name}`); }
  catch (e) { failed++; console.log(`FAIL ${name}\n     ${e?.message ?? e}`); }
}

async function reachable(port) {
  for (const end = Date.now() + WAIT_S * 1000; Date.now() < end; await sleep(30)) {
    const open = await new Promise(done => { const s = net.connect(port, '127.0.0.1', () => { s.destroy(); done(true); }); s.on('error', () => done(false)); });
    if (open) return;
  }
  throw new Error(`nothing listens on port ${port}`);
}

function start(command, args) {
  const log = fs.openSync(path.join(folder, `${path.basename(command)}.log`), 'a');
  const child = spawn(command, args.map(String), { stdio: ['ignore', log, log], cwd: folder });
  fs.closeSync(log);
  stopAtEnd.push(() => child.kill('SIGKILL'));
  return child;
}

// PostgreSQL refuses to run as root.
function asPostgres(program, args) {
  const bin = '/usr/lib/postgresql';
  const version = fs.existsSync(bin) ? fs.readdirSync(bin).sort((a, b) => b - a)[0] : undefined;
  const full = version ? path.join(bin, version, 'bin', program) : program;
  return process.getuid() === 0 ? ['setpriv', ['--reuid=postgres', '--regid=postgres', '--clear-groups', full, ...args]] : [full, args];
}

async function startPostgres() {
  const port = await freePort(), data = path.join(folder, 'data');
  fs.chmodSync(folder, 0o755);
  fs.mkdirSync(data, { mode: 0o700 });
  if (process.getuid() === 0) execFileSync('chown', ['postgres', folder, data]);
  execFileSync(...asPostgres('initdb', ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C']), { cwd: folder, stdio: 'ignore' });
  start(...asPostgres('postgres', ['-D', data, '-p', port, '-k', folder, '-c', 'listen_addresses=127.0.0.1']));
  await reachable(port);
  return port;
}

const greet = async (_, name) => `Hello ${name}!`;
const increment = async (_, n) => n + 1;
let attempts = 0;
const flaky = async () => { if (++attempts < 3) throw new Error('not yet'); return attempts; };
const broken = async () => { throw new Error('no funds'); };
async function* hello(ctx, name) { return yield ctx.callActivity(greet, name); }
async function* chain(ctx, n) { for (let i = 0; i < 5; i++) n = yield ctx.callActivity(increment, n); return n; }
async function* fan(ctx, n) { const all = yield ctx.whenAll(Array.from({ length: n }, (_, i) => ctx.callActivity(increment, i + 1))); return all.reduce((a, b) => a + b, 0); }
async function* timer(ctx) { const begun = ctx.getCurrentUtcDateTime().getTime(); yield ctx.createTimer(1); return ctx.getCurrentUtcDateTime().getTime() - begun; }
async function* waits(ctx) { return yield ctx.waitForExternalEvent('go'); }
async function* kid(ctx, n) { return yield ctx.callActivity(increment, n); }
async function* parent(ctx, n) { const a = yield ctx.callChildWorkflow(kid, n); return yield ctx.callChildWorkflow(kid, a); }
async function* again(ctx, n) { if (n < 25) { ctx.continueAsNew(n + 1, true); return; } return n; }
async function* fails(ctx) { yield ctx.callActivity(broken); }
async function* catches(ctx) { try { yield ctx.callActivity(broken); } catch (e) { return yield ctx.callActivity(greet, 'instead'); } }
async function* parentWaits(ctx) { return yield ctx.callChildWorkflow(waits); }

async function main() {
  const postgres = await startPostgres();
  const [http, grpc, internal] = [await freePort(), await freePort(), await freePort()];
  const resources = path.join(folder, 'resources');
  fs.mkdirSync(resources);
  fs.writeFileSync(path.join(resources, 'store.yaml'), `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: workflowstore}
spec:
  type: state.postgresql
  version: v2
  metadata:
  - {name: connectionString, value: "host=127.0.0.1 port=${postgres} user=postgres password=x dbname=postgres"}
  - {name: actorStateStore, value: "true"}
`);
  start(sidecar, ['--app-id', 'js', '--resources-path', resources, '--dapr-http-port', http, '--dapr-grpc-port', grpc, '--dapr-internal-grpc-port', internal, '--metrics-port', 0]);
  await reachable(grpc);
  await reachable(http);
  const options = { daprHost: '127.0.0.1', daprPort: String(grpc), logger: { level: LogLevel.Error } };
  const runtime = new WorkflowRuntime(options);
  for (const workflow of [hello, chain, fan, timer, waits, kid, parent, again, fails, catches, parentWaits]) runtime.registerWorkflow(workflow);
  for (const activity of [greet, increment, flaky, broken]) runtime.registerActivity(activity);
  await runtime.start();
  const client = new DaprWorkflowClient(options);
  const end = id => client.waitForWorkflowCompletion(id, true, WAIT_S);
  const output = async (workflow, input) => JSON.parse((await end(await client.scheduleNewWorkflow(workflow, input))).serializedOutput);
  const api = async (method, where, body) => {
    const answer = await fetch(`http://127.0.0.1:${http}/v1.0/workflows/dapr/${where}`, { method, body });
    const text = await answer.text();
    return { status: answer.status, body: text ? JSON.parse(text) : null };
  };
  const ended = async id => { for (const last = Date.now() + WAIT_S * 1000; Date.now() < last; await sleep(20)) { const r = await api('GET', id); if (['COMPLETED', 'FAILED', 'TERMINATED'].includes(r.body.runtimeStatus)) return r.body; } throw new Error(`${id} did not end`); };

  await test('one activity', async () => same(await output(hello, 'World'), 'Hello World!', 'output'));
  await test('five activities one after another', async () => same(await output(chain, 1), 6, 'output'));
  await test('ten activities at once', async () => same(await output(fan, 10), 65, 'output'));
  await test('a durable timer', async () => { const took = await output(timer); if (took < 1000) throw new Error(`fired after ${took} ms`); });
  await test('two children', async () => same(await output(parent, 1), 3, 'output'));
  await test('twenty-five generations', async () => same(await output(again, 1), 25, 'output'));
  await test('an activity that fails', async () => { const s = await end(await client.scheduleNewWorkflow(fails)); if (!s.workflowFailureDetails?.getErrorMessage?.().includes('no funds')) throw new Error(`failure: ${JSON.stringify(s)}`); });
  await test('a failure that is caught', async () => same(await output(catches), 'Hello instead!', 'output'));
  await test('an event, its name in another case', async () => { const id = await client.scheduleNewWorkflow(waits); await client.raiseEvent(id, 'GO', { n: 1 }); same(JSON.parse((await end(id)).serializedOutput), { n: 1 }, 'output'); });
  await test('suspend, event, resume', async () => {
    const id = await client.scheduleNewWorkflow(waits);
    await client.suspendWorkflow(id);
    same((await api('GET', id)).body.runtimeStatus, 'SUSPENDED', 'status');
    await client.raiseEvent(id, 'go', 2);
    await client.resumeWorkflow(id);
    same(JSON.parse((await end(id)).serializedOutput), 2, 'output');
  });
  await test('terminate and purge', async () => {
    const id = await client.scheduleNewWorkflow(waits);
    await client.terminateWorkflow(id, 'enough');
    same((await ended(id)).runtimeStatus, 'TERMINATED', 'status');
    same(await client.purgeWorkflow(id), true, 'purged');
    same((await api('GET', id)).status, 404, 'after the purge');
  });
  await test('an id in use', async () => {
    const id = await client.scheduleNewWorkflow(waits, undefined, 'in-use');
    let refused = '';
    try { await client.scheduleNewWorkflow(waits, undefined, id); } catch (e) { refused = e.message; }
    if (!refused.includes('already exists')) throw new Error(`second start: ${refused}`);
    const http = await api('POST', 'waits/start?instanceID=in-use', '');
    same([http.status, http.body.errorCode], [500, 'ERR_START_WORKFLOW'], 'HTTP start');
    await client.terminateWorkflow(id);
  });
  await test('HTTP: start, get, the id again', async () => {
    same(await api('POST', 'hello/start?instanceID=h1', '"via http"'), { status: 202, body: { instanceID: 'h1' } }, 'start');
    const done = await ended('h1');
    same([done.workflowName, done.properties], ['hello', { 'dapr.workflow.input': '"via http"', 'dapr.workflow.output': '"Hello via http!"' }], 'get');
    same((await api('POST', 'hello/start?instanceID=h1', '"Again"')).status, 202, 'again');
  });
  await test('HTTP: steering', async () => {
    await api('POST', 'waits/start?instanceID=h2', '"go"');
    // Not twice in a row: the SDK's replay of a second suspension never ends.
    for (const verb of ['pause', 'resume', 'resume', 'raiseEvent/other']) same(await api('POST', `h2/${verb}`, ''), { status: 202, body: {} }, verb);
    same((await api('POST', 'h2/purge')).body.message, 'error purging workflow h2: failed to Purge workflow h2: failed to purge workflow state: orchestration has not yet completed', 'purge');
    await api('POST', 'h2/raiseEvent/GO', '{"n":2}');
    same((await ended('h2')).properties['dapr.workflow.output'], '{"n":2}', 'output');
    for (const verb of ['pause', 'resume', 'terminate', 'raiseEvent/go', 'purge']) same((await api('POST', `h2/${verb}`, '')).status, 202, `${verb} when finished`);
  });
  await test('HTTP: a terminate takes the children along', async () => {
    await api('POST', 'parentWaits/start?instanceID=h3', '');
    while ((await api('GET', 'h3:0001')).body.runtimeStatus !== 'RUNNING' && (await api('GET', 'h3:0000')).body.runtimeStatus !== 'RUNNING') await sleep(20);
    const child = (await api('GET', 'h3:0001')).status === 200 ? 'h3:0001' : 'h3:0000';
    await api('POST', 'h3/terminate?non_recursive=true');
    same([(await ended('h3')).runtimeStatus, (await ended(child)).runtimeStatus], ['TERMINATED', 'TERMINATED'], 'both');
  });
  await test('HTTP: refusals', async () => {
    const cases = [
      ['GET', 'nobody', 404, 'ERR_INSTANCE_ID_NOT_FOUND'], ['POST', 'nobody/terminate', 404, 'ERR_INSTANCE_ID_NOT_FOUND'],
      ['POST', 'nobody/purge', 404, 'ERR_INSTANCE_ID_NOT_FOUND'], ['POST', 'nobody/pause', 500, 'ERR_PAUSE_WORKFLOW'],
      ['POST', 'nobody/resume', 500, 'ERR_RESUME_WORKFLOW'], ['POST', 'nobody/raiseEvent/go', 500, 'ERR_RAISE_EVENT_WORKFLOW'],
      ['POST', 'hello/start?instanceID=a%20b', 400, 'ERR_INSTANCE_ID_INVALID'], ['POST', 'hello/start?instanceID=a:b', 400, 'ERR_INSTANCE_ID_INVALID'],
      ['POST', `hello/start?instanceID=${'x'.repeat(65)}`, 400, 'ERR_INSTANCE_ID_TOO_LONG'],
      ['GET', 'hello/start', 404, 'ERR_DIRECT_INVOKE'], ['DELETE', 'h1', 404, 'ERR_DIRECT_INVOKE'], ['GET', 'h1/history', 404, 'ERR_DIRECT_INVOKE'],
    ];
    for (const [method, where, status, code] of cases) {
      const r = await api(method, where, method === 'POST' ? '' : undefined);
      same([r.status, r.body.errorCode], [status, code], `${method} ${where}`);
    }
    same((await api('POST', 'hello/start?instanceID=big', 'x'.repeat(5_000_000))).body.errorCode, 'ERR_BODY_READ', 'a large body');
  });
  await client.stop?.();
  await runtime.stop();
}

process.on('exit', () => stopAtEnd.splice(0).reverse().forEach(stop => stop()));
process.on('SIGTERM', () => process.exit(1));
process.on('SIGINT', () => process.exit(1));
try { await main(); } catch (e) { failed++; console.log(`FAIL the suite itself\n     ${e?.stack ?? e}`); }
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
