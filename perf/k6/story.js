// What a till does, and how often of each: shared by the four scripts. BASE_URL is the gateway, API_KEY a merchant's test key.
import http from 'k6/http';
import { check, fail } from 'k6';

/** @type {import('k6/options').Options['thresholds']} The ledger's objective, and fewer than one failure in a thousand. */
export const objectives = {
  http_req_failed: ['rate<0.001'],
  http_req_duration: ['p(99)<200'],
  checks: ['rate>0.999'],
};

/** The seed's figures: 500 transactions and 1,500 requests a second. SCALE (0 to 1) reduces both. */
const scale = Number(__ENV.SCALE || 1);
export const transactionsPerSecond = Math.max(1, Math.round(500 * scale));
export const requestsPerSecond = Math.max(3, Math.round(1500 * scale));

const base = __ENV.BASE_URL;
const key = __ENV.API_KEY;

function headers(idempotency) {
  const common = { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' };
  return idempotency ? { ...common, 'Idempotency-Key': idempotency } : common;
}

function post(path, body, name, idempotency) {
  return http.post(`${base}${path}`, JSON.stringify(body), { headers: headers(idempotency), tags: { name } });
}

function unique(what) {
  return `k6-${what}-${__VU}-${__ITER}-${Date.now()}-${Math.floor(Math.random() * 1e9)}`;
}

/** A programme and cards that hold enough for the whole run; called once, by setup. */
export function prepare(cards = 20) {
  const program = post('/v1/programs', { name: unique('k6'), currency: 'EUR' }, 'program', unique('program'));
  if (program.status !== 201) {
    fail(`the gateway answers ${program.status}: ${program.body}`);
  }
  const sold = [];
  for (let i = 0; i < cards; i++) {
    const sale = post(
      '/v1/gift_cards',
      { program_id: program.json('id'), amount: { amount: 1000000, currency: 'EUR' } },
      'sale',
      unique('sale')
    );
    if (sale.status !== 201) {
      fail(`no card was sold: ${sale.status} ${sale.body}`);
    }
    sold.push({ id: sale.json('id'), code: sale.json('code') });
  }
  return { sold };
}

function one(data) {
  return data.sold[Math.floor(Math.random() * data.sold.length)];
}

/** Two reads come with each payment: together the seed's three requests to a transaction. */
export function read(data) {
  const answer = http.get(`${base}/v1/gift_cards/${one(data).id}`, { headers: headers(), tags: { name: 'read' } });
  check(answer, { 'a card is read': r => r.status === 200 });
}

export function redeem(data) {
  const answer = post(
    '/v1/redemptions',
    {
      reference: unique('till'),
      mode: 'immediate',
      amount: { amount: 1, currency: 'EUR' },
      sources: [{ gift_card: { code: one(data).code } }],
    },
    'redeem',
    unique('redeem')
  );
  check(answer, { 'a payment is taken': r => r.status === 201 });
}
