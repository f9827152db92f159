import { h, post, act, ask, field, time, pill, toast } from './dom.js';

// tried has what each account's credentials did, by id, and when.
const tried = new Map();

export function accounts(v, about) {
  const configured = v.accounts.filter((a) => !a.missing), missing = v.accounts.filter((a) => a.missing);
  return h('div', { 'data-page': 'accounts' }, h('h1', {}, 'Accounts'),
    h('p', { class: 'lead' }, 'An account is one set of credentials with a provider. A payment stays with the account that made it.'),
    about.canAsk ? '' : h('p', { class: 'warning' }, 'The accounts are not at hand here, only where payments are open. ' + about.askFault),
    about.canAsk && about.actions ? h('div', { class: 'buttons' }, h('button', { type: 'button', onclick: (e) => check(e.currentTarget) }, 'Check the credentials')) : '',
    configured.length ? h('div', { class: 'cards', 'data-key': 'configured' }, configured.map((a) => account(a, about))) : '',
    missing.length ? h('section', { 'data-key': 'missing' }, h('h2', {}, about.canAsk ? 'Not configured' : 'Accounts with open payments'),
      h('div', { class: 'cards' }, missing.map((a) => h('article', { class: 'card', 'data-key': a.account },
        h('h3', {}, a.account, about.canAsk ? pill('missing') : ''), h('p', {}, openText(a)),
        about.canAsk ? h('p', { class: 'muted' }, 'These payments wait. They go on when the account is configured again.') : '')))) : '',
    h('p', { class: 'foot' }, 'Open payments were counted at ', time(v.countedAt), '. New credentials: see “A provider revoked our credentials” in docs/operate.md.'));
}

const openText = (a) => (a.truncated ? 'At least ' : '') + a.openPayments + (a.openPayments === 1 ? ' open payment' : ' open payments');

function shareText(a) {
  if (!a.shared) return 'All new payments: no other account of its market' + (a.newPaymentsPercent === null ? '' : ' (the share of ' + a.newPaymentsPercent + ' % counts when there is one)');
  return a.newPaymentsPercent === null ? 'New payments: what the others leave' : a.newPaymentsPercent + ' % of the new payments';
}

function account(a, about) {
  const seen = tried.get(a.account);
  const credentials = !seen ? h('span', { class: 'muted' }, 'Credentials not checked here yet')
    : seen.noToken ? h('span', { class: 'muted' }, 'Nothing to check: the key goes with each request')
      : seen.error ? [h('span', { class: 'dot bad' }, 'No token at ', time(seen.at)), h('small', {}, ' ' + seen.error)]
      : h('span', { class: 'dot good' }, 'They gave a token at ', time(seen.at));
  return h('article', { class: 'card', 'data-key': a.account },
    h('h3', {}, a.account, pill(a.production ? 'real money' : 'test money', a.production ? 'bad' : 'wait')),
    h('p', {}, h('strong', {}, a.providerName), ' · ' + a.currency + ' · ' + openText(a)), h('p', {}, shareText(a)), h('p', { class: 'mono cut' }, a.baseUrl), h('p', {}, credentials),
    about.actions && about.canAsk ? h('div', { class: 'buttons' }, h('button', { type: 'button', class: 'small', onclick: () => share(a) }, 'Change the share…')) : '');
}

const check = (button) => act(button, async () => {
  const v = await post('accounts/check');
  const at = new Date().toISOString();
  for (const a of v.accounts) if (a.checked) tried.set(a.account, { error: a.error, noToken: a.noToken, at });
  dispatchEvent(new Event('redraw'));
  const refused = v.accounts.filter((a) => a.error).length;
  toast(refused ? refused + (refused === 1 ? ' account' : ' accounts') + ' got no token.' : 'All accounts with tokens got one.', refused > 0);
});

function share(a) {
  ask({
    title: 'New payments of ' + a.account, confirm: 'Set the share',
    body: h('p', {}, a.shared ? 'Its market’s accounts share the new payments. What they leave goes to the account that has no share.'
      : 'It is the only account of its market and gets all new payments, whatever its share.'),
    fields: field('Percent', h('input', { name: 'percent', type: 'number', min: '0', max: '100', step: '1', required: true, value: a.newPaymentsPercent ?? '' }),
      'It holds within 10 seconds. Payments that were made stay with their account.'),
    send: async (f) => {
      await post('account', { account: a.account, percent: Number(f.percent) });
      toast(a.account + ' gets ' + f.percent + ' % of its market’s new payments.');
    },
  });
}
