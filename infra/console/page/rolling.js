// rolling is a list of which only the rows near the screen are in the page, so
// that ten thousand are as quick as a hundred. Rows come in chunks. A chunk
// far from the screen keeps its data and its height, and no rows.
export function rolling(list, draw, morph, chunkOf) {
  const chunks = []; // from the top
  const observer = new IntersectionObserver((entries) => {
    for (const e of entries) {
      const c = e.target.chunk;
      if (e.isIntersecting) fill(c);
      else if (c.rows.size && !c.el.contains(document.activeElement)) clear(c, e.boundingClientRect.height);
    }
  }, { rootMargin: '1500px 0px' });

  function fill(c) {
    if (c.rows.size) return;
    c.el.style.height = '';
    c.el.replaceChildren(...c.items.map((item) => rowOf(c, item)));
  }

  function clear(c, height) {
    c.el.style.height = height + 'px';
    c.el.replaceChildren();
    c.rows.clear();
  }

  function rowOf(c, item) {
    const el = draw(item);
    c.rows.set(item.reference, el);
    return el;
  }

  function make(items) {
    const c = { items, rows: new Map(), el: chunkOf() };
    c.el.chunk = c;
    fill(c);
    observer.observe(c.el);
    return c;
  }

  return {
    append(items) {
      const c = make(items);
      chunks.push(c);
      list.append(c.el);
    },
    // update takes the newest items as they are now. False: there is a gap
    // between them and the list. With only, what is not among them any more
    // has left the list.
    update(items, only) {
      const at = new Map();
      for (const c of chunks) c.items.forEach((item, i) => at.set(item.reference, [c, i]));
      const fresh = items.filter((item) => !at.has(item.reference));
      if (fresh.length === items.length && items.length) return false;
      for (const item of items) {
        const [c, i] = at.get(item.reference) || [];
        if (!c) continue;
        c.items[i] = item;
        const el = c.rows.get(item.reference);
        if (el) morph(el, draw(item));
      }
      if (only) this.keep(new Set(items.map((item) => item.reference)), items.length ? new Date(items.at(-1).createdAt) : 0);
      if (!fresh.length) return true;
      if (chunks[0].items.length + fresh.length > 200) {
        const c = make(fresh);
        chunks[0].el.before(c.el);
        chunks.unshift(c);
        return true;
      }
      const [c] = chunks, shown = c.rows.size || !c.items.length;
      c.items.unshift(...fresh);
      if (shown) c.el.prepend(...fresh.map((item) => rowOf(c, item)));
      return true;
    },
    // keep takes out what is newer than since and not among those named.
    keep(named, since) {
      for (const c of chunks) {
        c.items = c.items.filter((item) => {
          const stays = named.has(item.reference) || new Date(item.createdAt) <= since;
          if (!stays && c.rows.has(item.reference)) {
            c.rows.get(item.reference).remove();
            c.rows.delete(item.reference);
          }
          return stays;
        });
      }
    },
    stop: () => observer.disconnect(),
  };
}
