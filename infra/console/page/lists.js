import { h, get, post, act, ask, time, ago, pill, paymentPill, callbackText, link, duration, morph, sentence, deliveryPill, heldWords } from './dom.js';
import { rolling } from './rolling.js';

const head = (...names) => h('div', { class: 'row head', 'aria-hidden': 'true' }, names.map((n) => h('span', {}, n)));
const paymentHead = () => head('Started', 'Order', 'Amount', 'Payer', 'App', 'Status', 'Callback');

function paymentRow(p) {
  return h('a', { class: 'row', href: '#/payments/' + p.reference, 'data-row': true, 'data-key': p.reference },
    h('span', { class: 'muted' }, time(p.createdAt)), h('strong', { class: 'cut' }, p.order), h('span', { class: 'amount' }, p.amount),
    h('span', { class: 'muted cut' }, p.payer || p.providerName), h('span', { class: 'cut' }, p.appName),
    h('span', {}, paymentPill(p)), callbackText(p));
}

// ---- the first screen ----

export function overview(v, about) {
  const t = v.today, least = t.atLeast ? 'at least ' : '';
  return h('div', { 'data-page': 'overview' },
    h('section', { class: 'counts', 'aria-label': 'Today' },
      count(least + t.started, 'started today'), count(least + t.paid, 'paid', 'good'), count(least + t.failed, 'not paid', t.failed ? 'bad' : ''),
      count(t.open, t.open ? 'open, the oldest for ' + ago(t.oldestOpenAt) : 'open')),
    needs(v.needs, about),
    h('section', {}, h('h2', {}, 'Providers'), h('div', { class: 'cards' }, v.providers.map((p) => provider(p)))),
    h('section', {}, h('h2', {}, 'Payments ', h('small', {}, 'live'), h('span', { class: 'right' }, about.local ? h('a', { class: 'button', href: '#/try' }, 'New payment') : '', ' ', link('#/payments', 'All payments'))),
      v.payments.length ? h('div', { class: 'list payments' }, paymentHead(), v.payments.map(paymentRow)) : nothing(about)));
}

const count = (n, text, tone) => h('div', { class: 'count ' + (tone || '') }, h('b', {}, String(n)), h('span', {}, text));

function nothing(about) {
  return h('div', { class: 'empty' }, h('p', {}, 'No payments in the last seven days.'),
    about.local ? h('p', {}, h('a', { class: 'button primary', href: '#/try' }, 'Start a payment')) : '');
}

function needs(all, about) {
  if (!all.length) return h('section', { class: 'calm' }, h('h2', {}, 'Nothing needs action'));
  return h('section', {}, h('h2', {}, 'Needs action ', h('span', { class: 'badge' }, String(all.length))),
    h('ul', { class: 'needs' }, all.map((n) => h('li', { 'data-key': n.kind + n.reference + n.text, class: n.kind },
      h('div', {}, h('strong', {}, n.text), n.since ? h('span', { class: 'muted' }, ' for ' + ago(n.since)) : '',
        n.amount ? h('span', { class: 'muted' }, ' · ' + n.amount + ' · ' + n.order) : '', h('p', {}, n.next)),
      h('div', { class: 'buttons' },
        n.check && about.actions && about.canAsk ? h('button', { type: 'button', onclick: (e) => checkNow(e.currentTarget, n.reference) }, 'Ask now') : '',
        n.link ? h('a', { class: 'button', href: n.link }, ['unanswered', 'held', 'late'].includes(n.kind) ? 'Why' : 'Show') : '')))));
}

export const checkNow = (button, reference) => act(button, () => post('payments/' + reference + '/check'), (v) => v.text);

function provider(p) {
  const state = p.down ? ['down (switched here)', 'bad'] : p.circuitOpen ? ['not answering', 'bad'] : p.failures ? ['failing', 'warn'] : ['ok', 'good'];
  const lines = [];
  if (p.circuitOpen) lines.push(['Refusing new payments since ', time(p.openedAt), p.probeAt ? [', next try at ', time(p.probeAt)] : '']);
  if (p.failures) lines.push([p.failures + ' failed requests in a row']);
  if (p.paid) lines.push([p.paid + ' of ' + p.started + ' paid today, median ' + duration(p.medianMs) + ' to the end, the last at ', time(p.lastPaidAt)]);
  else lines.push([p.started ? 'None of ' + p.started + ' payments of today is paid' : 'No payment today']);
  if (p.openPayments) lines.push([p.openPayments + ' open' + (p.noAnswer ? ', ' + p.noAnswer + ' without an answer' : '')]);
  return h('article', { class: 'card', 'data-key': p.name }, h('h3', {}, p.displayName, pill(state[0], state[1])),
    lines.map((l) => h('p', {}, l)), p.standin ? h('p', { class: 'muted' }, 'A stand-in on this machine') : '');
}

// ---- lists ----

