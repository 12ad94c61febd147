// The official gRPC implementation for Node as the other side of our tests.
//   node peer.mjs server ECHO.PROTO          serves Echo, prints its port, ends when its input ends
//   node peer.mjs client ECHO.PROTO ADDRESS  calls Echo, prints a line for each check, exit code 1 if one failed
import assert from 'node:assert/strict';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [mode, proto, address] = process.argv.slice(2);
const definition = loader.loadSync(proto, { keepCase: true, defaults: true });
const { Echo } = grpc.loadPackageDefinition(definition).localplus.compat.tests.v1;

if (mode === 'server') {
  serve();
} else {
  await call(new Echo(address, grpc.credentials.createInsecure()));
}

function serve() {
  const refusal = Object.assign(new Error(), {
    code: grpc.status.FAILED_PRECONDITION,
    details: 'zu wenig: 30 € > 20 % 💶',
    metadata: grpc.Metadata.fromHttp2Headers({ why: 'balance' }),
  });
  refusal.metadata.set('proof-bin', Buffer.from([0, 255, 7]));
  const server = new grpc.Server();
  server.addService(Echo.service, {
    Say(c, answer) {
      const text = c.request.text;
      if (text === 'refuse') return answer(refusal);
      if (text === 'wait') return undefined;
      if (text === 'headers') {
        const headers = new grpc.Metadata();
        headers.set('early', 'yes');
        headers.set('seen', c.metadata.get('who')[0] ?? '');
        headers.set('raw-bin', c.metadata.get('raw-bin')[0]);
        c.sendMetadata(headers);
      }
      const trailers = new grpc.Metadata();
      trailers.set('said', String(text.length));
      return answer(null, c.request, trailers);
    },
    Repeat(c) {
      for (let i = 0; i < c.request.times; i++) c.write({ text: c.request.text, times: i });
      if (c.request.text === 'refuse') c.emit('error', { code: grpc.status.ABORTED, details: 'enough' });
      else c.end();
    },
    Join(c, answer) {
      const words = [];
      c.on('data', (m) => words.push(m.text));
      c.on('end', () => answer(null, { text: words.join(' '), times: words.length }));
    },
    Chat(c) {
      c.on('data', (m) => c.write(m));
      c.on('end', () => c.end());
    },
  });
  server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => console.log(error ?? port));
  process.stdin.on('end', () => process.exit(0)).resume();
}

async function call(client) {
  const say = (request, metadata = new grpc.Metadata(), options = {}) =>
    new Promise((resolve) => {
      const seen = {};
      const c = client.Say(request, metadata, options, (error, answer) => {
        Object.assign(seen, { error, answer });
        if (error) resolve(seen);
      });
      c.on('metadata', (headers) => { seen.headers = headers; });
      c.on('status', (status) => { seen.status = status; resolve(seen); });
    });
  const read = (stream) =>
    new Promise((resolve) => {
      const all = [];
      stream.on('data', (m) => all.push(m)).on('end', () => resolve({ all })).on('error', (error) => resolve({ all, error }));
    });

  const checks = {
    async unary() {
      const seen = await say({ text: 'hello' });
      assert.equal(seen.answer.text, 'hello');
      assert.deepEqual(seen.status.metadata.get('said'), ['5']);
    },
    async refusal() {
      const { error } = await say({ text: 'refuse' });
      assert.equal(error.code, grpc.status.FAILED_PRECONDITION);
      assert.equal(error.details, 'zu wenig: 30 € > 20 % 💶\n');
      assert.deepEqual(error.metadata.get('proof-bin'), [Buffer.from([0, 255, 7])]);
    },
    async metadata() {
      const sent = new grpc.Metadata();
      sent.set('who', 'me');
      sent.set('odd-bin', Buffer.from([1, 2, 3, 4, 5]));
      const { headers } = await say({ text: 'headers' }, sent);
      assert.deepEqual(headers.get('early'), ['yes']);
      assert.deepEqual(headers.get('raw-bin'), [Buffer.from([1, 2])]);
    },
    async deadline() {
      const { error } = await say({ text: 'wait' }, undefined, { deadline: Date.now() + 300 });
      assert.equal(error.code, grpc.status.DEADLINE_EXCEEDED);
    },
    async unimplemented() {
      const error = await new Promise((resolve) => client.makeUnaryRequest(
        '/localplus.compat.tests.v1.Echo/Shout', (m) => m, (m) => m, Buffer.alloc(0), resolve));
      assert.equal(error.code, grpc.status.UNIMPLEMENTED);
    },
    async large() {
      const { answer } = await say({ ballast: Buffer.alloc(3_000_000, 7) });
      assert.equal(answer.ballast.length, 3_000_000);
      const { error } = await say({ ballast: Buffer.alloc(5_000_000) });
      assert.equal(error.code, grpc.status.RESOURCE_EXHAUSTED);
    },
    async serverStream() {
      const { all, error } = await read(client.Repeat({ text: 'x', times: 500 }));
      assert.equal(error, undefined);
      assert.deepEqual(all.map((m) => m.times), [...Array(500).keys()]);
      const failed = await read(client.Repeat({ text: 'refuse', times: 2 }));
      assert.equal(failed.all.length, 2);
      assert.deepEqual([failed.error.code, failed.error.details], [grpc.status.ABORTED, 'enough']);
    },
    async clientStream() {
      const text = await new Promise((resolve, reject) => {
        const c = client.Join((error, answer) => (error ? reject(error) : resolve(answer.text)));
        ['one', 'two'].forEach((word) => c.write({ text: word }));
        c.end();
      });
      assert.equal(text, 'one two');
    },
    async duplexStream() {
      const c = client.Chat();
      const seen = [];
      c.write({ times: 0 });
      await new Promise((resolve, reject) => {
        c.on('error', reject).on('end', resolve).on('data', (m) => {
          seen.push(m.times);
          if (seen.length < 50) c.write({ times: seen.length });
          else c.end();
        });
      });
      assert.equal(seen.length, 50);
    },
  };
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log(`ok ${name}`);
    } catch (error) {
      failed = 1;
      console.log(`failed ${name}: ${error.message}`);
    }
  }
  process.exit(failed);
}
