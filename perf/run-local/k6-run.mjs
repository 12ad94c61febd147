// Runs a k6 script without k6: node k6-run.mjs SCRIPT [-e NAME=VALUE]... For smaller loads than k6's: one worker with one
// connection per virtual user, synchronous requests. Knows what perf/k6 uses: http.get and post, check, fail, thresholds of
// rate and p(N), constant-vus, constant- and ramping-arrival-rate. Exit 99 when a threshold is crossed, as k6.
import { register } from 'node:module';
import path from 'node:path';
import { pathToFileURL, fileURLToPath } from 'node:url';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';

const thresholdsCrossed = 99;
const maxUsers = 64;
const here = fileURLToPath(import.meta.url);

function seconds(text) {
  const units = { ms: 0.001, s: 1, m: 60, h: 3600 };
  return [...String(text).matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce((sum, m) => sum + Number(m[1]) * units[m[2]], 0);
}

function parse(args) {
  const env = {};
  let script;
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '-e') {
      const [name, ...value] = args[++i].split('=');
      env[name] = value.join('=');
    } else {
      script = path.resolve(args[i]);
    }
  }
  if (!script) {
    throw new Error('usage: node k6-run.mjs SCRIPT [-e NAME=VALUE]...');
  }
  return { script, env };
}

async function load(script, env) {
  globalThis.__ENV = env;
  register(
    `data:text/javascript,${encodeURIComponent(`
      export async function resolve(name, context, next) {
        return name === 'k6' || name.startsWith('k6/')
          ? { url: 'k6-local:' + name, shortCircuit: true }
          : next(name, context);
      }
      export async function load(url, context, next) {
        if (!url.startsWith('k6-local:')) {
          return /\\/k6\\/[a-z]+\\.js$/.test(url) ? { ...(await next(url, { ...context, format: 'module' })), format: 'module' } : next(url, context);
        }
        const source = url === 'k6-local:k6/http'
          ? 'export default globalThis.k6Local.http;'
          : 'export const { check, fail, sleep } = globalThis.k6Local;';
        return { format: 'module', source, shortCircuit: true };
      }`)}`
  );
  return import(pathToFileURL(script));
}

/** When the n-th iteration of an arrival rate is due, in seconds from the start; null: after its end. */
function* arrivals(scenario) {
  const stages =
    scenario.executor === 'constant-arrival-rate'
      ? [{ target: scenario.rate, duration: scenario.duration }]
      : scenario.stages;
  let rate = scenario.startRate ?? scenario.rate;
  let start = 0;
  let debt = 0;
  for (const stage of stages) {
    const length = seconds(stage.duration);
    const slice = 0.01;
    for (let at = 0; at < length; at += slice) {
      debt += (rate + ((stage.target - rate) * at) / length) * slice;
      for (; debt >= 1; debt--) {
        yield start + at;
      }
    }
    start += length;
    rate = stage.target;
  }
}

function parts(scenario) {
  const users = Math.min(maxUsers, scenario.vus ?? scenario.preAllocatedVUs);
  if (scenario.executor === 'constant-vus') {
    return Array.from({ length: users }, () => ({ until: seconds(scenario.duration) }));
  }
  const due = [...arrivals(scenario)];
  return Array.from({ length: users }, (_, user) => ({ due: due.filter((_, i) => i % users === user) }));
}

async function main() {
  const { script, env } = parse(process.argv.slice(2));
  globalThis.k6Local = locals(new Tally());
  const module = await load(script, env);
  const setup = await child({ script, env, setup: true });
  const started = Date.now();
  const runs = Object.values(module.options.scenarios).flatMap(scenario =>
    parts(scenario).map((part, user) => child({ script, env, part, exec: scenario.exec, data: setup.data, user }))
  );
  const total = Tally.sum((await Promise.all(runs)).map(run => run.tally));
  const elapsed = (Date.now() - started) / 1000;
  let crossed = false;
  const lines = [];
  for (const [metric, rules] of Object.entries(module.options.thresholds)) {
    for (const rule of rules) {
      const [, what, sign, bound] = /^(rate|p\((\d+(?:\.\d+)?)\))([<>])(\d+(?:\.\d+)?)$/.exec(rule).filter((_, i) => i !== 2);
      const value = total.value(metric, what);
      const holds = sign === '<' ? value < Number(bound) : value > Number(bound);
      crossed ||= !holds;
      lines.push(`${holds ? 'ok  ' : 'FAIL'} ${metric} ${rule}: ${Number(value.toFixed(4))}`);
    }
  }
  const rate = (total.durations.length / elapsed).toFixed(1);
  console.log(`${total.durations.length} requests in ${elapsed.toFixed(1)} s (${rate}/s), ${total.failed} failed, ${total.late} iterations dropped`);
  console.log(lines.join('\n'));
  process.exitCode = crossed ? thresholdsCrossed : 0;
}

