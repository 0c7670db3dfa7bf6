// Colours come from the style sheet, which knows light from dark.

const DARK = matchMedia("(prefers-color-scheme: dark)");

export function color(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// The colour with an opacity from 0 to 1.
export function faint(name, opacity) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(color(name).slice(at, at + 2), 16));
  return `rgba(${red}, ${green}, ${blue}, ${opacity})`;
}

// Calls `draw` now, and again when the system turns light or dark or the window gets another width.
export function drawn(element, draw) {
  let width = element.clientWidth;
  draw();
  const again = () => element.isConnected && draw();
  DARK.addEventListener("change", again);
  new ResizeObserver(() => {
    if (element.clientWidth !== width && element.clientWidth) {
      width = element.clientWidth;
      again();
    }
  }).observe(element);
}
