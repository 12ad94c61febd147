// Half the promised load for four hours: what leaks, grows or fills up shows.
import { objectives, prepare, read, redeem, requestsPerSecond, transactionsPerSecond } from './story.js';

function arrivals(rate) {
  return {
    executor: 'constant-arrival-rate',
    rate: Math.max(1, Math.round(rate / 2)),
    timeUnit: '1s',
    duration: __ENV.DURATION || '4h',
    preAllocatedVUs: Math.ceil(rate / 10) + 1,
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
