// Does it work at all: one till for a minute, after each deployment.
import { objectives, prepare, read, redeem } from './story.js';

/** @type {import('k6/options').Options} */
export const options = {
  scenarios: {
    till: { executor: 'constant-vus', vus: 1, duration: __ENV.DURATION || '1m', exec: 'till' },
  },
  thresholds: objectives,
};

export function setup() {
  return prepare(2);
}

export function till(data) {
  read(data);
  redeem(data);
  read(data);
}
