// A person's page by keyboard: whatever says its key in data-key is pressed by it. Everything here can be
// done without: the keys press links and buttons that are there for everybody.
const areOn = document.querySelector("script[data-keys]").dataset.keys === "on";
const removal = document.querySelector("[data-draft]");
let isLeaving = false;

const isTyping = (element) => element.matches("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");
const isShown = (element) => element.getClientRects().length > 0;
const withKey = (key) =>
  [...document.querySelectorAll("[data-key]")].find((each) => each.dataset.key.split(" ").includes(key) && isShown(each));

function open(details) {
  details.open = true;
  details.scrollIntoView({ block: "nearest" });
  const chosen = details.querySelector("input[type=radio]:checked");
  (chosen ?? details.querySelector("input:not([type=hidden]), textarea")).focus();
}

// The reasons are numbered, and whether somebody was told is answered by y or n, while their form is open.
function choose(key) {
  for (const choices of document.querySelectorAll("[data-choices]")) {
    const radio = choices.querySelectorAll("input[type=radio]")[choices.dataset.choices.indexOf(key)];
    if (!radio || !isShown(radio.labels[0]) || !radio.closest("details").open) continue;
    radio.click();
    const isOther = radio.value === "OTHER" && choices.dataset.other;
    (isOther ? document.getElementById(choices.dataset.other) : radio).focus();
    return true;
  }
  return false;
}

document.addEventListener("click", (event) => {
  const pressed = event.target.closest("[data-dialog], a[href^='#']");
  if (!pressed) return;
  if (pressed.dataset.dialog) {
    event.preventDefault();
    document.getElementById(pressed.dataset.dialog).showModal();
    return;
  }
  const target = document.querySelector(pressed.hash);
  if (target?.matches("details")) {
    event.preventDefault();
    open(target);
  }
});

if (areOn) {
  document.documentElement.classList.add("app-keys-on");
  for (const each of document.querySelectorAll("[data-key]")) each.setAttribute("aria-keyshortcuts", each.dataset.key);
  for (const choices of document.querySelectorAll("[data-choices]")) {
    choices.querySelectorAll("input[type=radio]").forEach((radio, place) => {
      const hint = document.createElement("kbd");
      hint.className = "app-kbd";
      hint.setAttribute("aria-hidden", "true");
      hint.textContent = choices.dataset.choices[place];
      radio.labels[0].append(hint);
    });
  }
  document.addEventListener("keydown", (event) => {
    const isOurs = !(event.ctrlKey || event.altKey || event.metaKey || event.repeat || event.defaultPrevented || isLeaving);
    if (!isOurs || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    if (choose(event.key)) {
      event.preventDefault();
      return;
    }
    const pressed = withKey(event.key);
    if (!pressed) return;
    event.preventDefault();
    if (pressed.matches("summary")) open(pressed.parentElement);
    else pressed.click();
  });
}

document.addEventListener("submit", (event) => {
  if (event.target.method === "post") isLeaving = true;
});
// Back by the browser's own button, the page may be shown as it was left.
window.addEventListener("pageshow", () => (isLeaving = false));

// A removal half written is kept by the server, never by the browser, where it would outlive the sign-in.
if (removal) {
  const said = removal.querySelector("[data-kept]");
  let waiting = 0;
  const keep = async () => {
    clearTimeout(waiting);
    waiting = 0;
    const answer = await fetch(removal.dataset.draft, { method: "POST", body: new FormData(removal), keepalive: true }).catch(() => null);
    said.textContent = answer?.ok ? "Kept, and not sent yet." : "Not kept: send it before you leave this page.";
  };
  removal.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(keep, 600);
  });
  removal.addEventListener("submit", () => clearTimeout(waiting));
  window.addEventListener("pagehide", () => {
    if (waiting && !isLeaving) keep();
  });
}