const option = (value, text, chosen) => h('option', { value, selected: value === chosen }, text);

function filter(path, q, name, label, options) {
  return h('label', { class: 'filter' }, h('span', {}, label),
    h('select', {
      name, onchange: (e) => {
        const next = new URLSearchParams(q);
        if (e.target.value) next.set(name, e.target.value);
        else next.delete(name);
        location.hash = '#' + path + (String(next) ? '?' + next : '');
      },
    }, options.map(([value, text]) => option(value, text, q.get(name) || ''))));
}

// paymentList is a list that goes on while one scrolls. What is loaded stays;
// the newest come in at its head by themselves.
export function paymentList(q) {
  let rows, foot, next = '', loading = false, observer;
  const filtered = Boolean(q.get('status') || q.get('needs'));
  const more = async () => {
    if (loading || !next) return;
    loading = true;
    try {
      const param = new URLSearchParams(q);
      param.set('after', next);
      const v = await get('payments?' + param);
      rows.append(v.payments);
      next = v.next || '';
      foot.textContent = next ? 'Loading…' : 'These are all.';
    } catch (e) {
      foot.textContent = e.message;
      next = '';
    } finally {
      loading = false;
    }
    if (next && foot.getBoundingClientRect().top < innerHeight * 2) more();
  };
  const stop = () => {
    if (rows) rows.stop();
    if (observer) observer.disconnect();
  };
  const onview = (v, main, about) => {
    if (rows && rows.update(v.payments, filtered && (v.payments.length || !next))) return;
    stop();
    next = v.next || '';
    const list = h('div', { class: 'list payments' }, paymentHead());
    rows = rolling(list, paymentRow, morph, () => h('div', { class: 'chunk' }));
    rows.append(v.payments);
    foot = h('p', { class: 'foot', role: 'status' }, next ? 'Loading…' : v.payments.length ? 'These are all.' : 'No payment is like that.');
    const statuses = [['', 'Any'], ['OPEN', 'Open'], ...about.statuses.map((s) => [s, s])];
    main.replaceChildren(h('div', {},
      h('h1', {}, q.get('needs') ? 'Payments that wait for an answer or a person' : 'Payments'),
      q.get('needs') ? '' : h('div', { class: 'filters' }, filter('/payments', q, 'status', 'Status', statuses)), list, foot));
    observer = new IntersectionObserver((entries) => { if (entries.some((e) => e.isIntersecting)) more(); }, { rootMargin: '600px' });
    observer.observe(foot);
  };
  return { view: 'payments?' + q, onview, stop };
}

export function deliveries(q) {
  const states = [['', 'All'], ['delivered', 'Delivered'], ['going', 'Going on'], ['failed', 'Failed'], ['held', 'Held'], ['exhausted', 'Given up']];
  const chosen = q.get('state') || '';
  return (v, about) => h('div', { 'data-page': 'deliveries' + q },
    h('h1', {}, 'Callbacks'),
    h('div', { class: 'tabs', role: 'group', 'aria-label': 'State' }, states.map(([value, text]) =>
      h('a', { href: '#/deliveries' + (value ? '?state=' + value : ''), 'aria-current': value === chosen ? 'true' : undefined }, text))),
    v.deliveries.length ? h('div', { class: 'list deliveries' },
      head('Event', 'Order', 'App', 'State', 'Last answer', 'Attempts', ''),
      v.deliveries.map((d) => deliveryRow(d, about))) : h('p', { class: 'empty' }, 'No callback is like that.'),
    v.next ? h('p', { class: 'foot' }, 'There are more: narrow the list by its state, or search for the order.') : '');
}

function deliveryRow(d, about) {
  return h('div', { class: 'row', 'data-key': d.eventId },
    h('span', {}, h('span', { class: 'muted' }, time(d.createdAt)), ' ', d.event),
    h('a', { class: 'cut', href: '#/payments/' + d.reference, 'data-row': true }, h('strong', {}, d.order || d.reference)),
    h('span', { class: 'cut' }, d.appName), h('span', {}, deliveryPill(d), d.heldReason ? h('small', {}, ' ' + heldWords(d)) : ''),
    h('span', {}, lastAnswer(d)), h('span', { class: 'muted' }, d.attempts + (d.attempts === 1 ? ' attempt' : ' attempts')),
    h('span', { class: 'buttons' }, about.actions ? resendButton(d) : ''));
}

export const lastAnswer = (d) => d.lastError || (d.lastCode ? String(d.lastCode) : '–');

export const resendButton = (d) => h('button', {
  type: 'button', class: 'small',
  onclick: (e) => act(e.currentTarget, () => post('payments/' + d.reference + '/deliveries/' + d.sequence + '/resend'), 'One attempt is due now, beside the schedule.'),
}, 'Send again');

