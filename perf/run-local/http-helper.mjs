// One connection of one virtual user: takes a request, writes the answer to shared memory and wakes who waits for it.
import http from 'node:http';
import { parentPort, workerData as shared } from 'node:worker_threads';

const flag = new Int32Array(shared, 0, 2);
const bytes = new Uint8Array(shared, 8);
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });

function answer(status, body) {
  const text = Buffer.from(JSON.stringify({ status, body }));
  bytes.set(text.subarray(0, bytes.length));
  Atomics.store(flag, 1, text.length);
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
}

parentPort.on('message', ({ method, url, body, headers }) => {
  const request = http.request(url, { method, headers, agent }, response => {
    const chunks = [];
    response.on('data', chunk => chunks.push(chunk));
    response.on('end', () => answer(response.statusCode, Buffer.concat(chunks).toString('utf8')));
  });
  request.on('error', error => answer(0, error.message));
  request.end(body);
});
