import { h, post, act, ask, field, time, timeText, pill, paymentPill, copyButton, sentence, code, duration, toast, link, deliveryPill, heldWords } from './dom.js';
import { checkNow, resendButton, lastAnswer } from './lists.js';

// shown has what was shown of a payment whose number was asked for.
const shown = new Map();

export function payment(v, about) {
  const p = v.payment, seen = shown.get(p.reference);
  const steps = seen ? v.steps.map((s) => ({ ...s, ...(seen.steps.get(s.id) || {}) })) : v.steps;
  const told = v.deliveries.every((d) => d.state === 'delivered'), story = [lanes(v, steps), callbacks(v, steps, about, seen)];
  return h('div', { 'data-page': 'payment' + p.reference, class: 'payment' },
    h('p', { class: 'crumbs' }, link('#/payments', 'Payments'), ' / ', p.order),
    h('h1', { class: 'sentence ' + (v.tone || '') }, sentence(v.sentence)),
    h('p', { class: 'facts-line' }, paymentPill(p), h('strong', {}, p.amount), h('span', {}, p.order), h('span', { class: 'muted' }, p.appName),
      h('span', { class: 'mono muted' }, p.reference)),
    v.controls ? controls(v) : '',
    h('div', { class: 'columns story' },
      h('div', {}, told ? story : story.reverse()),
      h('aside', {}, tell(v), actions(v, about), facts(v, seen, about))));
}

function tell(v) {
  return h('section', { class: 'tell' }, h('h2', {}, 'Tell the customer'), h('p', {}, v.tell), copyButton(v.tell));
}

// ---- the picture ----

const laneNames = (p) => [['app', p.appName], ['proxy', 'Proxy'], ['provider', p.providerName], ['payer', 'Payer']];

function lanes(v, steps) {
  return h('section', { class: 'picture', 'data-key': 'picture' }, h('h2', {}, 'What happened'),
    h('div', { class: 'lane-head', 'aria-hidden': 'true' }, h('span', {}), h('div', { class: 'lanes names' }, laneNames(v.payment).map(([, name]) => h('span', { class: 'cut' }, name)))),
    h('ol', { class: 'steps' }, steps.map((s) => step(s))));
}

function step(s) {
  const self = s.from === s.to;
  const right = ['app', 'proxy', 'provider', 'payer'].indexOf(s.from) < ['app', 'proxy', 'provider', 'payer'].indexOf(s.to);
  const arrow = h('span', { class: 'arrow ' + (self ? 'mark on-' + s.from : (right ? 'to-right ' : 'to-left ') + 'between-' + (right ? s.from + '-' + s.to : s.to + '-' + s.from)) });
  const summary = [
    h('span', { class: 'at' }, time(s.at, true)), h('span', { class: 'lanes' }, arrow),
    h('span', { class: 'what' }, s.text, s.times > 1 ? h('b', { class: 'times', title: 'until ' + timeText(s.until, true) }, '×' + s.times) : '',
      s.inferred ? h('small', {}, ' (not seen by the proxy)') : '', s.note && !s.method ? h('small', {}, ' ' + s.note) : ''),
    h('span', { class: 'result' }, s.result ? pill(s.result, s.tone || 'wait') : ''),
  ];
  const kind = 'step ' + (s.tone || '') + (s.inferred ? ' inferred' : '') + (self ? ' self' : '');
  if (!s.method || (!s.request && !s.answer && !s.url)) return h('li', { class: kind, 'data-key': s.id }, h('div', { class: 'line' }, summary));
  return h('li', { class: kind, 'data-key': s.id }, h('details', {}, h('summary', { class: 'line' }, summary), exchange(s)));
}

function exchange(s) {
  return h('div', { class: 'exchange' },
    h('p', { class: 'mono' }, s.method + ' ' + s.url, s.result ? ' → ' + s.result : '', ' in ' + duration(s.tookMs || 0)),
    s.times > 1 ? h('p', {}, 'Asked ' + s.times + ' times with the same answer, the last time at ', time(s.until, true), '.') : '',
    s.note ? h('p', {}, s.note) : '',
    h('div', { class: 'bodies' },
      s.request ? h('div', {}, h('h4', {}, 'Request'), code(s.request)) : '',
      s.answer ? h('div', {}, h('h4', {}, 'Answer'), code(s.answer)) : h('p', { class: 'muted' }, s.said ? 'The audit log keeps this answer in words: ' + s.said : 'The answer had no body.')),
    h('div', { class: 'buttons' }, s.curl ? copyButton(s.curl, 'Copy as curl') : '', s.request ? copyButton(s.request, 'Copy request') : '', s.answer ? copyButton(s.answer, 'Copy answer') : ''));
}

