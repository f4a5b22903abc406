// Starts NHS.UK frontend. The address of its script has a hash in it, so the page says where it is.
const script = document.querySelector("script[data-frontend]");
const { initAll } = await import(script.dataset.frontend);
initAll();