function child(workerData) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(here, { workerData });
    worker.once('message', message => resolve({ ...message, tally: message.tally && Object.assign(new Tally(), message.tally) }));
    worker.once('error', reject);
  });
}

class Tally {
  durations = [];
  failed = 0;
  late = 0;
  checks = 0;
  unchecked = 0;

  static sum(tallies) {
    const total = new Tally();
    for (const tally of tallies) {
      total.durations.push(...tally.durations);
      for (const key of ['failed', 'late', 'checks', 'unchecked']) {
        total[key] += tally[key];
      }
    }
    total.durations.sort((a, b) => a - b);
    return total;
  }

  value(metric, what) {
    if (metric === 'http_req_failed') {
      return this.failed / Math.max(1, this.durations.length);
    }
    if (metric === 'checks') {
      return (this.checks - this.unchecked) / Math.max(1, this.checks);
    }
    const percent = Number(/\d+(\.\d+)?/.exec(what)[0]);
    return this.durations[Math.min(this.durations.length - 1, Math.floor((percent / 100) * this.durations.length))] ?? 0;
  }
}

function locals(tally) {
  // Requests are made by a helper thread; this one sleeps until the answer is in shared memory, as a k6 script expects.
  const shared = new SharedArrayBuffer(1 << 20);
  const flag = new Int32Array(shared, 0, 2);
  const bytes = new Uint8Array(shared, 8);
  let helper;
  function request(method, url, body, { headers = {} } = {}) {
    helper ??= new Worker(new URL('./http-helper.mjs', import.meta.url), { workerData: shared });
    helper.unref();
    const before = performance.now();
    Atomics.store(flag, 0, 0);
    helper.postMessage({ method, url, body, headers });
    Atomics.wait(flag, 0, 0);
    const answer = JSON.parse(Buffer.from(bytes.slice(0, Atomics.load(flag, 1))).toString('utf8'));
    tally.durations.push(performance.now() - before);
    tally.failed += answer.status === 0 || answer.status >= 400 ? 1 : 0;
    const json = at => (at ?? '').split('.').filter(Boolean).reduce((node, key) => node?.[key], JSON.parse(answer.body));
    return { ...answer, json };
  }
  return {
    http: {
      get: (url, parameters) => request('GET', url, undefined, parameters),
      post: (url, body, parameters) => request('POST', url, body, parameters),
    },
    check(value, rules) {
      const wrong = Object.values(rules).filter(rule => !rule(value)).length;
      tally.checks += Object.keys(rules).length;
      tally.unchecked += wrong;
      return wrong === 0;
    },
    fail(message) {
      throw new Error(message);
    },
    sleep(time) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, time * 1000);
    },
  };
}

async function work({ script, env, part, exec, data, user, setup }) {
  const tally = new Tally();
  globalThis.k6Local = locals(tally);
  globalThis.__VU = user ?? 0;
  globalThis.__ITER = 0;
  const module = await load(script, env);
  if (setup) {
    parentPort.postMessage({ data: module.setup() });
    return;
  }
  const start = performance.now();
  const now = () => (performance.now() - start) / 1000;
  if (part.until) {
    for (; now() < part.until; globalThis.__ITER++) {
      module[exec](data);
    }
  } else {
    for (const due of part.due) {
      const wait = due - now();
      if (wait < -1) {
        // A second behind: no user is free, which k6 counts as dropped.
        tally.late++;
        continue;
      }
      globalThis.k6Local.sleep(Math.max(0, wait));
      module[exec](data);
      globalThis.__ITER++;
    }
  }
  parentPort.postMessage({ tally: { ...tally } });
}

if (isMainThread) {
  await main();
} else {
  await work(workerData);
}
