// Fills in a form marked data-security-key from a security key, then sends it.
// webauthnJSON (from allauth) turns the server's options into what the browser takes, and back.
for (const form of document.querySelectorAll("form[data-security-key]")) {
  const failed = form.querySelector("[data-security-key-error]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    failed.classList.add("app-hidden");
    try {
      const read = globalThis.webauthnJSON[form.dataset.securityKey];
      const credential = await read(JSON.parse(form.dataset.options));
      form.elements.credential.value = JSON.stringify(credential);
      form.submit();
    } catch {
      failed.classList.remove("app-hidden");
    }
  });
}
