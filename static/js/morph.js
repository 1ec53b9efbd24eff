// The swap style `morph`, on idiomorph.
//
// idiomorph's own htmx extension answers isInlineSwap() true for every unknown style, which breaks
// hx-swap-oob="beforeend:…" and "innerHTML:…"; this one answers only for itself.

const STYLES = ['morph', 'morph:outerHTML', 'morph:innerHTML'];

// What the viewer has opened or folded stays so, and an unfinished form stays as it was typed.
const OWN = { open: 'dialog, details', 'aria-expanded': '[data-collapse]' };
const callbacks = {
  beforeAttributeUpdated: (name, node) => !(name in OWN && node.matches(OWN[name])),
  beforeNodeMorphed: (old) => !(old.nodeType === Node.ELEMENT_NODE && old.hasAttribute('data-dirty')),
  beforeNodeRemoved: (node) => node.id !== 'toasts',
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
