/* Passkeys: asks the browser for what the form's data say and sends the answer with the form. Without scripts, or at
   an address that can have none (a bare IP), the form stays hidden and the code of the app does the same. */
(() => {
  "use strict";
  const form = document.querySelector("[data-passkey]");
  const can = window.PublicKeyCredential && window.isSecureContext && !/^[\d.]+$|:/.test(location.hostname);
  if (!form || !can) return;
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const keys = (list = []) => list.map((key) => ({ ...key, id: bytes(key.id) }));
  const isNew = "new" in form.dataset;

  const ask = async () => {
    const { publicKey } = JSON.parse(form.dataset.passkey);
    publicKey.challenge = bytes(publicKey.challenge);
    if (isNew) {
      publicKey.user.id = bytes(publicKey.user.id);
      publicKey.excludeCredentials = keys(publicKey.excludeCredentials);
      return navigator.credentials.create({ publicKey });
    }
    publicKey.allowCredentials = keys(publicKey.allowCredentials);
    return navigator.credentials.get({ publicKey });
  };
  const plain = (found) => {
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (found.response[name]) response[name] = text(found.response[name]);
    }
    return { id: found.id, rawId: text(found.rawId), type: found.type, clientExtensionResults: found.getClientExtensionResults(), response };
  };

  form.hidden = false;
  document.querySelector("[data-no-passkey]")?.remove();
  const problem = form.querySelector("[role=alert]");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    problem.hidden = true;
    try {
      form.elements.credential.value = JSON.stringify(plain(await ask()));
      form.submit();
    } catch {
      // Cancelled, or nothing that fits: the page says so, and the code still works.
      problem.hidden = false;
    }
  });
})();
