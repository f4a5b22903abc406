// Keeps what is marked with data-live as it is on the server, fetched anew every so many seconds while somebody
// looks. Nothing in it takes the focus, so nobody loses it; the buttons around it stay as they are until somebody
// asks for the page anew. Without this, "Check progress again" is a link.
const live = document.querySelector("[data-live]");
const changed = document.querySelector("[data-live-changed]");

async function renew() {
  if (!document.hidden) {
    try {
      const answer = await fetch(live.dataset.from);
      const now = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(live.id);
      if (!answer.ok || !now) return; // signed out, or not theirs any more: what is shown stays
      live.replaceChildren(...now.childNodes);
      if (now.dataset.state !== live.dataset.state) {
        changed.hidden = false;
        return;
      }
    } catch {
      // The line broke: the next time will do.
    }
  }
  setTimeout(renew, live.dataset.live * 1000);
}

if (live) setTimeout(renew, live.dataset.live * 1000);