// ---- callbacks ----

function callbacks(v, steps, about, seen) {
  if (!v.deliveries.length) return h('section', { 'data-key': 'callbacks' }, h('h2', {}, 'Callbacks'), h('p', { class: 'muted' }, 'None yet: an open payment is not announced.'));
  return h('section', { 'data-key': 'callbacks' }, h('h2', {}, 'Callbacks'), v.deliveries.map((d, i) => h('article', { class: 'card', 'data-key': d.eventId },
    h('h3', {}, d.event, deliveryPill(d)),
    h('p', { class: 'mono cut' }, d.url || 'no callback URL'),
    h('p', {}, d.attempts + (d.attempts === 1 ? ' attempt' : ' attempts') + ', last answer ' + lastAnswer(d),
      d.nextAttemptAt ? [', next at ', time(d.nextAttemptAt)] : '', d.heldReason ? ', held: ' + heldWords(d) : '', d.askedAt ? ', one asked for by hand' : ''),
    whyNot(d, steps),
    h('details', { 'data-key': 'body' + d.eventId }, h('summary', {}, 'The signed body'), code(seen ? seen.bodies[i] || v.bodies[i] : v.bodies[i]),
      h('p', { class: 'muted mono' }, 'webhook-id ' + d.eventId)),
    h('div', { class: 'buttons' }, about.actions ? resendButton(d) : '', copyButton(v.resend, 'Copy as curl for the app')))));
}

// whyNot is what the app answered last, of a callback that it did not take.
function whyNot(d, steps) {
  const last = d.state === 'delivered' ? undefined : steps.filter((s) => s.id.startsWith('a' + d.sequence + '-')).at(-1);
  if (!last) return '';
  return h('div', { class: 'why' }, last.note ? h('p', {}, last.note) : '',
    last.answer ? [h('h4', {}, 'The app’s last answer, ' + last.result), code(last.answer)] : '');
}

// ---- facts and actions ----

function facts(v, seen, about) {
  const p = v.payment, rows = [];
  const add = (name, value) => { if (value) rows.push(h('dt', {}, name), h('dd', {}, value)); };
  add('Payer', p.payer ? h('span', {}, h('span', { class: 'mono' }, seen ? seen.number : p.payer), ' ', seen ? '' : h('button', {
    type: 'button', class: 'small', onclick: (e) => act(e.currentTarget, async () => {
      const full = await post('payments/' + p.reference + '/reveal');
      const pick = ({ request, answer, url, curl }) => ({ request, answer, url, curl });
      shown.set(p.reference, { number: full.number, bodies: full.bodies, steps: new Map(full.steps.map((s) => [s.id, pick(s)])) });
      dispatchEvent(new Event('hashchange'));
    }, 'The number is shown until you load the page anew. The audit log has it.'),
  }, 'Show')) : '');
  add('Started', time(p.createdAt));
  if (p.endedAt) add('Ended', time(p.endedAt));
  add('Provider', p.providerName + (p.method ? ', ' + p.method : ''));
  if (p.account !== p.provider) add('Account', p.account);
  add('Transaction', p.transactionId);
  add('Reason', p.reason);
  for (const [name, value] of Object.entries(p.providerIds || {})) add('Provider’s ' + name, h('span', { class: 'mono' }, value));
  for (const [name, value] of Object.entries(p.instructions || {})) add('To pay: ' + name, about.local && /^(link|code|referenceNumber)$/.test(name) ? h('a', { class: 'mono', href: '#/pay/' + p.reference, title: 'The payer’s page of the stand-in' }, value) : h('span', { class: 'mono' }, value));
  if (p.expiresAt) add('Payable until', time(p.expiresAt));
  add('Message', p.payerMessage);
  add('Note', p.payeeNote);
  for (const [name, value] of Object.entries(p.metadata || {})) add(name, value);
  if (p.invoiceUrl) add('Invoice', h('span', { class: 'mono' }, p.invoiceUrl));
  add('Asked', p.checks ? p.checks + (p.checks === 1 ? ' time' : ' times') : '');
  if (p.nextCheckAt) add('Next question', time(p.nextCheckAt));
  return h('section', {}, h('h2', {}, 'Facts'), h('dl', { class: 'facts' }, rows),
    h('div', { class: 'buttons' }, copyButton(v.statusCurl, 'Copy status as curl'), copyButton(p.reference, 'Copy reference')));
}

