// The swap style `morph`, on idiomorph.
//
// idiomorph's own htmx extension answers isInlineSwap() true for every unknown style, which breaks
// hx-swap-oob="beforeend:…" and "innerHTML:…"; this one answers only for itself.

const STYLES = ['morph', 'morph:outerHTML', 'morph:innerHTML'];

// What the viewer has opened or folded stays so; what is typed and not saved stays, with what is wrong with it; and what
// became of it is said by forms.js, until the next save.
const OWN = { open: 'dialog, details', 'aria-expanded': '[data-collapse]', hidden: '.stream > h2 + div', tabindex: '[data-c]' };
const isElement = (node) => node.nodeType === Node.ELEMENT_NODE;
const isTypedInto = (form) => [...form.elements].some((each) => each.type !== 'hidden' && each.value !== '' && each.matches('input, textarea'));
const isOfUnsaved = (node) => node.matches('.err') && node.parentElement.querySelector('[data-dirty]') !== null;

// data-was is what the person saw in a control when they began (forms.js): it stays as long as they look at that value,
// and follows what they have saved.
function keepSeen(old, sent) {
  if (!('was' in sent.dataset)) return;
  const looksAt = old === document.activeElement && (old.value !== sent.value || old.checked !== sent.checked);
  if ('was' in old.dataset && looksAt) sent.dataset.was = old.dataset.was;
  else if (!('was' in old.dataset)) old.dataset.was = sent.dataset.was;
}

const callbacks = {
  beforeAttributeUpdated: (name, node) => !(name in OWN && node.matches(OWN[name])),
  beforeNodeMorphed: (old, sent) => {
    if (!isElement(old)) return true;
    if ('saved' in old.dataset && 'saved' in sent.dataset) [sent.className, sent.textContent] = [old.className, old.textContent];
    keepSeen(old, sent);
    return !(old.hasAttribute('data-dirty') || isOfUnsaved(old) || (old.matches('form[data-clear]') && isTypedInto(old)));
  },
  beforeNodeRemoved: (node) => !(isElement(node) && (node.id === 'toasts' || node.matches('.celledit') || isOfUnsaved(node))),
};

htmx.defineExtension('morph', {
  isInlineSwap: (style) => style === 'morph' || style === 'morph:outerHTML',
  handleSwap: (style, target, fragment) => {
    if (!STYLES.includes(style)) return false;
    // Who types in there keeps the focus.
    if (target.contains(document.activeElement)) fragment.querySelectorAll('[autofocus]').forEach((each) => each.removeAttribute('autofocus'));
    const morphStyle = style === 'morph:innerHTML' ? 'innerHTML' : 'outerHTML';
    return Idiomorph.morph(target, [...fragment.children], { morphStyle, ignoreActiveValue: true, callbacks });
  },
});
