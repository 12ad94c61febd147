// Twice the promised load, in steps, to see where it bends: it may become slow, it may not fail or lose money.
import { objectives, prepare, read, redeem, requestsPerSecond, transactionsPerSecond } from './story.js';

const step = __ENV.DURATION || '2m';

function arrivals(rate) {
  return {
    executor: 'ramping-arrival-rate',
    startRate: Math.max(1, Math.round(rate / 4)),
    timeUnit: '1s',
    preAllocatedVUs: Math.ceil(rate / 5) + 1,
    maxVUs: 2 * rate + 1,
    stages: [
      { target: Math.max(1, Math.round(rate / 2)), duration: step },
      { target: rate, duration: step },
      { target: Math.round(rate * 1.5), duration: step },
      { target: rate * 2, duration: step },
      { target: 1, duration: step },
    ],
  };
}

/** @type {import('k6/options').Options} */
export const options = {
  scenarios: {
    payments: { ...arrivals(transactionsPerSecond), exec: 'payments' },
    lookups: { ...arrivals(requestsPerSecond - transactionsPerSecond), exec: 'lookups' },
  },
  thresholds: { ...objectives, http_req_duration: ['p(99)<2000'], http_req_failed: ['rate<0.01'] },
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
