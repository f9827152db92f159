import { h, post, act, field, setAhead, toast, sentence, link, pill } from './dom.js';
import { controls } from './payment.js';

// local is the page to try things on: nothing of it exists on a real stack.
export function local(s) {
  setAhead(s.aheadMs || 0);
  const byProvider = new Map();
  for (const p of s.payers) byProvider.set(p.provider, [...(byProvider.get(p.provider) || []), p]);
  return h('div', { 'data-page': 'try' }, h('h1', {}, 'Try it'),
    h('p', { class: 'lead' }, 'No real money: the providers and the demo app are stand-ins inside this process. The API, the callbacks and the records are the real ones.'),
    h('div', { class: 'columns even' },
      h('section', { class: 'card' }, h('h2', {}, 'New payment'), newPayment(s)),
      h('div', {},
        h('section', { class: 'card' }, h('h2', {}, 'What if …'), h('p', {}, 'A payment is started that ends in this event.'),
          h('div', { class: 'buttons' }, s.triggers.map((t) => h('button', { type: 'button', class: 'mono', 'data-trigger': t, onclick: (e) => trigger(e.currentTarget, t) }, t)))),
        h('section', { class: 'card' }, h('h2', {}, 'Break things'),
          h('div', { class: 'switches' },
            toggle('Demo app', s.appDown, 'It answers every callback with 500', (on) => post('local/app', { on })),
            s.providers.map((p) => toggle(p.displayName, p.down, 'It answers every request with an error', (on) => post('local/provider', { provider: p.name, on }))))),
        h('section', { class: 'card' }, h('h2', {}, 'Clock'), clock(s)))));
}

function newPayment(s) {
  const order = h('input', { name: 'order', required: true, maxlength: '100', value: 'ORDER-' + Math.floor(1000 + Math.random() * 9000), autocomplete: 'off' });
  const amount = h('input', { name: 'amount', required: true, inputmode: 'decimal', value: s.payers[0].amount, autocomplete: 'off' });
  const payer = h('select', { name: 'payer', onchange: () => { amount.value = s.payers[payer.value].amount; } },
    [...new Set(s.payers.map((p) => p.provider))].map((name) => h('optgroup', { label: name },
      s.payers.map((p, i) => p.provider === name ? h('option', { value: String(i) }, p.name) : ''))));
  return h('form', {
    'data-keep': true, onsubmit: (e) => {
      e.preventDefault();
      const p = s.payers[payer.value];
      const body = { amount: amount.value.trim(), externalId: order.value, provider: p.provider };
      if (p.method) body.method = p.method;
      if (p.number) body.payer = { partyIdType: 'MSISDN', partyId: p.number };
      act(e.submitter, async () => {
        const v = await post('local/pay', { body: JSON.stringify(body) });
        const answer = JSON.parse(v.body);
        if (!answer.referenceId) throw new Error('The API answered ' + v.code + ': ' + answer.error);
        location.hash = '#/payments/' + answer.referenceId;
        if (v.code >= 300) toast('The API answered ' + v.code + ': ' + answer.error, true);
      });
    },
  },
  field('What the payer does', payer, 'For the numbers and amounts behind these see infra/standin/README.md.'),
  field('Amount', amount, 'Where no payer is named, the cents choose what happens.'), field('Order', order),
  h('div', { class: 'buttons' }, h('button', { type: 'submit', class: 'primary' }, 'Start the payment')));
}

async function trigger(button, event) {
  const v = await act(button, () => post('local/trigger', { event }), (t) => t.text);
  if (v && v.reference) location.hash = '#/payments/' + v.reference;
}

function toggle(name, down, meaning, set) {
  return h('label', { class: 'switch', 'data-key': name }, h('input', {
    type: 'checkbox', checked: down, onchange: (e) => {
      const on = e.target.checked;
      act(e.target, () => set(on), name + (on ? ' is down.' : ' answers again.'));
    },
  }), h('span', {}, name + ' down', h('small', {}, meaning)), down ? pill('down', 'bad') : '');
}

function clock(s) {
  const forward = (seconds, text) => h('button', {
    type: 'button', onclick: (e) => act(e.currentTarget, () => post('local/clock', { seconds }), 'The clock has moved.'),
  }, text);
  return [
    h('p', {}, s.ahead ? 'It is ' + s.ahead + ' ahead of this machine’s.' : 'The clock of the proxy, of the stand-ins and of the demo app goes forward together.'),
    h('div', { class: 'buttons' }, forward(60, '+1 min'), forward(3600, '+1 h'), forward(25 * 3600, '+25 h')),
    h('p', { class: 'muted' }, 'A payment that nobody ends becomes TIMEOUT after 24 hours. Your own app’s clock does not move: it may refuse a signature as too new.'),
  ];
}

// pay is what the payer sees: a page of the stand-in.
export function pay(v, about) {
  const p = v.payment;
  if (!about.local) return h('p', { class: 'empty' }, 'There is no stand-in here.');
  const open = p.status === 'PENDING' || p.status === 'ONGOING';
  return h('div', { 'data-page': 'pay' + p.reference, class: 'phone' },
    h('p', { class: 'muted' }, p.providerName + ', a stand-in'), h('h1', {}, p.amount), h('p', {}, 'to ' + p.appName + ', order ' + p.order),
    p.payerMessage ? h('p', {}, p.payerMessage) : '',
    Object.entries(p.instructions || {}).map(([name, value]) => h('p', { class: 'mono muted cut' }, name + ' ' + value)),
    open ? controls({ ...v, controls: (v.controls || []).filter((c) => c === 'approve' || c === 'decline') }) : h('p', { class: 'sentence ' + (v.tone || '') }, sentence(v.sentence)),
    h('p', {}, link('#/payments/' + p.reference, 'What the proxy sees')));
}
