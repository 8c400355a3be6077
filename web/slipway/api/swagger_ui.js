// Starts Swagger UI on the page /api/docs, light or dark as the system is.
const element = document.getElementById("swagger-ui");
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
const withToken = (request) => {
  if (element.dataset.csrf && new URL(request.url, location).origin === location.origin) request.headers["X-CSRFToken"] = element.dataset.csrf;
  return request;
};
// Without validatorUrl it would have the document checked elsewhere.
SwaggerUIBundle({ domNode: element, url: element.dataset.url, requestInterceptor: withToken, validatorUrl: null });
