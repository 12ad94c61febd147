// The promised load, steadily: 500 payments and 1,500 requests a second for ten minutes, nightly and before a release.
import { objectives, prepare, read, redeem, requestsPerSecond, transactionsPerSecond } from './story.js';

function arrivals(rate) {
  return {
    executor: 'constant-arrival-rate',
    rate,
    timeUnit: '1s',
    duration: __ENV.DURATION || '10m',
    preAllocatedVUs: Math.ceil(rate / 5) + 1,
    maxVUs: rate + 1,
  };
}

/** @type {import('k6/options').Options} */
export const options = {
  scenarios: {
    payments: { ...arrivals(transactionsPerSecond), exec: 'payments' },
    lookups: { ...arrivals(requestsPerSecond - transactionsPerSecond), exec: 'lookups' },
  },
  thresholds: objectives,
};

export function setup() {
  return prepare();
}

export function payments(data) {
  redeem(data);
}

export function lookups(data) {
  read(data);
}
