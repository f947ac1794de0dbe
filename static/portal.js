// The page is loaded anew when the case has moved on, but never under the hands of somebody who is writing.
document.addEventListener("htmx:beforeOnLoad", (event) => {
  const moved = event.detail.xhr.getResponseHeader("HX-Refresh") === "true";
  const writing = [...document.querySelectorAll("textarea")].some((field) => field.value !== field.defaultValue);
  if (moved && writing) {
    event.preventDefault();
    for (const news of document.querySelectorAll(".news")) news.hidden = false;
  }
});
