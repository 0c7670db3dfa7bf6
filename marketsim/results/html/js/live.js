// The page of a run that is not over is loaded again every few seconds, where it is.

const EVERY = 5000; // milliseconds

export function reloading(button) {
  let timer = setInterval(() => location.reload(), EVERY);
  button.addEventListener("click", () => {
    timer = timer ? clearInterval(timer) : setInterval(() => location.reload(), EVERY);
    button.textContent = timer ? "Stop reloading" : "Reload every 5 seconds";
  });
}