export function endpoints(v, about) {
  return h('div', { 'data-page': 'endpoints' }, h('h1', {}, 'Endpoints'),
    h('p', { class: 'lead' }, 'An endpoint is the scheme, host and port of an app’s callback URLs. While one does not answer, its callbacks are held and none is lost.'),
    v.endpoints.length ? h('div', { class: 'cards' }, v.endpoints.map((e) => endpoint(e, about))) : h('p', { class: 'empty' }, 'No app has a callback URL.'));
}

function endpoint(e, about) {
  const change = (on) => ({
    title: on ? 'Send to ' + e.origin + ' again?' : 'Send nothing to ' + e.origin + '?',
    body: h('p', {}, on ? 'What is held for it goes out little by little, oldest first.' : 'Its callbacks are held until you enable it. None is lost.'),
    confirm: on ? 'Enable' : 'Disable', danger: !on, send: () => post('endpoint', { app: e.app, endpoint: e.origin, on }),
  });
  const blocked = e.state === 'open' || e.state === 'disabled';
  return h('article', { class: 'card', 'data-key': e.app + e.origin }, h('h3', {}, e.appName, e.state === 'closed' && e.failures ? pill('failing', 'warn') : pill(e.state)),
    h('p', { class: 'mono cut' }, e.origin),
    e.state === 'disabled' ? h('p', {}, 'Disabled since ', time(e.disabledAt), e.reason ? ': ' + e.reason : '') : '',
    e.failures ? h('p', {}, e.failures + ' failed attempts in a row since ', time(e.failingSince)) : '',
    e.state === 'open' ? h('p', {}, 'Next try at ', time(e.probeAt)) : '',
    e.held ? h('p', {}, h('a', { href: '#/deliveries?state=held' }, (e.heldMore ? 'over ' : '') + e.held + ' callbacks held')) : '',
    e.state === 'closed' && !e.failures ? h('p', { class: 'muted' }, 'No failed attempt since it last answered') : '',
    about.actions ? h('div', { class: 'buttons' },
      blocked ? h('button', { type: 'button', onclick: () => ask(change(true)) }, 'Enable') : '',
      e.state !== 'disabled' ? h('button', { type: 'button', class: 'small', onclick: () => ask(change(false)) }, 'Disable') : '') : '');
}

export function apps(v, about) {
  return h('div', { 'data-page': 'apps' }, h('h1', {}, 'Apps'),
    h('div', { class: 'cards' }, v.apps.map((a) => app(a, about))),
    h('p', { class: 'foot' }, 'New apps, keys and secrets: momoctl client --help'));
}

function app(a, about) {
  const change = (on) => ({
    title: on ? 'Let ' + a.name + ' in again?' : 'Refuse the requests of ' + a.name + '?',
    body: h('p', {}, on ? 'Its requests are answered again within 10 seconds.' : 'Its requests get 401 within 10 seconds. Its open payments go on, and their callbacks are still delivered.'),
    confirm: on ? 'Enable' : 'Disable', danger: !on, send: () => post('app', { app: a.id, on }),
  });
  return h('article', { class: 'card', 'data-key': a.id }, h('h3', {}, a.name, a.unreadable ? pill('unreadable', 'bad') : pill(a.active ? 'active' : 'disabled', a.active ? 'good' : 'bad')),
    h('p', { class: 'mono muted' }, a.id),
    h('p', { class: 'cut' }, a.callbackUrl ? ['Callbacks to ', h('span', { class: 'mono' }, a.callbackUrl)] : 'No callback URL: its callbacks are held'),
    h('p', {}, a.keyUsedAt ? ['Key last used ', time(a.keyUsedAt)] : 'Key never used'),
    a.oldKeyUntil ? h('p', {}, 'The old key is good until ', time(a.oldKeyUntil)) : '',
    a.oldSecretUntil ? h('p', {}, 'The old secret signs until ', time(a.oldSecretUntil)) : '',
    h('div', { class: 'buttons' },
      about.actions && !a.unreadable ? h('button', { type: 'button', class: 'small', onclick: () => ask(change(!a.active)) }, a.active ? 'Disable' : 'Enable') : ''));
}

export function search(v) {
  if (v.payments.length === 1) location.replace('#/payments/' + v.payments[0].reference); // that is what was meant
  return h('div', { 'data-page': 'search' }, h('h1', {}, v.payments.length ? v.payments.length + ' found for ' : 'Nothing found for ', h('q', {}, v.query)),
    v.payments.length ? h('div', { class: 'list payments' }, paymentHead(), v.payments.map(paymentRow)) : h('p', {}, 'Looked for this reference, order, provider’s id or transaction id, and among the last seven days for orders with this text in them.'),
    v.part && v.payments.length ? h('p', { class: 'foot' }, 'Nothing is exactly like that. These are orders of the last seven days with this text in them.') : '',
    v.number ? h('p', { class: 'foot' }, 'A whole number is found wherever it is; the end of one among the ' + v.among + ' payments of the last seven days.') : '');
}

export { sentence };
