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

const shown = new WeakMap(); // what ends the picture in an element

// Calls `draw` now, and again when the system turns light or dark or the element gets another width. What it returns
// ends the picture, before the next one in the same element.
export function drawn(element, draw) {
  shown.get(element)?.();
  let width = element.clientWidth;
  let end = draw();
  const again = () => {
    end?.();
    end = draw();
  };
  const resized = new ResizeObserver(() => {
    if (element.clientWidth !== width && element.clientWidth) {
      width = element.clientWidth;
      again();
    }
  });
  DARK.addEventListener("change", again);
  resized.observe(element);
  shown.set(element, () => {
    DARK.removeEventListener("change", again);
    resized.disconnect();
    end?.();
  });
}

// Ends the pictures below an element that is about to go.
export function endPictures(place) {
  for (const element of place.querySelectorAll("[data-picture]")) {
    shown.get(element)?.();
    shown.delete(element);
  }
}
