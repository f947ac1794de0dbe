/* What the browser says when a passkey or a security key was not used, in words beside the button. */
(() => {
  const WHY = {
    NotAllowedError: "The key was not used: it was cancelled, took too long, or this browser has none for this site.",
    InvalidStateError: "This key is set up for your account already.",
    SecurityError: "Keys work only where the address in the browser is the desk's own, by https.",
    NotSupportedError: "This browser or this key cannot do what is needed here.",
  };
  document.addEventListener("allauth.error", event => {
    event.preventDefault();
    const place = document.getElementById("key-problem");
    const problem = event.detail.exception;
    place.textContent = WHY[problem.name] || `The key was not used: ${problem.message || problem}`;
    place.hidden = false;
  });
})();