function actions(v, about) {
  if (!v.can.check && !v.can.settle) return '';
  return h('section', {}, h('h2', {}, 'Operator'), h('div', { class: 'buttons' },
    v.can.check ? h('button', { type: 'button', onclick: (e) => checkNow(e.currentTarget, v.payment.reference) }, 'Ask ' + v.payment.providerName + ' now') : '',
    v.can.settle ? h('button', { type: 'button', onclick: () => settle(v) }, 'Settle…') : ''),
  !about.canAsk && about.askFault ? h('p', { class: 'muted' }, about.askFault) : '');
}

function settle(v) {
  const p = v.payment;
  ask({
    title: 'Settle ' + p.amount + ' for ' + p.order + '?', confirm: 'Settle', danger: true,
    body: h('div', {}, h('p', {}, 'The app is told at once, and that cannot be taken back. Look at the provider’s own records first.'),
      p.phase !== 'held' && !p.unanswerable ? h('p', { class: 'warning' }, 'It is not held: the provider may still end it by itself, and take the money after all.') : ''),
    fields: [
      field('It ended as', h('select', { name: 'status', required: true }, ['', 'SUCCESSFUL', 'FAILED', 'CANCELLED'].map((s) => h('option', { value: s }, s || 'Choose…')))),
      field('Reason', h('input', { name: 'reason', required: true, maxlength: '200', autocomplete: 'off' }), 'For the audit log. The app reads it unless the payment was successful.'),
      field('Provider’s transaction id', h('input', { name: 'transactionId', autocomplete: 'off' }), 'With SUCCESSFUL only.'),
      v.can.needsSeen ? field('What the provider’s portal shows', h('input', { name: 'seen', autocomplete: 'off' }), 'Needed for FAILED and CANCELLED: the payer may have been charged.') : '',
      v.can.payable ? h('label', { class: 'check' }, h('input', { type: 'checkbox', name: 'double' }),
        'The payer may have paid it, or can still pay it. With FAILED or CANCELLED the order is free to be paid again, and may be paid twice. I accept that.') : '',
    ],
    send: async (f) => {
      await post('payments/' + p.reference + '/settle', {
        status: f.status, reason: f.reason, transactionId: f.transactionId, seen: f.seen || '', allowDoublePayment: f.double === 'on',
      });
      toast('Settled. The app is being told.');
    },
  });
}

// ---- what only a stand-in can do ----

const words = {
  approve: ['Approve', 'The payer approved it.'], decline: ['Decline', 'The payer declined it.'], expire: ['Let it expire', 'It has run out.'],
  lose: ['Approve, lose the callback', 'It is paid, and nobody calls back: the proxy has to ask.'],
  repeat: ['Repeat the callback', 'The callback was sent again.'], forge: ['Forge a callback', 'Somebody else has posted SUCCESSFUL.'],
};

export function controls(v) {
  if (!v.controls.length) return '';
  return h('section', { class: 'controls', 'aria-label': 'Play the payer and the provider' },
    h('span', { class: 'muted' }, v.payment.endedAt ? 'Play the provider:' : 'Play the payer:'), v.controls.map((c) => h('button', {
      type: 'button', class: c === 'approve' ? 'primary' : c === 'decline' ? 'danger' : '', 'data-control': c,
      onclick: (e) => act(e.currentTarget, () => post('local/payments/' + v.payment.reference + '/' + c), words[c][1]),
    }, words[c][0])), v.payment.status === 'PENDING' || v.payment.status === 'ONGOING' ? link('#/pay/' + v.payment.reference, 'Open the payer’s page') : '');
}
