/**
 * Makes an element. Text goes in as text, never as markup: what a device calls itself cannot become part of the page.
 * @param {string} tag `div`, or `div.class.class`
 */
export function el(tag, options = {}, ...children) {
  const [name, ...classes] = tag.split('.');
  const node = document.createElement(name);
  if (classes.length > 0) node.className = classes.join(' ');
  const { text, on, data, ...attributes } = options;
  if (text !== undefined) node.textContent = text;
  for (const [event, fn] of Object.entries(on ?? {})) node.addEventListener(event, fn);
  for (const [key, value] of Object.entries(data ?? {})) node.dataset[key] = value;
  for (const [key, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    node.setAttribute(key, value === true ? '' : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Writes only what changed, so that a selection or a screen reader is not disturbed every second. */
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Puts `wanted` in order into `parent`, moving only what is in the wrong place. */
export function arrange(parent, wanted) {
  const keep = new Set(wanted);
  for (const child of [...parent.children]) if (!keep.has(child)) child.remove();
  wanted.forEach((child, i) => {
    if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] ?? null);
  });
}
