import { h, get, watch, morph, toast, setAhead } from './dom.js';
import { overview, paymentList, deliveries, endpoints, apps, search } from './lists.js';
import { accounts } from './accounts.js';
import { payment } from './payment.js';
import { local, pay } from './local.js';

// A page has the view that it shows, kept up to date by the server, and draw,
// which makes a tree of it. A page without a view draws itself once.
const pages = [
  [/^\/$/, () => ({ title: 'Overview', view: 'overview', draw: overview })],
  [/^\/payments$/, (m, q) => ({ title: 'Payments', ...paymentList(q) })],
  [/^\/payments\/([0-9a-fA-F-]{36})$/, (m) => ({ title: 'Payment', view: 'payments/' + m[1], draw: payment })],
  [/^\/pay\/([0-9a-fA-F-]{36})$/, (m) => ({ title: 'Pay', view: 'payments/' + m[1], draw: pay })],
  [/^\/deliveries$/, (m, q) => ({ title: 'Callbacks', view: 'deliveries?' + q, draw: deliveries(q) })],
  [/^\/endpoints$/, () => ({ title: 'Endpoints', view: 'endpoints', draw: endpoints })],
  [/^\/accounts$/, () => ({ title: 'Accounts', view: 'accounts', draw: accounts })],
  [/^\/apps$/, () => ({ title: 'Apps', view: 'apps', draw: apps })],
  [/^\/search$/, (m, q) => ({ title: 'Search', view: 'search?' + q, draw: search })],
  [/^\/try$/, () => ({ title: 'Try it', view: 'local', draw: local })],
];

export let about = {};
const main = document.getElementById('main');
let stop = () => {};
let redraw = () => {};

function route() {
  stop();
  const [path, query] = location.hash.replace(/^#/, '').split('?');
  const q = new URLSearchParams(query);
  let page;
  for (const [pattern, make] of pages) {
    const match = (path || '/').match(pattern);
    if (match) page = make(match, q);
  }
  for (const a of document.querySelectorAll('#nav a')) {
    const own = a.getAttribute('href').slice(1);
    if (own === '/' ? path === '' || path === '/' : path.startsWith(own)) a.setAttribute('aria-current', 'page');
    else a.removeAttribute('aria-current');
  }
  document.getElementById('q').value = path === '/search' ? q.get('q') || '' : '';
  if (!page) return main.replaceChildren(h('p', { class: 'empty' }, 'There is no such page. ', h('a', { href: '#/' }, 'Overview')));
  document.title = page.title + ' · MoMo Proxy';
  main.replaceChildren(h('p', { class: 'loading' }, 'Loading…'));
  window.scrollTo(0, 0);
  let last;
  const show = (v) => {
    last = v;
    const tree = page.draw(v, about);
    if (main.childElementCount === 1 && main.firstElementChild.dataset.page === tree.dataset.page && tree.dataset.page) morph(main.firstElementChild, tree);
    else main.replaceChildren(tree);
  };
  redraw = () => { if (last) show(last); };
  const fail = (e) => main.replaceChildren(h('p', { class: 'empty' }, e.message));
  const close = watch(page.view, page.onview ? (v) => page.onview(v, main, about) : show, fail);
  stop = () => { close(); redraw = () => {}; if (page.stop) page.stop(); };
}

function keys(e) {
  if (e.target.matches('input, textarea, select') || e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog[open]')) return;
  if (e.key === '/') {
    e.preventDefault();
    document.getElementById('q').focus();
  }
  if (e.key !== 'j' && e.key !== 'k') return;
  const rows = [...document.querySelectorAll('[data-row]')];
  const at = rows.indexOf(document.activeElement);
  const next = rows[e.key === 'j' ? at + 1 : Math.max(0, at - 1)];
  if (next) next.focus();
}

async function start() {
  try {
    about = await get('about');
  } catch (e) {
    return main.replaceChildren(h('p', { class: 'empty' }, e.message));
  }
  document.getElementById('place').textContent = about.place + (about.actions ? '' : ' · read-only');
  document.getElementById('place').classList.add(about.live ? 'live' : 'play');
  const nav = [['/', 'Overview'], ['/payments', 'Payments'], ['/deliveries', 'Callbacks'], ['/endpoints', 'Endpoints'], ['/accounts', 'Accounts'], ['/apps', 'Apps']];
  if (about.local) {
    nav.push(['/try', 'Try it']);
    watch('local', (s) => { setAhead(s.aheadMs || 0); }, () => {});
  }
  document.getElementById('nav').replaceChildren(...nav.map(([path, name]) => h('a', { href: '#' + path }, name)));
  document.getElementById('search').addEventListener('submit', (e) => {
    e.preventDefault();
    const text = document.getElementById('q').value.trim();
    if (text) location.hash = '#/search?q=' + encodeURIComponent(text);
  });
  addEventListener('hashchange', () => { route(); main.focus({ preventScroll: true }); });
  addEventListener('keydown', keys);
  addEventListener('redraw', () => redraw());
  setInterval(() => redraw(), 20000); // ages
  route();
}

addEventListener('unhandledrejection', (e) => toast(String(e.reason && e.reason.message || e.reason), true));
start();
