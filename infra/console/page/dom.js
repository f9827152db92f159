// Small tools for the pages. Text of apps, payers and providers only ever
// becomes text: nothing here makes markup of a string.

export function h(tag, props, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) el[name] = value;
    else if (name === 'value') el.value = value;
    else el.setAttribute(name, value === true ? '' : value);
  }
  el.append(...children.flat(Infinity).filter((c) => c !== undefined && c !== null && c !== false && c !== ''));
  return el;
}

// morph makes the tree a look like b and keeps what the person has done to it:
// the focus, what is folded open, what is typed.
export function morph(a, b) {
  if (a.nodeType !== b.nodeType || a.nodeName !== b.nodeName || keyOf(a) !== keyOf(b)) return a.replaceWith(b);
  if (a.nodeType !== Node.ELEMENT_NODE) {
    if (a.data !== b.data) a.data = b.data;
    return;
  }
  const kept = a.nodeName === 'DETAILS' ? 'open' : a.nodeName === 'INPUT' ? 'value' : '';
  for (const { name } of [...a.attributes]) if (name !== kept && !b.hasAttribute(name)) a.removeAttribute(name);
  for (const { name, value } of [...b.attributes]) if (name !== kept && a.getAttribute(name) !== value) a.setAttribute(name, value);
  for (const event of ['onclick', 'onsubmit', 'onchange', 'ontoggle', 'oninput']) a[event] = b[event];
  if (a.type === 'checkbox') a.checked = b.checked;
  if (a.hasAttribute('data-keep')) return; // the page fills it itself
  const known = new Map();
  for (const child of a.childNodes) if (keyOf(child)) known.set(keyOf(child), child);
  let at = a.firstChild;
  for (const wanted of [...b.childNodes]) {
    const old = known.get(keyOf(wanted));
    if (old && old !== at) a.insertBefore(old, at);
    else if (!at || (keyOf(at) && keyOf(at) !== keyOf(wanted))) {
      a.insertBefore(wanted, at);
      continue;
    }
    const current = old || at;
    at = current.nextSibling;
    morph(current, wanted);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

const keyOf = (node) => node.nodeType === Node.ELEMENT_NODE ? node.getAttribute('data-key') : null;

// ---- the server ----

const token = document.querySelector('meta[name=console-token]').content;

export async function get(path) {
  return answer(await fetch('/api/' + path));
}

export async function post(path, body) {
  return answer(await fetch('/api/' + path, {
    method: 'POST', headers: { 'Content-Type': 'application/json', 'X-Console-Token': token }, body: JSON.stringify(body || {}),
  }));
}

async function answer(response) {
  const text = await response.text();
  let body = { error: text };
  try { body = JSON.parse(text); } catch { /* a refusal in plain text */ }
  if (!response.ok) throw new Error(body.error || 'The console answered ' + response.status);
  return body;
}

// watch keeps a view up to date until the returned function is called. A page
// in the background asks for nothing.
export function watch(view, show, fail) {
  let source;
  const open = () => {
    source = new EventSource('/api/stream?view=' + encodeURIComponent(view));
    source.addEventListener('view', (e) => { offline(false); show(JSON.parse(e.data)); });
    source.addEventListener('fault', (e) => fail(new Error(JSON.parse(e.data).error)));
    source.onerror = () => offline(true);
  };
  const visible = () => {
    if (document.hidden) source.close();
    else if (source.readyState === EventSource.CLOSED) open();
  };
  open();
  document.addEventListener('visibilitychange', visible);
  return () => {
    document.removeEventListener('visibilitychange', visible);
    source.close();
  };
}

const offline = (on) => document.body.classList.toggle('offline', on);

// ---- words, times ----

let ahead = 0;
export const setAhead = (ms) => { ahead = ms; };
export const now = () => Date.now() + ahead;

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

export function timeText(iso, exact) {
  const t = new Date(iso);
  let text = clock.format(t);
  if (exact) text += '.' + String(t.getMilliseconds()).padStart(3, '0');
  if (t.toDateString() !== new Date(now()).toDateString()) text = day.format(t) + ' ' + text;
  return text;
}

export const time = (iso, exact) => iso ? h('time', { datetime: iso, title: iso }, timeText(iso, exact)) : '–';

export function ago(iso) {
  const s = Math.max(0, Math.round((now() - new Date(iso)) / 1000));
  if (s < 60) return s + ' s';
  if (s < 7200) return Math.round(s / 60) + ' min';
  if (s < 172800) return Math.round(s / 3600) + ' h';
  return Math.round(s / 86400) + ' days';
}

// sentence shows the times in a text in the reader's zone.
export function sentence(text) {
  const parts = text.split(/(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)/);
  return parts.map((part, i) => i % 2 ? time(part) : part);
}

export const duration = (ms) => ms < 1000 ? ms + ' ms' : ms < 60000 ? (ms / 1000).toFixed(1) + ' s' : Math.round(ms / 60000) + ' min';

const tones = {
  SUCCESSFUL: 'good', FAILED: 'bad', CANCELLED: 'bad', TIMEOUT: 'warn', delivered: 'good', exhausted: 'bad', missing: 'bad', held: 'warn', due: 'wait',
  waiting: 'wait', open: 'bad', disabled: 'bad', draining: 'wait', closed: 'good', in_reconciliation: 'warn',
};
const names = {
  SUCCESSFUL: 'paid', FAILED: 'failed', CANCELLED: 'cancelled', TIMEOUT: 'timeout', PENDING: 'pending', ONGOING: 'pending',
  in_reconciliation: 'no answer', held: 'held', awaiting_payer: 'pending', submitting: 'starting', open: 'not answering', closed: 'answers',
  draining: 'catching up', disabled: 'disabled', exhausted: 'given up', due: 'to be sent', waiting: 'waits for the one before',
};

const heldFor = {
  endpoint_open: 'the app does not answer', endpoint_disabled: 'the endpoint is disabled', endpoint_gone: 'the app answered 410',
  no_callback_url: 'there is no callback URL', client_unreadable: 'the app’s secrets cannot be opened', no_signing_secret: 'the app has no signing secret',
};
export const heldWords = (d) => heldFor[d.heldReason] || d.heldReason;

export const pill = (word, tone) => h('span', { class: 'pill ' + (tone || tones[word] || 'wait'), title: word }, names[word] || word);
export const deliveryPill = (d) => d.state === 'due' && d.attempts ? pill('tried again', 'warn') : pill(d.state);
export const paymentPill = (p) => pill(p.phase === 'in_reconciliation' || p.phase === 'held' ? p.phase : p.status);

export function callbackText(p) {
  const c = p.callback;
  if (!c) return h('span', { class: 'muted' }, '–');
  const answer = c.error || c.code || 'not sent yet';
  const text = c.attempt ? answer + ', attempt ' + c.attempt : String(answer);
  return h('span', { class: 'dot ' + (c.state === 'delivered' ? 'good' : c.state === 'exhausted' ? 'bad' : 'warn') }, text);
}

export const link = (href, ...children) => h('a', { href }, ...children);

// ---- for people ----

export function toast(text, bad) {
  const box = document.getElementById('toasts');
  const el = h('div', { class: 'toast' + (bad ? ' bad' : '') }, sentence(text));
  box.append(el);
  setTimeout(() => el.remove(), bad ? 9000 : 5000);
}

// act does something and says how it went.
export async function act(button, work, done) {
  if (button) button.disabled = true;
  try {
    const v = await work();
    const text = typeof done === 'function' ? done(v) : done;
    if (text) toast(text);
    return v;
  } catch (e) {
    toast(e.message, true);
  } finally {
    if (button) button.disabled = false;
  }
}

export function copyButton(text, label) {
  return h('button', {
    type: 'button', class: 'small', onclick: async (e) => {
      const button = e.currentTarget;
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = 'Copied';
        setTimeout(() => { button.textContent = label || 'Copy'; }, 1500);
      } catch {
        toast('The browser does not let this page copy: select the text instead.', true);
      }
    },
  }, label || 'Copy');
}

// ask opens a dialog with a question; send gets the form's fields, and the
// dialog stays open while it is refused.
export function ask({ title, body, fields, confirm, danger, send }) {
  const fault = h('p', { class: 'fault', role: 'alert' });
  const go = h('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, confirm);
  const form = h('form', {
    method: 'dialog', onsubmit: async (e) => {
      e.preventDefault();
      go.disabled = true;
      fault.textContent = '';
      try {
        await send(Object.fromEntries(new FormData(form)));
        dialog.close();
      } catch (err) {
        fault.replaceChildren(...sentence(err.message));
      } finally {
        go.disabled = false;
      }
    },
  },
  h('h2', { id: 'question' }, title), body || '', fields || '', fault,
  h('div', { class: 'buttons' }, h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel'), go));
  const dialog = h('dialog', { 'aria-labelledby': 'question' }, form);
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

export const field = (label, input, hint) => h('label', { class: 'field' }, h('span', {}, label), input, hint ? h('small', {}, hint) : '');

// layout spaces out JSON without reading it: digits stay as they were sent.
export function layout(text) {
  try { JSON.parse(text); } catch { return text; }
  let out = '', indent = 0, inText = false;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (inText) {
      out += c;
      if (c === '\\') out += text[++i];
      else if (c === '"') inText = false;
      continue;
    }
    if (/\s/.test(c)) continue;
    if (c === '"') inText = true;
    if (c === '{' || c === '[') {
      const close = c === '{' ? '}' : ']';
      const rest = text.slice(i + 1).match(/^\s*/)[0].length;
      if (text[i + 1 + rest] === close) { out += c + close; i += 1 + rest; continue; }
      out += c + '\n' + '  '.repeat(++indent);
    } else if (c === '}' || c === ']') out += '\n' + '  '.repeat(--indent) + c;
    else if (c === ',') out += ',\n' + '  '.repeat(indent);
    else if (c === ':') out += ': ';
    else out += c;
  }
  return out;
}

export const code = (text) => h('pre', { tabindex: '0' }, layout(text));
